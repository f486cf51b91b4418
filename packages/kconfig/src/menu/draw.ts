/** A state as lines for a terminal. */
import { NO } from "../engine/model.ts";
import type { Menu, Sym } from "../engine/model.ts";
import { decode } from "../internal/symbol-view.ts";
import { drawDialog } from "./draw-dialogs.ts";
import { lineOf } from "./frame.ts";
import type { Frame, Line } from "./frame.ts";
import { layoutOf } from "./layout.ts";
import type { MenuModel } from "./model.ts";
import { nameOf } from "./model.ts";
import { printable, widthOf } from "./printable.ts";
import { rowsOf } from "./rows.ts";
import type { Row } from "./rows.ts";
import { openPlace } from "./state.ts";
import type { State } from "./state.ts";

const HINT = "? help  / search  y m n Space set  w why  e enable  z hidden  u undo  s save  q quit";

/** As many lines as the terminal has rows, none wider than it. */
export function draw(model: MenuModel, state: State): Frame {
  model.at(state.settings);
  const dialog = state.dialogs.at(-1);
  const over = dialog === undefined ? undefined : drawDialog(model, state, dialog);
  if (over !== undefined && over.lines.length >= state.size.rows) return over;
  const menu = drawMenu(model, state);
  if (over === undefined) return { lines: menu };
  // A question stands in the last rows.
  const kept = menu.slice(0, menu.length - over.lines.length);
  const cursor = over.cursor && { ...over.cursor, row: over.cursor.row + kept.length };
  return { lines: [...kept, ...over.lines], cursor };
}

function drawMenu(model: MenuModel, state: State): readonly Line[] {
  const { size } = state;
  const { columns } = size;
  const layout = layoutOf(size);
  const place = openPlace(state);
  const rows = rowsOf(place.menu, model, state);
  const lines: Line[] = [];
  if (layout.title > 0) {
    const mark = state.settings === state.saved ? "" : " (changed)";
    lines.push(lineOf(columns, [` ${model.tree.title} - ${state.file}${mark}`, "reverse"], "fill"));
  }
  if (layout.path > 0) {
    const path = state.path.slice(1).map(({ menu }) => decode(menu.prompt?.text ?? ""));
    lines.push(lineOf(columns, [pathText(path, columns), "bold"]));
  }
  for (let line = 0; line < layout.list; line++) {
    const index = place.top + line;
    const row = rows[index];
    if (row !== undefined) lines.push(drawRow(row, index === place.index, columns));
    else
      lines.push(lineOf(columns, [rows.length === 0 && line === 0 ? " Nothing is shown here" : "", "dim"]));
  }
  if (layout.about > 0) {
    const row = rows[place.index];
    lines.push(lineOf(columns, [row === undefined ? "" : ` ${about(row.node, model)}`, "dim"]));
  }
  if (layout.message > 0) {
    const text = state.message === "" ? HINT : state.message;
    lines.push(lineOf(columns, [` ${text}`, state.message === "" ? "plain" : "bold"]));
  }
  return lines;
}

// What is open stands last, and is kept where there is no room for all.
function pathText(path: readonly string[], columns: number): string {
  for (let from = 0; ; from++) {
    const text = ` ${from === 0 ? "" : "... > "}${path.slice(from).join(" > ")}`;
    if (from + 1 >= path.length || widthOf(printable(text)) <= columns) return text;
  }
}

function drawRow(row: Row, isAt: boolean, columns: number): Line {
  const arrow = row.opens ? (row.empty ? "  ----" : "  --->") : "";
  const mark = row.mark === "" ? "   " : row.mark;
  const text = ` ${"  ".repeat(row.depth)}${mark} ${row.title}${row.isNew ? " (NEW)" : ""}${arrow}`;
  if (isAt) return lineOf(columns, [text, "reverse"], "fill");
  return lineOf(columns, [text, row.hidden ? "dim" : "plain"]);
}

function about(node: Menu, model: MenuModel): string {
  const where = `${node.file}:${node.line}`;
  const { symbol } = node;
  if (symbol?.name === undefined || symbol.isChoice) return where;
  return `${nameOf(symbol)}=${model.value(symbol)}  ${settable(symbol, model)}  ${where}`;
}

function settable(symbol: Sym, model: MenuModel): string {
  if (model.visibility(symbol) === NO) return "hidden";
  const range = model.range(symbol);
  if (range !== undefined) return `${range.low} to ${range.high}`;
  const options = model.options(symbol).map((tri) => ["n", "m", "y"][tri]);
  return options.length > 0 ? options.join(" ") : symbol.type;
}
