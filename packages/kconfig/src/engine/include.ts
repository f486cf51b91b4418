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
  const optional = keyword === "osource" || keyword === "orsource" || dialect.globs === "silent";
  const beside = join(dirname(at.file), name);
  if ((dialect.extensions || dialect.globs !== "none") && host.glob !== undefined && /[*?[]/.test(name)) {
    const found = [...host.glob(relative ? beside : name)];
    if (found.length === 0 && !optional && dialect.globs === "none") cannotOpen(name, context);
    // The last one pushed is read first.
    if (dialect.globs !== "beside") found.reverse();
    for (const file of found) include(file, open(file) ?? "", context);
    return;
  }
  const path = relative || (dialect.globs === "beside" && open(name) === undefined) ? beside : name;
  const text = open(path);
  if (text === undefined && optional) return;
  if (dialect.oldPositions && !context.files.has(path)) context.files.set(path, undefined);
  context.lexer.markSource();
  if (text === undefined && dialect.globs === "beside") {
    output.out(`${context.lexer.errorFile}:${at.line}: glob failed: No files found "${name}"\n`);
    throw new KconfigAbort(`no file "${name}"`);
  }
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

/** A file that has ended, for lack of a newline behind its own `source`, is in nobody's way: C reads on for ever. */
const MAX_TURNS = 1000;

function refuseRecursion(path: string, { lexer, output, dialect }: IncludeContext): void {
  const chain = [...lexer.includes()];
  const found = chain.findIndex(({ file }) => file === path);
  if (found < 0 && lexer.turn < MAX_TURNS) return;
  const again = found < 0 ? chain.length - 1 : found;
  output.err(`Recursive inclusion detected.\nInclusion path:\n  current file : ${path}\n`);
  // Up to the first occurrence, or to the root.
  for (const { file, line } of dialect.oldPositions ? chain.slice(0, again + 1) : chain) {
    output.err(`  included from: ${file}:${line}\n`);
  }
  throw new KconfigAbort("recursive inclusion");
}
