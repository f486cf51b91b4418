/** What commands of the command line share: arguments, files, results. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import type { CliIo } from "../command.ts";
import { parseConfig } from "../config.ts";
import type { Config } from "../config.ts";
import { KconfigError } from "../errors.ts";
import { mergeFragments, parseFragment } from "../fragment.ts";
import type { MergedRequests } from "../fragment.ts";
import { writeValue } from "../value.ts";
import type { ConfigValue } from "../value.ts";

/** A command's operands, when there are as many as it takes. */
export function need(
  operands: readonly string[],
  least: number,
  most: number | undefined,
  usage: string,
): readonly string[] {
  if (operands.length >= least && operands.length <= (most ?? Infinity)) return operands;
  throw new KconfigError("KCONFIG_USAGE", `Wrong number of arguments: it is "kconfig ${usage}"`);
}

export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(cause);
    throw new KconfigError("KCONFIG_HOST", `Cannot read "${file}": ${reason}`, { cause });
  }
}

export async function readText(file: string): Promise<string> {
  return (await readBytes(file)).toString("utf8");
}

export async function readConfigFile(file: string): Promise<Config> {
  return parseConfig(await readText(file), { file });
}

/** Reads fragments and merges them; what they do not agree on is an error. */
export async function readFragments(files: readonly string[]): Promise<MergedRequests> {
  const merged = mergeFragments(
    await Promise.all(files.map(async (file) => parseFragment(await readText(file), { file }))),
  );
  if (merged.conflicts.length === 0) return merged;
  const lines = merged.conflicts.map((conflict) => `  ${conflict.message}`).join("\n");
  throw new KconfigError("KCONFIG_CONFLICT", `The fragments contradict each other:\n${lines}`, {
    hint: "Take one of the requests out",
  });
}

/** Prints a text, or writes it to the file that was asked for: whole or not at all. */
export async function give(text: string, output: string | undefined, io: CliIo): Promise<void> {
  if (output === undefined) {
    io.stdout(text);
    return;
  }
  const beside = `${output}.${process.pid}.partial`;
  try {
    await writeFile(beside, text);
    await rename(beside, output);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new KconfigError("KCONFIG_HOST", `Cannot write "${output}": ${String(cause)}`, { cause });
  }
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function show(value: ConfigValue | undefined): string | undefined {
  return value === undefined ? undefined : writeValue(value);
}

/** A symbol's name as the command line takes it: with `CONFIG_` or without. */
export function symbolName(text: string): string {
  return text.replace(/^CONFIG_/, "");
}
