import { readFile, rename, rm, writeFile } from "node:fs/promises";
import type { CliIo } from "../command.ts";
import { parseConfig, printConfig } from "../config.ts";
import type { Config } from "../config.ts";
import { countSymbols } from "../count.ts";
import { diffConfigs } from "../diff.ts";
import type { ConfigChange } from "../diff.ts";
import { KconfigError } from "../errors.ts";
import { mergeFragments, parseFragment } from "../fragment.ts";
import type { Fragment, MergedRequests } from "../fragment.ts";
import { applyRequests } from "../merge.ts";
import { formatRefusal, proveConfig } from "../prove.ts";
import { writeValue } from "../value.ts";
import type { ConfigValue } from "../value.ts";
import type { CliArgs } from "./cli-args.ts";

export const COMMANDS: readonly string[] = ["diff", "merge", "check", "get", "count"];

/** Runs one command of the command line and returns the exit status. */
export async function runCommand(
  name: string,
  operands: readonly string[],
  values: CliArgs["values"],
  io: CliIo,
): Promise<number> {
  const print = (value: unknown, plain: string): void =>
    io.stdout(values.json === true ? `${JSON.stringify(value, null, 2)}\n` : plain);
  switch (name) {
    case "diff": {
      const [before, after] = await Promise.all(need(operands, 2, 2, "diff A B").map(readConfig));
      if (before === undefined || after === undefined) return 2;
      const diff = diffConfigs(before, after);
      const lines = [...diff.removed, ...diff.added, ...diff.changed].map(formatChange);
      const plain = (changes: readonly ConfigChange[]): unknown =>
        changes.map(({ symbol, before, after }) => ({ symbol, before: show(before), after: show(after) }));
      const { added, removed, changed } = diff;
      print(
        { added: plain(added), removed: plain(removed), changed: plain(changed) },
        lines.map((line) => `${line}\n`).join(""),
      );
      return 0;
    }
    case "merge": {
      const [base = "", ...files] = need(operands, 2, undefined, "merge BASE FRAGMENT...");
      const merged = merge(await Promise.all(files.map(readFragment)));
      const text = printConfig(applyRequests(await readConfig(base), merged.requests));
      if (values.output === undefined) io.stdout(text);
      else await writeBeside(values.output, text);
      return 0;
    }
    case "check": {
      const files = need(operands, 1, undefined, "check FRAGMENT... --config FILE");
      const { requests } = merge(await Promise.all(files.map(readFragment)));
      const refusals = proveConfig(requests, await readConfig(values.config ?? ".config"));
      const rows = refusals.map((refusal) => ({
        ...refusal,
        wanted: show(refusal.wanted),
        actual: show(refusal.actual) ?? null,
      }));
      const lines = refusals.map((refusal) => `${formatRefusal(refusal)}\n`);
      print(
        { requested: requests.length, refusals: rows },
        refusals.length === 0 ? `All ${requests.length} requested symbols are in effect\n` : lines.join(""),
      );
      return refusals.length === 0 ? 0 : 1;
    }
    case "get": {
      const [file = "", ...symbols] = need(operands, 2, undefined, "get FILE SYMBOL...");
      const config = await readConfig(file);
      const found = symbols
        .map((symbol) => symbol.replace(/^CONFIG_/, ""))
        .map((symbol) => {
          return { symbol, value: show(config.values.get(symbol)) ?? null };
        });
      print(found, found.map(({ symbol, value }) => `${symbol}=${value ?? "(not named)"}\n`).join(""));
      return found.some(({ value }) => value === null) ? 1 : 0;
    }
    default: {
      const files = need(operands, 1, undefined, "count FILE...");
      const rows = await Promise.all(
        files.map(async (file) => ({ file, ...countSymbols(await readConfig(file)) })),
      );
      const line = (row: (typeof rows)[number]): string =>
        `${row.file}: ${row.set} set (${row.y} y, ${row.m} m), ${row.other} numbers and strings\n`;
      print(rows, rows.map(line).join(""));
      return 0;
    }
  }
}

function need(
  operands: readonly string[],
  least: number,
  most: number | undefined,
  usage: string,
): readonly string[] {
  if (operands.length >= least && operands.length <= (most ?? Infinity)) return operands;
  throw new KconfigError("KCONFIG_USAGE", `Wrong number of arguments: it is "kconfig ${usage}"`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(cause);
    throw new KconfigError("KCONFIG_HOST", `Cannot read "${file}": ${reason}`, { cause });
  }
}

async function readConfig(file: string): Promise<Config> {
  return parseConfig(await readText(file), { file });
}

async function readFragment(file: string): Promise<Fragment> {
  return parseFragment(await readText(file), { file });
}

function merge(fragments: readonly Fragment[]): MergedRequests {
  const merged = mergeFragments(fragments);
  if (merged.conflicts.length === 0) return merged;
  const lines = merged.conflicts.map((conflict) => `  ${conflict.message}`).join("\n");
  throw new KconfigError("KCONFIG_CONFLICT", `The fragments contradict each other:\n${lines}`, {
    hint: "Take one of the requests out",
  });
}

async function writeBeside(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.partial`;
  try {
    await writeFile(beside, text);
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new KconfigError("KCONFIG_HOST", `Cannot write "${file}": ${String(cause)}`, { cause });
  }
}

// As scripts/diffconfig in the kernel prints them, with n for what is not set.
function formatChange({ symbol, before, after }: ConfigChange): string {
  if (before === undefined) return `+${symbol} ${show(after) ?? ""}`;
  if (after === undefined) return `-${symbol} ${show(before) ?? ""}`;
  return ` ${symbol} ${show(before) ?? ""} -> ${show(after) ?? ""}`;
}

function show(value: ConfigValue | undefined): string | undefined {
  return value === undefined ? undefined : writeValue(value);
}
