/** Commands that look for configurations. */
import { existsSync } from "node:fs";
import type { CliIo } from "../command.ts";
import { KconfigError } from "../errors.ts";
import { mergeRequests } from "../fragment.ts";
import type { ConfigRequest } from "../fragment.ts";
import { solveBase } from "../resolve.ts";
import type { ConfigBase } from "../resolve.ts";
import { formatRequest, formatUnsolvable } from "../solve/format.ts";
import { minimize } from "../solve/minimize.ts";
import { solve } from "../solve/solve.ts";
import { loadKconfig } from "../tree.ts";
import { valueOf } from "../value.ts";
import type { CliArgs } from "./cli-args.ts";
import { conflictError, give, need, readFragments, readText, show, symbolName, toJson } from "./cli-files.ts";
import { nearest } from "./nearest.ts";
import { openTree, tellWarnings, withTreeOptions } from "./open-tree.ts";

type Values = CliArgs["values"];

const BASES = ["allnoconfig", "tinyconfig", "defconfig"] as const;

/** kconfig resolve SYMBOL=VALUE... FRAGMENT... */
export async function resolveCommand(
  operands: readonly string[],
  values: Values,
  io: CliIo,
): Promise<number> {
  const base = await readBase(values.base ?? "allnoconfig");
  const weights = values.weights === undefined ? undefined : await readWeights(values.weights);
  const requests = await readRequirements(operands);
  const found = await withTreeOptions(values, async (options) => {
    const tree = await loadKconfig(options);
    tellWarnings(tree.diagnostics, io);
    // One that is misspelt would weigh nothing more than others, and nobody would see it.
    for (const name of weights?.keys() ?? []) {
      if (tree.value(name) === undefined) io.stderr(`no such symbol, weighed in vain: ${name}\n`);
    }
    return await solve(tree, requests, { base: solveBase({ ...options, base }, options.host), weights });
  });
  if (found.kind === "unsolvable") {
    if (values.json === true) {
      const core = found.core.map((one) => ({ ...one, value: show(one.value) }));
      await give(toJson({ core, reasons: found.reasons }), values.output, io);
    }
    io.stderr(`${formatUnsolvable(found)}\n`);
    return 1;
  }
  const { text, weight, bound, dropped } = found;
  const plain = dropped.map((one) => ({ ...one, value: show(one.value) }));
  await give(
    values.json === true ? toJson({ config: text, weight, bound, dropped: plain }) : text,
    values.output,
    io,
  );
  for (const one of dropped) io.stderr(`not kept: ${formatRequest(one)}\n`);
  if (bound < weight)
    io.stderr(`The weight is ${weight}; whether less than that is possible, down to ${bound}, is open\n`);
  return 0;
}

/** kconfig minimize CONFIG */
export async function minimizeCommand(
  operands: readonly string[],
  values: Values,
  io: CliIo,
): Promise<number> {
  const [file = ""] = need(operands, 1, 1, "minimize CONFIG");
  const text = await readText(file);
  const tree = await openTree(values, io);
  const lines = minimize(tree, text);
  await give(values.json === true ? toJson({ defconfig: lines }) : lines, values.output, io);
  return 0;
}

// What has a value is a requirement, unless there is a file of that name.
async function readRequirements(operands: readonly string[]): Promise<readonly ConfigRequest[]> {
  const isValue = (operand: string): boolean => operand.includes("=") && !existsSync(operand);
  const { requests: given } = await readFragments(operands.filter((operand) => !isValue(operand)));
  const typed = operands.filter(isValue).map((operand): ConfigRequest => {
    const equal = operand.indexOf("=");
    const symbol = symbolName(operand.slice(0, equal));
    return {
      symbol,
      value: valueOf(operand.slice(equal + 1)),
      origin: "the command line",
      conditions: new Map(),
    };
  });
  const { requests, conflicts } = mergeRequests([...given, ...typed]);
  if (conflicts.length > 0) throw conflictError(conflicts);
  return requests;
}

async function readBase(name: string): Promise<ConfigBase> {
  const known = BASES.find((base) => base === name);
  if (known !== undefined) return known;
  const near = nearest(name, BASES);
  if (near !== undefined && !existsSync(name)) {
    throw new KconfigError("KCONFIG_USAGE", `There is no base "${name}", and no file of that name`, {
      hint: `Did you mean "${near}"?`,
    });
  }
  return { text: await readText(name) };
}

async function readWeights(file: string): Promise<ReadonlyMap<string, number>> {
  const wrong = (cause?: unknown): KconfigError =>
    new KconfigError("KCONFIG_SYNTAX", `"${file}" is no JSON object of symbols and weights`, {
      cause,
      hint: 'It is like { "DEBUG_INFO": 1000, "PRINTK": 20 }',
    });
  let read: unknown;
  try {
    read = JSON.parse(await readText(file));
  } catch (cause) {
    throw cause instanceof KconfigError ? cause : wrong(cause);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw wrong();
  const weights = new Map<string, number>();
  for (const [symbol, weight] of Object.entries(read)) {
    if (typeof weight !== "number") throw wrong();
    weights.set(symbolName(symbol), weight);
  }
  return weights;
}
