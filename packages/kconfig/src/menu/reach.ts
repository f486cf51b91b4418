/** From a configuration that was found to steps that lead there: what the user would have to set. */
import { NO, isLogic } from "../engine/model.ts";
import type { Sym, Tristate } from "../engine/model.ts";
import { isValidText } from "../engine/text-value.ts";
import { encode } from "../internal/symbol-view.ts";
import type { Solved } from "../solve/solve.ts";
import { nameOf } from "./model.ts";
import type { MenuModel } from "./model.ts";
import type { Given, Settings } from "./settings.ts";

// So many times all that differs is set: what is set makes more visible.
const ROUNDS = 20;

// Of more settings than this it is not tried which of them are needed: each takes some milliseconds.
const TRIED = 100;

interface Target {
  readonly symbol: Sym;
  readonly text: string;
}

/** The values of all symbols now. */
export function valuesOf(model: MenuModel): ReadonlyMap<Sym, string> {
  return new Map(
    [...model.engine.table.named()]
      .filter((symbol) => symbol.menus.length > 0 && !symbol.isChoice)
      .map((symbol) => [symbol, model.value(symbol)]),
  );
}

/**
 * The next step after `from`, with which `has` holds. What `.config` did not name and comes to be seen gets its default, as it
 * would from conf, where the solver, which looks for the fewest changes, leaves it off: a mitigation, say, of what is turned
 * on. Numbers and strings are left to the tree, unless that turns something off: to the solver a number that is no longer in
 * its range may be any other. Where that does not do, all is as it was found.
 */
export function reach(
  model: MenuModel,
  from: Settings,
  { found, wanted, value }: { readonly found: Solved; readonly wanted: Sym; readonly value: string },
): Settings {
  const label = `${nameOf(wanted)}=${value} and what it takes`;
  const has = (): boolean => model.value(wanted) === value;
  const { journal, engine, tree } = model;
  journal.goTo(from);
  const before = valuesOf(model);
  const all = [...before.keys()].flatMap((symbol): readonly Target[] => {
    const value = found.config.values.get(nameOf(symbol));
    const prompted = symbol.props.some(({ text }) => text !== undefined);
    if (!prompted || (value === undefined && !isLogic(symbol.type))) return [];
    return [{ symbol, text: value?.text ?? "n" }];
  });
  const needed = all.filter(
    ({ symbol, text }) => symbol.visible !== NO || symbol.write || before.get(symbol) !== text,
  );
  const options = needed.filter(({ symbol }) => isLogic(symbol.type) || symbol === wanted);
  const without = journal.record(label, () => setAll(options, model));
  // What would stay on as it was found.
  const stays = ({ symbol, text }: Target): boolean =>
    text === "n" || before.get(symbol) !== text || model.value(symbol) === text;
  if (has() && options.every(stays)) return without;
  journal.goTo(from);
  const nearly = journal.record(label, () => setAll(needed, model));
  if (has()) return nearly;
  journal.goTo(from);
  const exactly = journal.record(label, () => setAll(all, model));
  if (model.configBytes(exactly).equals(Buffer.from(encode(found.text), "latin1"))) return exactly;
  journal.goTo(from);
  const whole = journal.record(label, () => tree.load(found.text));
  engine.evaluator.calc(engine.modules);
  return whole;
}

// Sets what differs, one after the other and as long as something does, so that what the user had given stays and is little.
function setAll(targets: readonly Target[], model: MenuModel): void {
  const set = new Map<Sym, Given>();
  for (let round = 0, more = true; more && round < ROUNDS; round++) {
    more = false;
    for (const { symbol, text } of targets) {
      if (model.value(symbol) === text || !canTake(model, symbol, text)) continue;
      if (!set.has(symbol)) set.set(symbol, { user: symbol.user, chosen: symbol.userChosen });
      model.force(symbol, text);
      more = true;
    }
  }
  if (set.size <= TRIED) takeBack(set, model);
}

// What was set before that which selects it need not have been.
function takeBack(set: ReadonlyMap<Sym, Given>, model: MenuModel): void {
  const reached = valuesOf(model);
  for (const [symbol, before] of set) {
    // A choice has its members' values together.
    if (symbol.isMember || symbol.choiceNode !== undefined || symbol.isChoice) continue;
    const { user } = symbol;
    model.give(symbol, before.user);
    if ([...valuesOf(model)].some(([one, value]) => reached.get(one) !== value)) model.give(symbol, user);
  }
}

function canTake(model: MenuModel, symbol: Sym, text: string): boolean {
  if (!isLogic(symbol.type)) {
    return model.visibility(symbol) !== 0 && isValidText(symbol.type, encode(text));
  }
  const tri: Tristate = text === "y" ? 2 : text === "m" ? 1 : 0;
  return model.options(symbol).includes(tri);
}
