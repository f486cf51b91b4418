import { readConfig, readValues } from "./engine/read.ts";
import { EVEN_CHANCES, setNewSymbols } from "./conf/new-symbols.ts";
import { parseConfig, printEntry } from "./config.ts";
import type { Config } from "./config.ts";
import { KconfigError } from "./errors.ts";
import { explain } from "./explain.ts";
import type { ConfigRequest } from "./fragment.ts";
import { proveConfig } from "./prove.ts";
import type { Refusal } from "./prove.ts";
import { NO, isLogic } from "./engine/model.ts";
import { decode, encode } from "./internal/symbol-view.ts";
import type { SolveBase } from "./solve/base.ts";
import { engineOf, loadKconfig } from "./tree.ts";
import type { KconfigTree, LoadTreeOptions, TreeHost } from "./tree.ts";

/** Where resolution starts from. A symbol that nobody names is n in the first two, and has its default in the others. */
export type ConfigBase = "allnoconfig" | "tinyconfig" | "defconfig" | { readonly text: string };

/** A configuration to work out. */
export interface ResolveRequest extends Omit<LoadTreeOptions, "host"> {
  readonly base: ConfigBase;
  readonly values: readonly ConfigRequest[];
  /** For the base `defconfig`: the file in the tree. Default: what KBUILD_DEFCONFIG and SRCARCH of the environment name. */
  readonly defconfig?: string | undefined;
}

/** The complete configuration: `text` as conf would write it, and the requests that it does not honour. */
export interface ResolvedConfig {
  readonly config: Config;
  readonly text: string;
  /** Each with the reason, and what it would take. */
  readonly refusals: readonly Refusal[];
  /** The tree with this configuration. */
  readonly tree: KconfigTree;
}

/**
 * Works out the complete configuration for requests: the same that `make allnoconfig` with KCONFIG_ALLCONFIG, or `make
 * olddefconfig`, makes of them.
 *
 * @throws KconfigError KCONFIG_SYNTAX for a tree that is wrong, KCONFIG_HOST for one that lacks the base; refusals are
 * returned, not thrown.
 */
export async function resolveConfig(request: ResolveRequest, host: TreeHost): Promise<ResolvedConfig> {
  const { base, values } = request;
  const tree = await loadKconfig({ ...request, host });
  const engine = engineOf(tree);
  const wanted = printRequests(values);
  if (base === "allnoconfig" || base === "tinyconfig") {
    const input = base === "tinyconfig" ? join(tinyConfig(request, host), wanted) : wanted;
    readValues(encode(input), engine, { file: "requests", prefix: "CONFIG_" });
    setNewSymbols(engine, { values: "no", chances: EVEN_CHANCES, random: () => 0 });
  } else {
    const start = base === "defconfig" ? readDefconfig(request, host) : base.text;
    // conf takes the last line that names a symbol.
    readConfig(encode(join(start, wanted)), engine, { file: "requests", prefix: "CONFIG_" });
  }
  const text = tree.configText();
  const config = parseConfig(text);
  return { config, text, refusals: explainRefusals(proveConfig(values, config), tree), tree };
}

/**
 * What solve() starts from for a base: the files of the tree that `tinyconfig` and `defconfig` name are read.
 *
 * @throws KconfigError KCONFIG_HOST for a tree that lacks the base.
 */
export function solveBase(request: Omit<ResolveRequest, "values">, host: TreeHost): SolveBase {
  const { base } = request;
  if (base === "tinyconfig") return { wishes: tinyConfig(request, host) };
  return base === "defconfig" ? { text: readDefconfig(request, host) } : base;
}

/** Adds to each refusal why it is one; the tree has to have the configuration that refuses. */
export function explainRefusals(refusals: readonly Refusal[], tree: KconfigTree): Refusal[] {
  return refusals.map((refusal) => {
    const { symbol, wanted } = refusal;
    try {
      const explanation = explain(tree, symbol, wanted.text);
      const problem = rangeProblem(symbol, wanted.text, tree);
      return problem === undefined ? { ...refusal, explanation } : { ...refusal, problem };
    } catch (error) {
      if (!(error instanceof KconfigError)) throw error;
      return {
        ...refusal,
        problem: error.hint === undefined ? error.message : `${error.message}. ${error.hint}`,
      };
    }
  });
}

// A number that conf has moved into its range looks like one that somebody set.
function rangeProblem(name: string, wanted: string, tree: KconfigTree): string | undefined {
  const { table, evaluator } = engineOf(tree);
  const symbol = table.find(name);
  if (symbol === undefined || isLogic(symbol.type)) return undefined;
  evaluator.calc(symbol);
  const range = evaluator.rangeOf(symbol)?.expr;
  if (symbol.visible === NO || range?.op !== "range" || evaluator.allowsText(symbol, encode(wanted))) {
    return undefined;
  }
  const [low, high] = [range.left, range.right].map((bound) => {
    evaluator.calc(bound);
    return decode(evaluator.text(bound));
  });
  return `${wanted} is out of range: it goes from ${low} to ${high}`;
}

/** Requests as lines that conf reads. */
export function printRequests(requests: readonly Pick<ConfigRequest, "symbol" | "value">[]): string {
  return requests.map(({ symbol, value }) => `${printEntry(symbol, value)}\n`).join("");
}

// The files that `make tinyconfig` merges (kernel/configs/tiny-base.config came with 5.18); all symbols that they
// leave open stay n, where make's second step would give them their defaults.
function tinyConfig({ srctree }: Pick<ResolveRequest, "srctree">, host: TreeHost): string {
  const read = (path: string): string => readText(`${srctree}/${path}`, host) ?? "";
  const tiny = read("kernel/configs/tiny.config");
  if (tiny === "") {
    throw new KconfigError("KCONFIG_HOST", `The tree "${srctree}" has no kernel/configs/tiny.config`, {
      hint: "Is it a kernel source tree?",
    });
  }
  const own = read(`arch/${host.env["SRCARCH"] ?? ""}/configs/tiny.config`);
  return join(read("kernel/configs/tiny-base.config"), tiny, own);
}

function readDefconfig(
  { srctree, defconfig }: Pick<ResolveRequest, "srctree" | "defconfig">,
  host: TreeHost,
): string {
  const { SRCARCH: folder, KBUILD_DEFCONFIG: name } = host.env;
  // scripts/kconfig/Makefile has a default for architectures that name none, whose environment has an empty one.
  const named = name === undefined || name === "" ? "defconfig" : name;
  const path = defconfig ?? `arch/${folder ?? ""}/configs/${named}`;
  const text = readText(`${srctree}/${path}`, host);
  if (text !== undefined) return text;
  throw new KconfigError("KCONFIG_HOST", `The tree "${srctree}" has no ${path}`, {
    hint: "Name the defconfig, or give the variables SRCARCH and KBUILD_DEFCONFIG of the kernel's Makefile",
  });
}

function readText(path: string, host: TreeHost): string | undefined {
  const bytes = host.readFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

function join(...texts: string[]): string {
  return texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`)).join("");
}
