import { exprText } from "./engine/expr.ts";
import type { Expr } from "./engine/expr.ts";
import type { LoadedTree } from "./engine/load.ts";
import { isLogic } from "./engine/model.ts";
import type { Sym } from "./engine/model.ts";
import { isValidText } from "./engine/text-value.ts";
import { KconfigError } from "./errors.ts";
import type { Location } from "./errors.ts";
import { fulfils, isUp } from "./explain/costs.ts";
import type { Goal, Need } from "./explain/costs.ts";
import { planFor } from "./explain/plan.ts";
import type { Setting } from "./explain/plan.ts";
import { nearest } from "./internal/nearest.ts";
import { decode, operands, originOf } from "./internal/symbol-view.ts";
import { engineOf, incrementalOf } from "./tree.ts";
import type { KconfigTree, ValueOrigin } from "./tree.ts";

/** A condition that does not hold, and why. */
export interface UnmetCondition {
  /** As the Kconfig files have it, such as `NET` or `SND!=n`. */
  readonly condition: string;
  /** The symbol that it is about, with its value now. */
  readonly symbol: string;
  readonly actual: string;
  readonly location: Location | undefined;
  /** Why its symbol has that value, in a sentence. */
  readonly reason: string;
}

/** A value to give to a symbol. */
export interface RequiredSetting {
  readonly symbol: string;
  readonly value: string;
  /** False when no user can set it here, as an architecture's own symbol: it has to be taken for granted. */
  readonly settable: boolean;
  readonly prompt: string | undefined;
  readonly location: Location | undefined;
  readonly reason: string;
}

/** Why a symbol has its value, and what stands between it and another. */
export interface Explanation {
  readonly symbol: string;
  readonly value: string;
  readonly origin: ValueOrigin;
  /** How the value came about, in a sentence. */
  readonly because: string;
  readonly wanted: string | undefined;
  /** Whether the wanted value could be set at once. */
  readonly allowed: boolean;
  /** Conditions of the symbol itself that do not hold. */
  readonly unmet: readonly UnmetCondition[];
  /**
   * The settings, all of them needed, with which the wanted value can be set; undefined when no way was found. Each
   * was tried: with all of them it can be set, with any one left out it cannot.
   */
  readonly requires: readonly RequiredSetting[] | undefined;
  /** The value that `requires` is for: the wanted one, or m for what cannot be y whatever is set. */
  readonly reaches: string | undefined;
}

/**
 * Explains the value of a symbol; with `wanted`, what refuses that value and what would allow it. The tree's values stay
 * as they are.
 *
 * @throws KconfigError KCONFIG_VALUE for a symbol that does not exist or a value that its type does not have.
 * @example
 * ```ts
 * import { explain, formatExplanation, loadKconfig } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * console.log(formatExplanation(explain(tree, "TCP", "y")));
 * ```
 */
export function explain(tree: KconfigTree, name: string, wanted?: string): Explanation {
  const engine = engineOf(tree);
  const symbol = engine.table.find(name);
  if (symbol === undefined || symbol.menus.length === 0) {
    const near = nearest(name, tree.names);
    throw new KconfigError("KCONFIG_VALUE", `There is no symbol "${name}"`, {
      hint: near === undefined ? undefined : `Did you mean "${near}"?`,
    });
  }
  const target = wanted ?? (symbol.visible === 0 ? strongest(symbol) : undefined);
  if (
    target !== undefined &&
    (!isValidText(symbol.type, target) || (symbol.type === "bool" && target === "m"))
  ) {
    throw new KconfigError("KCONFIG_VALUE", `"${target}" is no value for "${name}", which is ${symbol.type}`);
  }
  const { evaluator } = engine;
  for (const one of engine.symbols) evaluator.calc(one);
  const origin = originOf(symbol, engine);
  const base = {
    symbol: name,
    value: decode(evaluator.text(symbol)),
    origin,
    because: because(symbol, engine),
    wanted,
    reaches: target,
  };
  if (target === undefined) return { ...base, allowed: true, unmet: [], requires: [] };
  if (canHave(symbol, target, engine)) return { ...base, allowed: true, unmet: [], requires: [] };
  const needs = needsOf(symbol, target, engine);
  const plan = (value: string): readonly Setting[] | undefined =>
    planFor(
      needsOf(symbol, value, engine),
      () => canHave(symbol, value, engine),
      engine,
      incrementalOf(tree),
    );
  let settings = plan(target);
  let reaches = target;
  // What depends on m cannot be y, whatever is set.
  if (settings === undefined && target === "y" && symbol.type === "tristate") {
    settings = plan("m");
    if (settings !== undefined) reaches = "m";
  }
  for (const one of engine.symbols) evaluator.calc(one);
  return {
    ...base,
    reaches,
    allowed: false,
    unmet: needs.flatMap((need) => ("expr" in need ? unmetIn(need.expr, need.goal, engine) : [])),
    requires: settings?.map((setting) => ({
      symbol: setting.symbol.name ?? "",
      value: setting.value,
      settable: !setting.assumed,
      prompt: promptOf(setting.symbol),
      location: locationOf(setting.symbol),
      reason: because(setting.symbol, engine),
    })),
  };
}

