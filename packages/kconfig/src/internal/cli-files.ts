/** What commands of the command line share: arguments, files, results. */
import { readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { CliIo } from "../command.ts";
import { parseConfig } from "../config.ts";
import type { Config } from "../config.ts";
import { KconfigError } from "../errors.ts";
import type { Diagnostic } from "../errors.ts";
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
  throw conflictError(merged.conflicts);
}

export function conflictError(conflicts: readonly Diagnostic[]): KconfigError {
  const lines = conflicts.map((conflict) => `  ${conflict.message}`).join("\n");
  return new KconfigError("KCONFIG_CONFLICT", `The fragments contradict each other:\n${lines}`, {
    hint: "Take one of the requests out",
  });
}

/** Prints a text, or writes it to the file that was asked for: whole or not at all. */
export async function give(text: string, output: string | undefined, io: CliIo): Promise<void> {
  if (output === undefined) {
    io.stdout(text);
    return;
  }
  await writeWhole(output, text);
}

/**
 * Writes a file whole or not at all; with `old`, what it was before is kept under that name. A device or a pipe is written to,
 * and a link leads to what is written: a file in place of /dev/null or /dev/stdout would be the end of it.
 */
export async function writeWhole(
  file: string,
  data: string | Uint8Array,
  { old }: { readonly old?: string | undefined } = {},
): Promise<void> {
  // With `old` a link goes away with the name, as it does for conf.
  const target = old === undefined ? await realpath(file).catch(() => file) : file;
  const beside = `${target}.${process.pid}.partial`;
  try {
    if (await isSpecial(target)) return await writeFile(target, data);
    await writeFile(beside, data);
    if (old !== undefined) await rename(target, old);
    await rename(beside, target);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new KconfigError("KCONFIG_HOST", `Cannot write "${file}": ${String(cause)}`, { cause });
  }
}

async function isSpecial(file: string): Promise<boolean> {
  const there = await stat(file).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
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
