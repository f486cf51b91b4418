/** One character of a text screen. Colours are the PC's 16: 0 black, 1 blue, 2 green, 4 red, 7 grey, 8 more: brighter. */
export interface ScreenCell {
  readonly char: string;
  readonly foreground: number;
  /** Where real hardware blinks instead of showing a bright background, QEMU does not. */
  readonly background: number;
}

/** What a text screen showed in one moment. */
export interface ScreenCells {
  readonly columns: number;
  readonly rows: number;
  /** By row and column. */
  readonly cells: readonly (readonly ScreenCell[])[];
  /** Counted from 0; absent when it is hidden. */
  readonly cursor?: { readonly row: number; readonly column: number };
}

/** The lines that were printed: a row that is full goes on in the next one. */
export function printedLines({ cells }: ScreenCells): string[] {
  const lines: string[] = [];
  let full = false;
  for (const row of cells) {
    const text = row.map(({ char }) => char).join("");
    if (full) lines.push(`${lines.pop() ?? ""}${text.trimEnd()}`);
    else lines.push(text.trimEnd());
    full = !text.endsWith(" ");
  }
  return lines;
}

/** The rows without the blanks at their ends, and without the empty ones after the last. */
export function cellsText({ cells }: ScreenCells): string {
  const lines = cells.map((row) =>
    row
      .map(({ char }) => char)
      .join("")
      .trimEnd(),
  );
  return lines.join("\n").trimEnd();
}
