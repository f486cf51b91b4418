/** What stands on the terminal: lines of texts with a style each. All that is drawn is made by lineOf(). */
import { clip, printable, widthOf } from "./printable.ts";

export type Style = "plain" | "bold" | "dim" | "reverse";

/** No wider than the terminal, and nothing but what can be shown. */
export interface Line {
  readonly text: string;
  readonly style: Style;
}

export interface Frame {
  readonly lines: readonly Line[];
  /** Where the terminal's cursor is to be seen. */
  readonly cursor?: { readonly row: number; readonly column: number } | undefined;
}

/** A line for a terminal of so many columns; `fill` lets its style go to the edge. */
export function lineOf(columns: number, [text, style]: readonly [string, Style], fill?: "fill"): Line {
  const fitting = clip(printable(text), columns);
  const rest = fill === undefined ? "" : " ".repeat(Math.max(0, columns - widthOf(fitting)));
  return { text: fitting + rest, style };
}
