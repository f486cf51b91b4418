/** What keys do in a menu. */
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { Menu, Sym, Tristate } from "../engine/model.ts";
import { inputOf } from "./input-line.ts";
import type { Key } from "./key.ts";
import { layoutOf } from "./layout.ts";
import type { MenuModel } from "./model.ts";
import { nameOf } from "./model.ts";
import { KEYS, helpPage, whyPage } from "./pages.ts";
import { rowsOf } from "./rows.ts";
import type { Row } from "./rows.ts";
import type { Settings } from "./settings.ts";
import { openPlace, withDialog } from "./state.ts";
import type { State, Step } from "./state.ts";

const TRISTATES: Readonly<Record<string, Tristate>> = { n: NO, m: MOD, y: YES };

export function browse(model: MenuModel, state: State, key: Key): Step {
  const place = openPlace(state);
  const rows = rowsOf(place.menu, model, state);
  const row = rows[place.index];
  const { list } = layoutOf(state.size);
  const move = (to: number): Step => ({ state: withCursor(state, rows, to) });
  switch (key) {
    case "up":
    case "k":
      return move(place.index - 1);
    case "down":
    case "j":
      return move(place.index + 1);
    case "pageup":
      return move(place.index - list);
    case "pagedown":
      return move(place.index + list);
    case "home":
      return move(0);
    case "end":
      return move(rows.length - 1);
    case "right":
    case "l":
      return { state: row === undefined ? state : open(state, row) };
    case "return":
      return { state: row === undefined ? state : enter(model, state, row) };
    case "left":
    case "escape":
    case "backspace":
      if (state.path.length > 1) return { state: { ...state, path: state.path.slice(0, -1) } };
      return key === "escape" ? quit(model, state, 0) : { state };
    case " ":
      return { state: row === undefined ? state : toggle(model, state, row) };
    case "y":
    case "m":
    case "n":
      return { state: row === undefined ? state : setTo(model, state, row, TRISTATES[key] ?? NO) };
    case "/":
      return {
        state: withDialog(state, { kind: "search", input: inputOf(""), found: [], index: 0, top: 0 }),
      };
    case "?":
    case "h":
      return { state: withDialog(state, { kind: "page", page: helpOf(model, row), top: 0 }) };
    case "w":
      if (row === undefined) return { state };
      return { state: withDialog(state, { kind: "page", page: whyPage(row.node, model), top: 0 }) };
    case "e":
      return want(model, state, row?.node);
    case "z":
      return {
        state: {
          ...state,
          showHidden: !state.showHidden,
          message: state.showHidden ? "Hidden options are hidden" : "Hidden options are shown",
        },
      };
    case "u":
      return { state: undo(state) };
    case "r":
    case "C-r":
      return { state: redo(state) };
    case "s":
      return { state: save(state, "config", state.file) };
    case "f":
      return { state: save(state, "fragment", "changes.config") };
    case "q":
      return quit(model, state, 0);
    case "C-c":
      return quit(model, state, 130);
    default:
      return { state };
  }
}

function helpOf(model: MenuModel, row: Row | undefined): typeof KEYS {
  const page = row === undefined ? { title: KEYS.title, lines: [] } : helpPage(row.node, model);
  return { title: page.title, lines: [...page.lines, "", "Keys:", ...KEYS.lines.map((line) => `  ${line}`)] };
}

function withCursor(state: State, rows: readonly Row[], to: number): State {
  const place = openPlace(state);
  const index = Math.max(0, Math.min(to, rows.length - 1));
  return { ...state, path: [...state.path.slice(0, -1), { ...place, index, node: rows[index]?.node }] };
}

function open(state: State, { node, opens, empty }: Row): State {
  if (!opens) return state;
  if (empty) return { ...state, message: "There is nothing in it to see; z shows what is hidden" };
  return { ...state, path: [...state.path, { menu: node, node: undefined, index: 0, top: 0 }] };
}

function enter(model: MenuModel, state: State, row: Row): State {
  const { symbol } = row.node;
  // A menu whose switch is off has nothing to see: the switch is what Enter is for.
  if (row.opens && !(row.empty && symbol !== undefined && !symbol.isChoice)) return open(state, row);
  return toggle(model, state, row);
}