function strongest(symbol: Sym): string | undefined {
  return isLogic(symbol.type) ? "y" : undefined;
}

/** Whether the user could set the value now, or the symbol has it. */
export function canHave(symbol: Sym, value: string, engine: LoadedTree): boolean {
  const { evaluator } = engine;
  evaluator.calc(symbol);
  if (!isLogic(symbol.type)) return symbol.visible !== 0 && evaluator.allowsText(symbol, value);
  const tri = value === "y" ? 2 : value === "m" ? 1 : 0;
  return symbol.tri === tri || evaluator.allows(symbol, tri);
}

function needsOf(symbol: Sym, value: string, engine: LoadedTree): readonly Need[] {
  const { evaluator, pool } = engine;
  if (value === "n") {
    const needs: Need[] = symbol.revDep === undefined ? [] : [{ expr: symbol.revDep, goal: "n-" }];
    if (symbol.visible === 0) needs.push({ expr: pool.symbol(symbol), goal: "n-" });
    return needs;
  }
  const goal: Goal = value === "y" && evaluator.typeOf(symbol) === "tristate" ? "y+" : "m+";
  const prompts = symbol.props.filter((property) => property.text !== undefined);
  let visible: Expr | undefined;
  for (const { condition } of prompts) if (condition !== undefined) visible = pool.or(visible, condition);
  // Nothing is m without modules.
  const { modules } = engine;
  const needs: Need[] =
    value === "m" && modules.tri === 0 ? [{ expr: pool.symbol(modules), goal: "m+" }] : [];
  if (prompts.length === 0) needs.push({ expr: pool.symbol(symbol), goal: value === "m" ? "m+" : "y+" });
  else if (visible !== undefined) needs.push({ expr: visible, goal });
  return needs;
}

// The operands that do not hold; of alternatives all are told.
function unmetIn(expr: Expr, goal: Goal, engine: LoadedTree): readonly UnmetCondition[] {
  const { evaluator } = engine;
  if (fulfils(evaluator.expr(expr), goal)) return [];
  if ((expr.op === "&&" && isUp(goal)) || (expr.op === "||" && !isUp(goal))) {
    return [...unmetIn(expr.left, goal, engine), ...unmetIn(expr.right, goal, engine)];
  }
  const symbol = firstSymbol(expr);
  return [
    {
      condition: isUp(goal) ? exprText(expr) : `!(${exprText(expr)})`,
      symbol: symbol?.name ?? "",
      actual: symbol === undefined ? "" : decode(evaluator.text(symbol)),
      location: symbol === undefined ? undefined : locationOf(symbol),
      reason: symbol === undefined ? "" : because(symbol, engine),
    },
  ];
}

function firstSymbol(expr: Expr): Sym | undefined {
  if (expr.op === "!" || expr.op === "&&" || expr.op === "||") return firstSymbol(expr.left);
  return expr.left.constant ? undefined : expr.left;
}

