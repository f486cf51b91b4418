/** Commands that load a tree of Kconfig files. */
import type { CliIo } from "../command.ts";
import { KconfigError } from "../errors.ts";
import { explain, formatExplanation } from "../explain.ts";
import { recordAnswers } from "../recorded.ts";
import { loadKconfig } from "../tree.ts";
import type { KconfigSymbol, KconfigTree } from "../tree.ts";
import { schemaOf, typesOf } from "../types.ts";
import { valueOf } from "../value.ts";
import type { CliArgs } from "./cli-args.ts";
import { give, need, symbolName, toJson } from "./cli-files.ts";
import { formatMatch, formatSymbol } from "./format-symbol.ts";
import { nearest } from "./nearest.ts";
import { openConfigured, openTree, withTreeOptions } from "./open-tree.ts";

type Values = CliArgs["values"];

/** Runs one command on a tree and returns the exit status. */
export async function runTreeCommand(
  name: string,
  operands: readonly string[],
  values: Values,
  io: CliIo,
): Promise<number> {
  const print = (value: unknown, plain: string): void =>
    io.stdout(values.json === true ? toJson(value) : plain);
  switch (name) {
    case "explain": {
      const wanted = need(operands, 1, undefined, "explain SYMBOL[=VALUE]...").map(readWanted);
      const tree = await openConfigured(values, io);
      const found = wanted.map(({ symbol, value }) => explain(tree, symbol, value));
      print(found, found.map((one) => `${formatExplanation(one)}\n`).join("\n"));
      return 0;
    }
    case "show": {
      const symbols = need(operands, 1, undefined, "show SYMBOL...").map(symbolName);
      const tree = await openConfigured(values, io);
      const found = symbols.map((symbol) => symbolOf(tree, symbol));
      print(found, found.map(formatSymbol).join("\n"));
      return 0;
    }
    case "search": {
      const [pattern = ""] = need(operands, 1, 1, "search PATTERN");
      const wanted = readPattern(pattern);
      const tree = await openConfigured(values, io);
      const found = tree.search(wanted).map((symbol) => symbolOf(tree, symbol));
      print(found, found.map((one) => `${formatMatch(one)}\n`).join(""));
      return found.length > 0 ? 0 : 1;
    }
    case "types": {
      need(operands, 0, 0, "types");
      const text = typesOf(await openTree(values, io));
      await give(values.json === true ? toJson({ types: text }) : text, values.output, io);
      return 0;
    }
    case "schema": {
      need(operands, 0, 0, "schema");
      await give(toJson(schemaOf(await openTree(values, io))), values.output, io);
      return 0;
    }
    case "record":
      need(operands, 0, 0, "record");
      return await record(values, io);
    case "menu": {
      const { menuCommand } = await import("./menu-command.ts");
      return await menuCommand(operands, values, io);
    }
    case "minimize": {
      const { minimizeCommand } = await import("./solve-commands.ts");
      return await minimizeCommand(operands, values, io);
    }
    default: {
      const { resolveCommand } = await import("./solve-commands.ts");
      return await resolveCommand(operands, values, io);
    }
  }
}

function readWanted(operand: string): { readonly symbol: string; readonly value: string | undefined } {
  const equal = operand.indexOf("=");
  if (equal < 0) return { symbol: symbolName(operand), value: undefined };
  return { symbol: symbolName(operand.slice(0, equal)), value: valueOf(operand.slice(equal + 1)).text };
}

function readPattern(pattern: string): RegExp {
  try {
    return new RegExp(symbolName(pattern), "i");
  } catch (cause) {
    throw new KconfigError("KCONFIG_USAGE", `"${pattern}" is no regular expression`, { cause });
  }
}

function symbolOf(tree: KconfigTree, name: string): KconfigSymbol {
  const symbol = tree.symbol(name);
  if (symbol !== undefined) return symbol;
  const near = nearest(name, tree.names);
  throw new KconfigError("KCONFIG_VALUE", `There is no symbol "${name}"`, {
    hint: near === undefined ? 'Find it with "kconfig search"' : `Did you mean "${near}"?`,
  });
}

async function record(values: Values, io: CliIo): Promise<number> {
  await withTreeOptions(values, async (options) => {
    const { host, answers } = recordAnswers(options.host, options);
    await loadKconfig({ ...options, host });
    // What a replay looks at itself.
    for (const name of ["ARCH", "SRCARCH", "KBUILD_DEFCONFIG"]) void host.env[name];
    await give(toJson(answers()), values.output, io);
  });
  return 0;
}
