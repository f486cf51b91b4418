/** How the rows of a terminal are divided, and what is scrolled where. */
import { printable, wrap } from "./printable.ts";
import type { Page } from "./pages.ts";
import type { Size } from "./state.ts";

/** How many rows each part has: what matters least goes first when there are few. */
export interface Layout {
  readonly title: number;
  readonly path: number;
  readonly list: number;
  /** About the line that the cursor is on. */
  readonly about: number;
  readonly message: number;
}

export function layoutOf({ rows }: Size): Layout {
  const title = rows >= 4 ? 1 : 0;
  const path = rows >= 6 ? 1 : 0;
  const about = rows >= 5 ? 1 : 0;
  const message = rows >= 2 ? 1 : 0;
  return { title, path, about, message, list: Math.max(1, rows - title - path - about - message) };
}

/** The first line to show, so that the cursor is among those that are shown and no row is wasted. */
export function scrolled(
  top: number,
  index: number,
  { count, list }: { readonly count: number; readonly list: number },
): number {
  const fits = Math.min(Math.max(top, index - list + 1), index);
  return Math.max(0, Math.min(fits, count - list));
}

/** The lines of a page for a terminal of this width. */
export function pageLines({ lines }: Page, { columns }: Size): readonly string[] {
  return lines.flatMap((line) => wrap(printable(line), columns));
}

/** How many rows there are for what is read or looked through: all but a title and a last line. */
export function pageRows({ rows }: Size): number {
  return Math.max(1, rows - (rows >= 3 ? 2 : rows - 1));
}
