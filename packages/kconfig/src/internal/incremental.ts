import type { LoadedTree } from "../engine/load.ts";
import { symbolsOf } from "../engine/expr.ts";
import { give, isLogic, menusBelow } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { toTristate } from "../engine/text-value.ts";
import { prioritize } from "../engine/choice-members.ts";
import { isValidText } from "../engine/text-value.ts";
import { KconfigError } from "../errors.ts";

/** Sets single values and makes only what depends on them be worked out anew. */
export class Incremental {
  readonly #engine: LoadedTree;
  #dependents: ReadonlyMap<Sym, readonly Sym[]> | undefined;

  constructor(engine: LoadedTree) {
    this.#engine = engine;
  }

  /** Whether the symbol has the value afterwards; see KconfigTree.set(). */
  set(symbol: Sym, value: string | undefined): boolean {
    const { evaluator, dialect } = this.#engine;
    if (value !== undefined && !isValidText(symbol.type, value)) {
      throw new KconfigError(
        "KCONFIG_VALUE",
        `"${value}" is no value for "${symbol.name ?? ""}", which is ${symbol.type}`,
      );
    }
    if (symbol.type === "bool" && value !== undefined && /^[mM]/.test(value)) {
      throw new KconfigError("KCONFIG_VALUE", `"${symbol.name ?? ""}" is bool and cannot be m`);
    }
    const has = value !== undefined;
    give(symbol, isLogic(symbol.type) ? { has, tri: has ? toTristate(value) : 0 } : { has, text: value });
    if (dialect.choice === "symbol") this.#settleChoice(symbol);
    else if (symbol.choiceNode !== undefined && value !== undefined) prioritize(symbol.choiceNode, symbol);
    this.invalidate(symbol);
    evaluator.calc(symbol);
    if (value === undefined) return true;
    return isLogic(symbol.type) ? symbol.tri === toTristate(value) : symbol.text === value;
  }

  #settleChoice(symbol: Sym): void {
    const { choice } = symbol;
    if (choice === undefined) return;
    if (symbol.user.has && symbol.user.tri === 2) choice.userChosen = symbol;
    else if (choice.userChosen === symbol) choice.userChosen = undefined;
    const has = choice.values.some((member) => member.user.has);
    const some = choice.values.some((member) => member.user.has && member.user.tri === 1) ? 1 : 0;
    give(choice, { has, tri: choice.userChosen === undefined ? some : 2 });
    if (has) for (const member of choice.values) give(member, { has });
  }

  /** Forgets the values of a symbol and of all that can follow from it. */
  invalidate(symbol: Sym): void {
    const { evaluator, modules } = this.#engine;
    this.#dependents ??= dependentsOf(this.#engine);
    const seen = new Set([symbol]);
    const queue = [symbol];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      // Without modules every tristate is a bool.
      if (at === modules) {
        evaluator.forget();
        break;
      }
      // What was visible then decides nothing now; conf, which never goes back, would take it into account.
      at.valid = false;
      at.visible = 0;
      for (const next of this.#dependents.get(at) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        queue.push(next);
      }
    }
    evaluator.forgetExpressions();
    evaluator.calc(modules);
  }
}

function dependentsOf({ symbols, root }: LoadedTree): ReadonlyMap<Sym, readonly Sym[]> {
  const map = new Map<Sym, Sym[]>();
  const add = (from: Sym, to: Sym): void => {
    const list = map.get(from);
    if (list === undefined) map.set(from, [to]);
    else if (list.at(-1) !== to) list.push(to);
  };
  for (const symbol of symbols) {
    const exprs = [symbol.dirDep, symbol.revDep, symbol.implied];
    for (const property of symbol.props) {
      exprs.push(property.condition);
      if (property.kind === "default" || property.kind === "range") exprs.push(property.expr);
    }
    for (const expr of new Set(exprs)) for (const named of symbolsOf(expr)) add(named, symbol);
    if (symbol.choice !== undefined) {
      add(symbol, symbol.choice);
      add(symbol.choice, symbol);
    }
  }
  for (const menu of menusBelow(root)) {
    if (menu.symbol?.isChoice !== true) continue;
    for (const { symbol } of menusBelow(menu)) {
      if (symbol === undefined) continue;
      add(symbol, menu.symbol);
      add(menu.symbol, symbol);
    }
  }
  return map;
}