/** A sentence on why a symbol has its value; all values have to be up to date. */
export function because(symbol: Sym, engine: LoadedTree): string {
  const { evaluator } = engine;
  const name = symbol.name ?? "the choice";
  if (symbol.menus.length === 0) return `${name} is defined nowhere in this tree`;
  const origin = originOf(symbol, engine);
  const value = decode(evaluator.text(symbol));
  switch (origin.kind) {
    case "user":
      return `${name} is ${value} because the user set it`;
    case "select":
      return `${name} is ${value} because it is selected by ${list(origin.by)}`;
    case "imply":
      return `${name} is ${value} because it is implied by ${list(origin.by)}`;
    case "range":
      return `${name} is ${value}, moved into its range`;
    case "choice":
      return choiceSentence(symbol, value);
    case "default": {
      const source = evaluator.defaultOf(symbol);
      return `${name} is ${value} by its default at ${source?.file ?? ""}:${source?.line ?? 0}`;
    }
    default: {
      if (symbol.visible !== 0) return `${name} is ${value}: nothing sets it, and it has no default`;
      const selectors = operands(symbol.revDep);
      const by =
        selectors.length === 0
          ? "nothing selects it"
          : `none of the ${selectors.length} that select it is on`;
      const seen = symbol.props.some((property) => property.text !== undefined)
        ? "it cannot be seen"
        : "it has no prompt";
      return `${name} is ${value}: ${seen}, and ${by}`;
    }
  }
}

function choiceSentence(symbol: Sym, value: string): string {
  const node = symbol.choiceNode ?? symbol.choice?.menus[0];
  const title = decode(node?.prompt?.text ?? "the choice");
  const members = symbol.choiceNode?.members ?? symbol.choice?.values ?? [];
  const holder = members.find((member) => member.tri === 2);
  if (symbol.tri !== 0) return `${symbol.name ?? ""} is ${value}: it is the one chosen in "${title}"`;
  if (symbol.visible === 0) return `${symbol.name ?? ""} is n: it cannot be seen in the choice "${title}"`;
  if (holder === undefined) return `${symbol.name ?? ""} is n: nothing is chosen in "${title}"`;
  const how = holder.user.has && holder.user.tri === 2 ? "the user chose it" : "it is the default";
  return `${symbol.name ?? ""} is n: "${title}" is held by ${holder.name ?? ""} (${how})`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function promptOf(symbol: Sym): string | undefined {
  const text = symbol.menus.find(({ prompt }) => prompt !== undefined)?.prompt?.text;
  return text === undefined ? undefined : decode(text);
}

/** Where a symbol is defined, with its prompt if it has one. */
export function locationOf(symbol: Sym): Location | undefined {
  const menu = symbol.menus.find(({ prompt }) => prompt !== undefined) ?? symbol.menus[0];
  return menu === undefined ? undefined : { file: menu.file, line: menu.line, column: 1 };
}

/** An explanation as lines for a terminal. */
export function formatExplanation(explanation: Explanation): string {
  const { because: reason, wanted, unmet, requires, reaches, allowed, symbol } = explanation;
  const lines = [reason];
  if (wanted !== undefined && allowed) lines.push(`${symbol}=${wanted} can be set`);
  if (unmet.length > 0) {
    lines.push("", "not met:");
    for (const one of unmet) lines.push(`  ${one.condition}  (${one.reason}${place(one.location)})`);
  }
  if (!allowed && requires === undefined)
    lines.push("", `no settings were found that allow ${symbol}=${wanted ?? "y"}`);
  if (!allowed && requires !== undefined) {
    const most = wanted !== undefined && reaches !== wanted ? `${symbol} can be ${reaches} at most. ` : "";
    lines.push("", `${most}${symbol}=${reaches} needs, first to last:`);
    for (const one of requires) {
      const title = one.prompt === undefined ? "" : `  "${one.prompt}"`;
      const note = one.settable ? "" : "  (cannot be set here)";
      lines.push(`  ${one.symbol}=${one.value}${title}${place(one.location)}${note}`);
    }
  }
  return lines.join("\n");
}

function place(location: Location | undefined): string {
  return location === undefined ? "" : `, ${location.file}:${location.line}`;
}
