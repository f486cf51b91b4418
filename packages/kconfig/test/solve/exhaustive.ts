/** Small generated trees of which all configurations are known: what is solved is the least of those that meet it. */
import { loadKconfig, minimize, solve, valueOf } from "../../src/index.ts";
import type { ConfigRequest, KconfigTree } from "../../src/index.ts";
import { isLogic } from "../../src/engine/model.ts";
import type { Sym } from "../../src/engine/model.ts";
import { symbolsOf } from "../../src/engine/expr.ts";
import { isValidText } from "../../src/engine/text-value.ts";
import { landmarksIn } from "../../src/solve/landmarks.ts";
import { engineOf } from "../../src/tree.ts";
import { generateTree } from "../fuzz/generate.ts";
import { ENVIRONMENT } from "../fuzz/macros.ts";
import { Random, caseSeed } from "../fuzz/random.ts";

/** What came of a tree: why it was passed over, or what is wrong. */
export interface ExhaustedTree {
  readonly skipped: string | undefined;
  readonly solved: number;
  readonly unsolvable: number;
  readonly faults: readonly string[];
  readonly files: Readonly<Record<string, readonly string[]>>;
}

// Trees with more combinations than this take too long.
const MOST = 1500;
const QUESTIONS = 6;

export async function exhaust(seed: number, index: number, generation: 1 | 2 | 3): Promise<ExhaustedTree> {
  const random = new Random(caseSeed(seed, index));
  const { files } = generateTree(random, generation);
  const result = { solved: 0, unsolvable: 0, faults: [] as string[], files };
  let tree: KconfigTree;
  try {
    tree = await loadKconfig({
      srctree: "/t",
      generation,
      host: {
        env: ENVIRONMENT,
        shell: () => "",
        readFile: (path) => {
          const lines = files[path.replace(/^\/t\//, "")];
          return lines === undefined ? undefined : new TextEncoder().encode(`${lines.join("\n")}\n`);
        },
      },
    });
  } catch {
    return { ...result, skipped: "it is wrong" };
  }
  if (tree.diagnostics.length > 0) return { ...result, skipped: "it has warnings" };
  const options = engineOf(tree)
    .symbols.filter(
      (symbol) =>
        symbol.menus.length > 0 &&
        !symbol.isChoice &&
        symbol.type !== "unknown" &&
        tree.names.includes(symbol.name ?? ""),
    )
    .map((symbol) => ({ symbol, name: symbol.name ?? "", texts: valuesOf(symbol, engineOf(tree).symbols) }));
  const settable = options.filter(({ symbol }) => symbol.props.some(({ text }) => text !== undefined));
  if (settable.reduce((all, { texts }) => all * texts.length, 1) > MOST)
    return { ...result, skipped: "it is big" };
  if (engineOf(tree).symbols.some((symbol) => symbol.isMember && !isLogic(symbol.type))) {
    return { ...result, skipped: "it has numbers in a choice" };
  }
  const { values } = landmarksIn(engineOf(tree), []);
  const wordy = [...values].some(
    ([{ type }, own]) =>
      type !== "string" && [...own.keys()].some((key) => key.startsWith('"') && key !== '"'),
  );
  if (wordy) return { ...result, skipped: "it takes words for numbers" };
  if (engineOf(tree).modules.type === "tristate" && !engineOf(tree).modules.constant)
    return { ...result, skipped: "MODULES can be m" };
  const all = configurations(tree, settable, options);
  if (all.length === 0) return { ...result, skipped: "conf changes whatever it is given" };
  const weightOf = (name: string): number =>
    isLogic(options.find((one) => one.name === name)?.symbol.type ?? "int") ? 1 : 0;
  for (let question = 0; question < QUESTIONS; question++) {
    const asked = ask(options, random);
    const meeting = all.filter(({ values }) =>
      asked.every(({ symbol, value }) => values.get(symbol) === value.text),
    );
    const told = asked.map(({ symbol, value }) => `${symbol}=${value.text}`).join(" ");
    try {
      const found = await solve(tree, asked, { weights: weightOf });
      if (found.kind === "unsolvable") {
        result.unsolvable++;
        if (meeting.length > 0) result.faults.push(`${told}: met by\n${meeting[0]?.text ?? ""}`);
        continue;
      }
      result.solved++;
      // Infinite where only values that were not tried meet it: what is solved has been read by the engine.
      const least = Math.min(...meeting.map(({ on }) => on));
      if (found.weight > least || found.bound > least || found.bound < found.weight) {
        result.faults.push(
          `${told}: weighs ${found.weight}, at least ${found.bound}, but the least is ${least}`,
        );
      }
    } catch (error) {
      // A number whose default is none.
      if (String(error).includes("Cannot understand")) continue;
      result.faults.push(`${told}: ${String(error)}`);
    }
  }
  const some = random.pick(all);
  if (some !== undefined) result.faults.push(...shortest(tree, some.text));
  return { ...result, skipped: undefined };
}

interface Option {
  readonly symbol: Sym;
  readonly name: string;
  /** Values to try, as lines have them. */
  readonly texts: readonly string[];
}

interface Known {
  readonly text: string;
  readonly values: ReadonlyMap<string, string>;
  readonly on: number;
}

function valuesOf(symbol: Sym, all: readonly Sym[]): readonly string[] {
  if (symbol.type === "bool") return ["n", "y"];
  if (symbol.type === "tristate") return ["n", "m", "y"];
  const named = new Set<string>();
  for (const one of all) {
    for (const property of one.props) {
      for (const value of [...symbolsOf(property.expr), ...symbolsOf(property.condition)]) {
        if (value.menus.length === 0 && isValidText(symbol.type, value.name ?? ""))
          named.add(value.name ?? "");
      }
    }
  }
  if (symbol.type === "string") return [...named, "any"].map((text) => `"${text}"`);
  return [...named, symbol.type === "hex" ? "0x33" : "33"];
}

// Every configuration that conf leaves as it is.
function configurations(
  tree: KconfigTree,
  settable: readonly Option[],
  options: readonly Option[],
): readonly Known[] {
  const found = new Map<string, Known>();
  const choose = (lines: string, rest: readonly Option[]): void => {
    const [one, ...others] = rest;
    if (one !== undefined) {
      for (const text of one.texts) choose(`${lines}CONFIG_${one.name}=${text}\n`, others);
      return;
    }
    tree.load(lines);
    const text = tree.configText();
    if (found.has(text)) return;
    tree.load(text);
    if (tree.configText() !== text) return;
    const values = new Map(
      options.flatMap(({ symbol, name }) =>
        isLogic(symbol.type) || symbol.write ? [[name, tree.value(name) ?? ""] as const] : [],
      ),
    );
    const on = options.filter(({ symbol, name }) => isLogic(symbol.type) && values.get(name) !== "n").length;
    found.set(text, { text, values, on });
  };
  choose("", settable);
  return [...found.values()];
}

function ask(options: readonly Option[], random: Random): readonly ConfigRequest[] {
  const drawn = new Map<string, ConfigRequest>();
  for (let left = random.from(1, 3); left > 0; left--) {
    const { name, texts } = random.pick(options);
    if (texts.length === 0) continue;
    drawn.set(name, {
      symbol: name,
      value: valueOf(random.pick(texts)),
      origin: "test",
      conditions: new Map(),
    });
  }
  return [...drawn.values()];
}

// No part of the lines that are written, and no fewer of those of the configuration, stand for it.
function shortest(tree: KconfigTree, text: string): readonly string[] {
  let lines: readonly string[];
  try {
    lines = minimize(tree, text)
      .split("\n")
      .filter((line) => line !== "");
  } catch (error) {
    return [`minimize: ${String(error)}\n${text}`];
  }
  tree.load(text);
  const saved = tree.defconfigText();
  const count = saved.split("\n").filter((line) => line !== "").length;
  const faults: string[] = [];
  tree.load(saved);
  if (tree.configText() === text && count < lines.length)
    faults.push(`savedefconfig has ${count} lines, minimize ${lines.length}\n${text}`);
  const own = text.split("\n").filter((line) => line.includes("CONFIG_"));
  if (own.length > 10) return faults;
  for (let mask = 0; mask < 1 << own.length; mask++) {
    const part = own.filter((_, bit) => (mask & (1 << bit)) !== 0);
    if (part.length >= lines.length) continue;
    tree.load(`${part.join("\n")}\n`);
    if (tree.configText() === text)
      faults.push(`${part.join(" ")} is shorter than ${lines.join(" ")}\n${text}`);
  }
  return faults.slice(0, 1);
}