/** The next value that can be set, and after the last the first; a number or string is typed. */
function toggle(model: MenuModel, state: State, row: Row): State {
  const { symbol } = row.node;
  if (symbol === undefined) return open(state, row);
  if (!isLogic(symbol.type)) {
    if (model.visibility(symbol) === NO) return refused(model, state, symbol);
    const input = inputOf(model.value(symbol));
    return withDialog(state, { kind: "text", purpose: "set", symbol, input, problem: undefined });
  }
  const options = model.options(symbol);
  if (options.length === 0) return symbol.isChoice ? open(state, row) : refused(model, state, symbol);
  const next = options.find((tri) => tri > symbol.tri) ?? options[0] ?? NO;
  return taken(state, model.setLogic(symbol, next));
}

function setTo(model: MenuModel, state: State, { node }: Row, tri: Tristate): State {
  const { symbol } = node;
  if (symbol === undefined || !isLogic(symbol.type)) return state;
  if (model.options(symbol).includes(tri)) return taken(state, model.setLogic(symbol, tri));
  if (symbol.tri === tri) return state;
  return refused(model, state, symbol, tri);
}

/** The state with the next settings; what was undone is gone. */
export function taken(state: State, settings: Settings): State {
  return settings === state.settings ? state : { ...state, settings, undone: [] };
}

function refused(model: MenuModel, state: State, symbol: Sym, tri?: Tristate): State {
  const name = nameOf(symbol);
  const ask = "w says why";
  const message = (text: string): State => ({ ...state, message: text });
  if (symbol.isChoice) return message("Enter opens the choice");
  if (model.visibility(symbol) === NO)
    return message(`${name} cannot be set here: ${ask}, e what would enable it`);
  if (model.isMember(symbol)) return message("Of a choice another one is chosen instead");
  if (tri === MOD && model.engine.evaluator.typeOf(symbol) === "bool") return message(`${name} is y or n`);
  if (tri !== undefined && tri < symbol.revTri) return message(`${name} is selected: ${ask}`);
  if (tri !== undefined && tri > symbol.visible)
    return message(`${name} can be m at most: ${ask}, e what would make it y`);
  return message(`${name} cannot be changed: ${ask}`);
}

// What would make an option y, or give it the value that is then typed.
function want(model: MenuModel, state: State, node: Menu | undefined): Step {
  const symbol = node?.symbol;
  if (symbol === undefined || symbol.isChoice || symbol.name === undefined) {
    return { state: { ...state, message: "That is for options" } };
  }
  if (isLogic(symbol.type)) {
    const value = model.value(symbol);
    if (value === "y") return { state: { ...state, message: `${nameOf(symbol)} is y already` } };
    return solving(state, symbol, "y");
  }
  const input = inputOf(model.value(symbol));
  return { state: withDialog(state, { kind: "text", purpose: "want", symbol, input, problem: undefined }) };
}

/** Asks for a plan, and says so meanwhile. */
export function solving(state: State, symbol: Sym, value: string): Step {
  return {
    state: withDialog(state, { kind: "solving", symbol, value }),
    effect: { kind: "plan", symbol, value },
  };
}

function undo(state: State): State {
  const { settings, undone } = state;
  if (settings.previous === undefined) return { ...state, message: "There is nothing to undo" };
  const message = `Undone: ${settings.label}`;
  return { ...state, settings: settings.previous, undone: [...undone, settings], message };
}

function redo(state: State): State {
  const settings = state.undone.at(-1);
  if (settings === undefined) return { ...state, message: "Nothing was undone" };
  return { ...state, settings, undone: state.undone.slice(0, -1), message: `Done again: ${settings.label}` };
}

function save(state: State, what: "config" | "fragment", file: string): State {
  return withDialog(state, { kind: "save", what, input: inputOf(file), exists: false, thenQuit: false });
}

function quit(model: MenuModel, state: State, status: number): Step {
  if (model.isSame(state.settings, state.saved)) return { state, effect: { kind: "quit", status } };
  return { state: withDialog(state, { kind: "quit" }) };
}
