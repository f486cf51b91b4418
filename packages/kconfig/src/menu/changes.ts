/** What the user changed, as a fragment. */
import type { LoadedTree } from "../engine/load.ts";
import { NO, isLogic, menusBelow } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { symbolLine } from "../engine/write.ts";
import type { MenuModel } from "./model.ts";
import { sameGiven, touchedSince } from "./settings.ts";
import type { Given, Settings } from "./settings.ts";

/**
 * The lines that make the configuration that was loaded the one of the settings: what was set since and can be seen. What
 * follows from it is left to whoever reads the lines.
 */
export function fragmentBytes(model: MenuModel, settings: Settings): Buffer {
  const { engine, prefix } = model;
  const touched = withChoices(touchedSince(settings), engine);
  model.at(model.journal.loaded);
  const before = new Map(
    engine.symbols
      .filter(({ isChoice, menus }) => !isChoice && menus.length > 0)
      .map((symbol) => [symbol, lookAt(symbol, model)]),
  );
  model.at(settings);
  const lines: string[] = [];
  const seen = new Set<Sym>();
  for (const { symbol } of menusBelow(model.root)) {
    const old = symbol === undefined ? undefined : before.get(symbol);
    if (symbol === undefined || old === undefined || seen.has(symbol)) continue;
    seen.add(symbol);
    const now = lookAt(symbol, model);
    if (symbol.visible === NO) continue;
    const isSet = touched.has(symbol) && (now.value !== old.value || !sameGiven(now.given, old.given));
    if (isSet || isLost(symbol, old, now, model)) {
      lines.push(symbolLine(symbol, engine, { prefix, no: "not set", quote: true }));
    }
  }
  return Buffer.from(lines.join(""), "latin1");
}

interface Look {
  readonly value: string;
  readonly given: Given;
  readonly written: boolean;
}

function lookAt(symbol: Sym, model: MenuModel): Look {
  const value = model.value(symbol);
  return { value, given: { user: symbol.user, chosen: undefined }, written: symbol.write };
}

// Up to Linux 6.8 conf forgets what a file says of options that it hides. What such a one is by its default now, it is not for
// who reads the file and the lines together, and knows that it comes to be seen. A number that has come to be out of its range
// is moved into it here, and is forgotten by who reads it.
function isLost(symbol: Sym, old: Look, now: Look, model: MenuModel): boolean {
  const { unfitValues } = model.engine.dialect;
  if (unfitValues === "keep") return false;
  const { user } = now.given;
  if (user.has) return unfitValues.startsWith("forget") && !isLogic(symbol.type) && symbol.text !== user.text;
  return old.written && old.value !== now.value && model.isChangeable(symbol);
}

// Who is chosen takes it from another. Which mode a tristate choice is in (generation 1) follows from more than its members.
function withChoices(touched: ReadonlySet<Sym>, { symbols }: LoadedTree): ReadonlySet<Sym> {
  const all = new Set(touched);
  for (const { type, values } of symbols) {
    if (type === "tristate") for (const member of values) all.add(member);
  }
  for (const { choice, choiceNode } of touched) {
    for (const member of choice?.values ?? choiceNode?.members ?? []) all.add(member);
  }
  return all;
}
