/** The shortest configuration that stands for another. */
import type { LoadedTree } from "../engine/load.ts";
import { NOT_GIVEN, give, isLogic, menusBelow } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { symbolLine } from "../engine/write.ts";
import { KconfigError } from "../errors.ts";
import { decode } from "../internal/symbol-view.ts";
import { engineOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";

/**
 * The fewest lines that conf completes to the same `.config` as the given text, which may be a `.config` or a defconfig.
 *
 * A line is needed if its symbol, left alone among the values of all others, would have another value: no line makes up for
 * another, since values follow from values in one direction only; of a choice one line is enough. That is what savedefconfig
 * aims at, which looks at defaults only: it keeps lines that ranges or implies make true, and loses some that are needed.
 * The tree has the configuration afterwards, and the engine has read the lines and made the same of them.
 *
 * @throws KconfigError KCONFIG_SOLVE when the lines do not stand for the configuration, which is a defect.
 * @example
 * ```ts
 * import { loadKconfig, minimize } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n\tdefault y\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * console.log(minimize(tree, "CONFIG_NET=y\nCONFIG_TCP=y\n")); // CONFIG_NET=y
 * ```
 */
export function minimize(tree: KconfigTree, text: string): string {
  const engine = engineOf(tree);
  tree.load(text, { file: ".config" });
  const whole = tree.configText();
  // As whoever reads it again has it.
  tree.load(whole, { file: ".config" });
  const values = snapshot(engine);
  const needed = neededLines(engine);
  for (let round = 0; round < ROUNDS; round++) {
    const lines = linesOf(engine, needed);
    tree.load(lines, { file: "defconfig" });
    if (tree.configText() === whole) return lines;
    // What the values of others do not decide alone.
    const wrong = values.filter(({ symbol, value }) => valueOf(symbol, engine) !== value);
    tree.load(whole, { file: ".config" });
    for (const { symbol } of wrong) if (symbol.visible !== 0) needed.add(symbol);
  }
  throw new KconfigError("KCONFIG_SOLVE", "No lines were found that stand for the configuration", {
    hint: "Please report it, with the configuration and the tree",
  });
}

const ROUNDS = 8;

interface Value {
  readonly symbol: Sym;
  readonly value: string;
}

function snapshot(engine: LoadedTree): readonly Value[] {
  return engine.symbols.flatMap((symbol) =>
    symbol.menus.length === 0 ? [] : [{ symbol, value: valueOf(symbol, engine) }],
  );
}

function valueOf(symbol: Sym, { evaluator }: LoadedTree): string {
  evaluator.calc(symbol);
  return isLogic(symbol.type) ? String(symbol.tri) : (symbol.text ?? "");
}

// The symbols that would have another value if nobody gave it to them.
function neededLines(engine: LoadedTree): Set<Sym> {
  const needed = new Set<Sym>();
  const done = new Set<Sym>();
  for (const symbol of engine.symbols) {
    if (symbol.menus.length === 0 || done.has(symbol)) continue;
    const group = groupOf(symbol, engine);
    for (const one of group) done.add(one);
    if (group.every((one) => one.visible === 0) || staysAlone(group, engine)) continue;
    if (group.length === 1) needed.add(symbol);
    else {
      // Of a choice at y the one that is chosen, of one at m all that are.
      const members = group.filter((one) => !one.isChoice && one.tri !== 0);
      for (const one of members) needed.add(one);
    }
  }
  return needed;
}

function groupOf(symbol: Sym, engine: LoadedTree): readonly Sym[] {
  const { choiceNode } = symbol;
  if (choiceNode !== undefined) return engine.symbols.filter((one) => one.choiceNode === choiceNode);
  const choice = symbol.choice ?? (symbol.isChoice && symbol.values.length > 0 ? symbol : undefined);
  return choice === undefined ? [symbol] : [choice, ...choice.values];
}

function staysAlone(group: readonly Sym[], engine: LoadedTree): boolean {
  const given = group.map((symbol) => ({
    symbol,
    user: symbol.user,
    userChosen: symbol.userChosen,
    value: valueOf(symbol, engine),
  }));
  for (const { symbol } of given) {
    symbol.user = NOT_GIVEN;
    symbol.userChosen = undefined;
    // A choice always has a value (generation 1).
    if (symbol.isChoice && engine.dialect.choice === "symbol") give(symbol, { has: true });
  }
  forget(group, engine);
  const same = given.every(({ symbol, value }) => valueOf(symbol, engine) === value);
  for (const { symbol, user, userChosen } of given) {
    symbol.user = user;
    symbol.userChosen = userChosen;
  }
  forget(group, engine);
  for (const symbol of group) engine.evaluator.calc(symbol);
  return same;
}

function forget(group: readonly Sym[], { evaluator }: LoadedTree): void {
  for (const symbol of group) symbol.valid = false;
  evaluator.forgetExpressions();
}

function linesOf(engine: LoadedTree, needed: ReadonlySet<Sym>): string {
  const style = { prefix: engine.dialect.prefix, no: "not set", quote: true } as const;
  const written = new Set<Sym>();
  let text = "";
  for (const { symbol } of menusBelow(engine.root)) {
    if (symbol === undefined || !needed.has(symbol) || written.has(symbol)) continue;
    written.add(symbol);
    engine.evaluator.calc(symbol);
    text += symbolLine(symbol, engine, style);
  }
  return decode(text);
}
