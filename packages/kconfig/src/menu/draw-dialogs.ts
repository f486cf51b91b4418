/** What stands above a menu: some take all rows, questions the last ones. */
import { NO, isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import type { Found } from "./find.ts";
import { lineOf } from "./frame.ts";
import type { Frame, Line } from "./frame.ts";
import type { InputLine } from "./input-line.ts";
import { pageLines, pageRows } from "./layout.ts";
import type { MenuModel } from "./model.ts";
import { nameOf } from "./model.ts";
import { printable, tail, widthOf } from "./printable.ts";
import { titleOf } from "./rows.ts";
import type { Dialog, State } from "./state.ts";

export function drawDialog(model: MenuModel, state: State, dialog: Dialog): Frame {
  const { columns } = state.size;
  switch (dialog.kind) {
    case "page": {
      const lines = pageLines(dialog.page, state.size);
      const room = pageRows(state.size);
      const shown = lines.slice(dialog.top, dialog.top + room);
      const end = dialog.top + room;
      const more = end < lines.length ? `${end} of ${lines.length} lines; ` : "";
      return screen(
        state,
        dialog.page.title,
        shown.map((line) => lineOf(columns, [line, "plain"])),
        `${more}Esc: back`,
      );
    }
    case "search":
      return drawSearch(model, state, dialog);
    case "plan":
      return drawPlan(state, dialog);
    case "solving":
      return question(
        state,
        `Looking for the fewest changes for ${nameOf(dialog.symbol)}=${dialog.value} ...`,
        undefined,
      );
    case "text": {
      const { symbol, purpose, problem } = dialog;
      const title = purpose === "set" ? titleOf(symbol) : `Which value of ${nameOf(symbol)} is wanted?`;
      return question(state, problem ?? `${title}${rangeText(model, symbol)}`, dialog.input);
    }
    case "save": {
      if (dialog.exists) {
        const text = `There is a file "${dialog.input.text}": replace it? y: yes, any other key: no`;
        return question(state, fitting(columns, [text, "Replace it? y: yes", "Replace? y"]), undefined);
      }
      const title =
        dialog.what === "config" ? "Save the configuration as:" : "Save what was changed, as a fragment, as:";
      return question(state, title, dialog.input);
    }
    default: {
      const text = `Save the changes to "${state.file}"? y: save and quit, n: quit without, Esc: stay`;
      return question(state, fitting(columns, [text, "Save? y n Esc"]), undefined);
    }
  }
}

// Of a question the keys have to be seen.
function fitting(columns: number, texts: readonly string[]): string {
  return texts.find((text) => widthOf(printable(text)) < columns) ?? texts.at(-1) ?? "";
}

function rangeText(model: MenuModel, symbol: Sym): string {
  const range = model.range(symbol);
  return range === undefined ? ` (${symbol.type})` : ` (${symbol.type}, ${range.low} to ${range.high})`;
}

// A title, lines, and a last line: as many as the terminal has rows.
function screen(state: State, title: string, body: readonly Line[], last: string): Frame {
  const { rows, columns } = state.size;
  const room = pageRows(state.size);
  const blank = lineOf(columns, ["", "plain"]);
  const lines = [...body.slice(0, room)];
  while (lines.length < room) lines.push(blank);
  if (rows >= 3) lines.unshift(lineOf(columns, [` ${title}`, "reverse"], "fill"));
  if (rows >= 2) lines.push(lineOf(columns, [` ${last}`, "bold"]));
  return { lines };
}

// A text, and what is typed below it; of the line that part where the cursor is.
function question({ size: { rows, columns } }: State, text: string, typed: InputLine | undefined): Frame {
  const title = lineOf(columns, [` ${text}`, "reverse"], "fill");
  if (typed === undefined) return { lines: [title] };
  const { line, column } = inputLine(columns, "", typed);
  return rows > 1
    ? { lines: [title, line], cursor: { row: 1, column } }
    : { lines: [line], cursor: { row: 0, column } };
}

function inputLine(columns: number, label: string, { text, at }: InputLine): { line: Line; column: number } {
  const start = ` ${label}`;
  const room = Math.max(1, columns - widthOf(start) - 1);
  const shown = start + tail(printable(text.slice(0, at)), room);
  return {
    line: lineOf(columns, [shown + printable(text.slice(at)), "plain"]),
    column: Math.max(0, Math.min(widthOf(shown), columns - 1)),
  };
}

function drawSearch(model: MenuModel, state: State, dialog: Extract<Dialog, { kind: "search" }>): Frame {
  const { columns, rows } = state.size;
  const { found, index, top, input } = dialog;
  const room = pageRows(state.size);
  const body = found
    .slice(top, top + room)
    .map((one, line) =>
      top + line === index
        ? lineOf(columns, [foundText(one, model), "reverse"], "fill")
        : lineOf(columns, [
            foundText(one, model),
            one.node.prompt !== undefined && model.isShown(one.node) ? "plain" : "dim",
          ]),
    );
  const none = input.text.trim() === "" ? "Type words of a name or prompt" : "Nothing has all these words";
  const last = found.length === 0 ? none : `${found.length} found; Enter: go there, Tab: help, Esc: back`;
  const { lines } = screen(state, "", body, last);
  const { line, column } = inputLine(columns, "Search: ", input);
  if (rows < 3) return { lines };
  return { lines: [line, ...lines.slice(1)], cursor: { row: 0, column } };
}

function foundText({ node, name, title }: Found, model: MenuModel): string {
  const { symbol } = node;
  if (symbol === undefined || name === "") return ` ${title}  (${node.file}:${node.line})`;
  const value = `${name}=${model.value(symbol)}`;
  const note = node.prompt === undefined ? "no prompt" : model.visibility(symbol) === NO ? "hidden" : "";
  return ` ${value}  ${title}${note === "" ? "" : ` [${note}]`}  (${node.file}:${node.line})`;
}

function drawPlan(state: State, { plan, top }: Extract<Dialog, { kind: "plan" }>): Frame {
  const { columns } = state.size;
  const { changes, symbol, value } = plan;
  const room = Math.max(1, pageRows(state.size) - 1);
  const sets = changes.filter(({ set }) => set).length;
  const title = `${nameOf(symbol)}=${value} takes ${count(sets, "setting")}; ${count(changes.length, "option")} would change`;
  const rest = changes.length - top - room;
  const body = changes.slice(top, top + room).map(({ name, title, before, after, set }) => {
    const text = `${name}: ${before} -> ${after}  ${title === name ? "" : title}`;
    return lineOf(columns, [set ? ` set     ${text}` : ` follows ${text}`, set ? "plain" : "dim"]);
  });
  while (body.length < room) body.push(lineOf(columns, ["", "plain"]));
  body.push(lineOf(columns, [rest > 0 ? ` ... ${rest} more` : "", "dim"]));
  const other = isLogic(symbol.type) ? ", y m n: ask for that value instead" : "";
  return screen(state, title, body, `Enter: do it, Esc: leave all as it is${other}`);
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
