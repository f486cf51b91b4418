/** What would give an option a value: the configuration nearest to this one in which it has it. */
import { isLogic, menusBelow } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { KconfigError } from "../errors.ts";
import { decode } from "../internal/symbol-view.ts";
import { formatUnsolvable } from "../solve/format.ts";
import type { Solved, Unsolvable } from "../solve/solve.ts";
import type { ConfigValue } from "../value.ts";
import { nameOf } from "./model.ts";
import type { MenuModel } from "./model.ts";
import { reach, valuesOf } from "./reach.ts";
import { titleOf } from "./rows.ts";
import { touchedSince } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** One option that would have another value. */
export interface PlannedChange {
  readonly name: string;
  readonly title: string;
  readonly before: string;
  readonly after: string;
  /** It has to be set; what has not follows from what has. */
  readonly set: boolean;
}

export interface Plan {
  readonly symbol: Sym;
  readonly value: string;
  /** The next step, should the user agree. */
  readonly settings: Settings;
  /** What is to be set first, then what follows and has a prompt. */
  readonly changes: readonly PlannedChange[];
}

export type PlanOutcome =
  | { readonly kind: "plan"; readonly plan: Plan }
  | { readonly kind: "none"; readonly text: string };

/** Looks for the fewest changes to the settings; the settings stay as they are. */
export async function planFor(
  model: MenuModel,
  settings: Settings,
  { symbol, value }: { readonly symbol: Sym; readonly value: string },
): Promise<PlanOutcome> {
  const { tree, journal } = model;
  const { solve } = await import("../solve/solve.ts");
  const text = decode(model.configBytes(settings).toString("latin1"));
  const before = valuesOf(model);
  const wanted: ConfigValue = { kind: kindOf(symbol), text: value };
  const request = { symbol: nameOf(symbol), value: wanted, origin: "you", conditions: new Map() };
  // Between two ways the one that leaves alone what the user has just set.
  const own = new Set([...touchedSince(settings)].map(nameOf));
  const weights = (name: string): number => (own.has(name) ? 2 : 1);
  let found: Solved | Unsolvable;
  try {
    found = await journal.lend(async () => await solve(tree, [request], { base: { text }, weights }));
  } catch (error) {
    if (!(error instanceof KconfigError)) throw error;
    return {
      kind: "none",
      text: error.hint === undefined ? error.message : `${error.message}\n${error.hint}`,
    };
  } finally {
    journal.refresh();
  }
  if (found.kind === "unsolvable") return { kind: "none", text: formatUnsolvable(found) };
  const next = reach(model, settings, {
    found,
    wanted: symbol,
    value,
  });
  const after = valuesOf(model);
  const set = new Set(next.changes.filter(({ after }) => after.user.has).map(({ symbol }) => symbol));
  const changed = inMenuOrder(model, before.keys()).filter((one) => after.get(one) !== before.get(one));
  journal.goTo(settings);
  // First what is asked of the user, then what he will see, then what works behind it.
  const rank = (one: Sym): number =>
    set.has(one) ? 0 : one.menus.some(({ prompt }) => prompt !== undefined) ? 1 : 2;
  const changes = [0, 1, 2]
    .flatMap((wanted) => changed.filter((one) => rank(one) === wanted))
    .map((one) => ({
      name: nameOf(one),
      title: titleOf(one),
      before: before.get(one) ?? "",
      after: after.get(one) ?? "",
      set: set.has(one),
    }));
  return { kind: "plan", plan: { symbol, value, settings: next, changes } };
}

function inMenuOrder({ root }: MenuModel, symbols: Iterable<Sym>): readonly Sym[] {
  const left = new Set(symbols);
  const ordered: Sym[] = [];
  for (const { symbol, prompt } of menusBelow(root)) {
    if (symbol === undefined || prompt === undefined || !left.delete(symbol)) continue;
    ordered.push(symbol);
  }
  return [...ordered, ...left];
}

function kindOf({ type }: Sym): ConfigValue["kind"] {
  if (isLogic(type)) return "tristate";
  return type === "string" ? "string" : "number";
}
