import type { CliIo } from "../command.ts";
import { parseConfig, printConfig } from "../config.ts";
import type { Config } from "../config.ts";
import { countSymbols } from "../count.ts";
import { diffConfigs } from "../diff.ts";
import type { ConfigChange } from "../diff.ts";
import { KconfigError } from "../errors.ts";
import { embeddedConfig } from "../ikconfig.ts";
import { applyRequests } from "../merge.ts";
import { systemDecompress } from "../node/decompress.ts";
import { formatRefusal, proveConfig } from "../prove.ts";
import type { CliArgs } from "./cli-args.ts";
import {
  give,
  need,
  readBytes,
  readConfigFile,
  readFragments,
  show,
  symbolName,
  toJson,
} from "./cli-files.ts";

/** Runs one command on files of the command line and returns the exit status. */
export async function runCommand(
  name: string,
  operands: readonly string[],
  values: CliArgs["values"],
  io: CliIo,
): Promise<number> {
  const print = (value: unknown, plain: string): void =>
    io.stdout(values.json === true ? toJson(value) : plain);
  switch (name) {
    case "diff": {
      const [before, after] = await Promise.all(need(operands, 2, 2, "diff A B").map(readConfigFile));
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
      const { requests } = await readFragments(files);
      const merged = applyRequests(await readConfigFile(base), requests);
      const text = values.json === true ? toJson(symbolsOf(merged)) : printConfig(merged);
      await give(text, values.output, io);
      return 0;
    }
    case "check": {
      const files = need(operands, 1, undefined, "check FRAGMENT... --config FILE");
      const { requests } = await readFragments(files);
      const refusals = proveConfig(requests, await readConfigFile(values.config ?? ".config"));
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
      const config = await readConfigFile(file);
      const found = symbols
        .map(symbolName)
        .map((symbol) => ({ symbol, value: show(config.values.get(symbol)) ?? null }));
      print(found, found.map(({ symbol, value }) => `${symbol}=${value ?? "(not named)"}\n`).join(""));
      return found.some(({ value }) => value === null) ? 1 : 0;
    }
    case "extract": {
      const [file = ""] = need(operands, 1, 1, "extract IMAGE");
      const text = embeddedConfig(await readBytes(file), { decompress: systemDecompress });
      if (text === undefined) {
        throw new KconfigError("KCONFIG_VALUE", `No configuration was found in "${file}"`, {
          hint: "The kernel may have been built without CONFIG_IKCONFIG; distributions put a file beside it: /boot/config-*",
        });
      }
      await give(
        values.json === true ? toJson(symbolsOf(parseConfig(text, { file }))) : text,
        values.output,
        io,
      );
      return 0;
    }
    default: {
      const files = need(operands, 1, undefined, "count FILE...");
      const rows = await Promise.all(
        files.map(async (file) => ({ file, ...countSymbols(await readConfigFile(file)) })),
      );
      const line = (row: (typeof rows)[number]): string =>
        `${row.file}: ${row.set} set (${row.y} y, ${row.m} m), ${row.other} numbers and strings\n`;
      print(rows, rows.map(line).join(""));
      return 0;
    }
  }
}

function symbolsOf({ values }: Pick<Config, "values">): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries([...values].map(([name, value]) => [name, show(value)]));
}

// As scripts/diffconfig in the kernel prints them, with n for what is not set.
function formatChange({ symbol, before, after }: ConfigChange): string {
  if (before === undefined) return `+${symbol} ${show(after) ?? ""}`;
  if (after === undefined) return `-${symbol} ${show(before) ?? ""}`;
  return ` ${symbol} ${show(before) ?? ""} -> ${show(after) ?? ""}`;
}
