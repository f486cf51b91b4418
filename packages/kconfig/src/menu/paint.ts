/** Lines as what a terminal is told (ECMA-48, with the private modes that xterm has and all others took over). */
import type { Frame, Line, Style } from "./frame.ts";
import type { Size } from "./state.ts";

const STYLES: Readonly<Record<Style, string>> = { plain: "", bold: "1", dim: "2", reverse: "7" };

/** Another screen, no cursor, no wrapping at the edge, pasted text marked as such. */
export const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[0m\u001b[2J";
/** The same, backwards. */
export const LEAVE = "\u001b[0m\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l";

export interface PaintOptions {
  /** What stands there, if that is known: only other lines are painted. */
  readonly before: Frame | undefined;
  readonly size: Size;
  /** The terminal takes UTF-8; otherwise all that is not ASCII is a question mark. */
  readonly utf8: boolean;
}

export function paint(frame: Frame, { before, size, utf8 }: PaintOptions): string {
  let text = "\u001b[?25l";
  for (const [row, line] of frame.lines.slice(0, size.rows).entries()) {
    const old = before?.lines[row];
    if (old !== undefined && old.text === line.text && old.style === line.style) continue;
    // Cleared first: at the end of a line that fills the row the terminal still stands on the last column.
    text += `\u001b[${row + 1};1H\u001b[K${styled(line, utf8)}`;
  }
  const { cursor } = frame;
  if (cursor !== undefined) text += `\u001b[${cursor.row + 1};${cursor.column + 1}H\u001b[?25h`;
  return text;
}

function styled({ text, style }: Line, utf8: boolean): string {
  const shown = utf8 ? text : text.replace(/[^\x20-\x7e]/gu, "?");
  return style === "plain" ? shown : `\u001b[${STYLES[style]}m${shown}\u001b[0m`;
}
