/**
 * An object that make reports as made: a line such as `  CC      init/main.o` or `  AS [M]  lib/x.o`. Those of the
 * build's own tools have absolute paths; they are not part of the kernel.
 */
export function objectOfLine(line: string): string | undefined {
  return /^ {2}(?:CC|AS)(?: \[M\])? +([^/\s]\S*\.o)$/.exec(line)?.[1];
}

/** Where a build failed. */
export interface BuildFault {
  /** The compiler's first error as `file:line:column: text`, or make's own about a target. */
  readonly summary: string;
  readonly lines: readonly string[];
}

/** Finds what broke a build in the lines that it printed; several jobs print at once, so the last line seldom tells. */
export function findFault(lines: readonly string[]): BuildFault {
  const compiler = lines.findIndex((line) => /^[^\s:]+:\d+(:\d+)?: (fatal )?error: /i.test(line));
  const linker = lines.findIndex((line) =>
    /^(\S*ld|\S+\.o): .*(undefined reference|cannot find|error)/i.test(line),
  );
  const make = lines.findIndex((line) => /^make(\[\d+\])?: \*\*\* /.test(line));
  const first = [compiler, linker, make].find((index) => index >= 0);
  if (first === undefined) return { summary: lines.at(-1)?.trim() ?? "no message", lines: lines.slice(-15) };
  const summary = (lines[first] ?? "").trim();
  return { summary, lines: lines.slice(first, first + 15) };
}
