/** `source` and what other projects made of it. */
import { dirname, join } from "node:path";
import type { Dialect } from "./dialect.ts";
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import type { Lexer } from "./lexer.ts";
import type { KconfigSourceHost, Position } from "./source.ts";

export type SourceKeyword = "source" | "rsource" | "osource" | "orsource";

/** The text of a file named in a `source`, looked for as conf does. */
export type FileOpener = (name: string) => string | undefined;

interface IncludeContext {
  readonly lexer: Lexer;
  readonly at: Position;
  /** Files read so far, with the place of their first `source`. */
  readonly files: Map<string, { readonly parent: string; readonly line: number } | undefined>;
  readonly output: Output;
  readonly dialect: Dialect;
  readonly host: KconfigSourceHost;
  readonly open: FileOpener;
}

/** Goes on with the file, or with all files that a pattern matches (zconf_nextfile() in lexer.l). */
export function includeFiles(name: string, keyword: SourceKeyword, context: IncludeContext): void {
  const { at, output, dialect, host, open } = context;
  const relative = keyword === "rsource" || keyword === "orsource";
  const path = relative ? join(dirname(at.file), name) : name;
  if ((dialect.extensions || dialect.globs) && host.glob !== undefined && /[*?[]/.test(path)) {
    const found = [...host.glob(path)];
    const must = !dialect.globs && keyword !== "osource" && keyword !== "orsource";
    if (found.length === 0 && must) cannotOpen(path, context);
    // The last one pushed is read first.
    for (const file of found.reverse()) include(file, open(file) ?? "", context);
    return;
  }
  const text = open(path);
  if (text === undefined && (keyword === "osource" || keyword === "orsource" || dialect.globs)) return;
  if (dialect.oldPositions && !context.files.has(path)) context.files.set(path, undefined);
  context.lexer.markSource();
  if (text === undefined) cannotOpen(path, context);
  refuseRecursion(path, context);
  const known = context.files.get(path);
  if (dialect.onceOnly && context.files.has(path)) {
    output.err(
      `${at.file}:${at.line}: error: repeated inclusion of ${path}\n` +
        `${known?.parent ?? "(null)"}:${known?.line ?? 0}: note: location of first inclusion of ${path}\n`,
    );
    throw new KconfigAbort("repeated inclusion");
  }
  include(path, text, context);
}

function include(path: string, text: string, { at, files, lexer }: IncludeContext): void {
  if (!files.has(path)) files.set(path, { parent: at.file, line: at.line });
  lexer.include(path, text);
}

function cannotOpen(path: string, { at, lexer, output }: IncludeContext): never {
  output.err(`${lexer.errorFile}:${at.line}: can't open file "${path}"\n`);
  throw new KconfigAbort(`can't open file "${path}"`);
}

function refuseRecursion(path: string, { lexer, output, dialect }: IncludeContext): void {
  const chain = [...lexer.includes()];
  const again = chain.findIndex(({ file }) => file === path);
  if (again < 0) return;
  output.err(`Recursive inclusion detected.\nInclusion path:\n  current file : ${path}\n`);
  // Up to the first occurrence, or to the root.
  for (const { file, line } of dialect.oldPositions ? chain.slice(0, again + 1) : chain) {
    output.err(`  included from: ${file}:${line}\n`);
  }
  throw new KconfigAbort("recursive inclusion");
}
