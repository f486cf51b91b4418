/** What the engine has to say while it reads and evaluates. */

/**
 * Where conf prints: warnings and errors on stderr, `$(info)` and transcripts on stdout. `text` ends with a newline
 * where conf's does, so that concatenating gives conf's bytes (latin-1).
 */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Parsing or checking cannot go on; all there is to say was said on `err`. conf exits with status 1 here. */
export class KconfigAbort extends Error {
  override readonly name = "KconfigAbort";
}

/** Where something stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Does what may recurse as deep as a tree's dependencies go, and tells where it was when the stack did not suffice. */
export function withinStack<T>(output: Output, place: () => Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { file, line } = place();
    output.err(`${file}:${line}: error: nested too deeply\n`);
    throw new KconfigAbort("nested too deeply", { cause: error });
  }
}
