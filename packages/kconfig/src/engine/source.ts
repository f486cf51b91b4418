/** What the engine asks of the outside while it reads a tree. Nothing here starts a process by itself. */

export interface KconfigSourceHost {
  /** The bytes of a file as latin-1 text, or undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  /** Standard output of a shell command as latin-1 text (`$(shell …)`). */
  readonly shell: (command: string) => string;
  /**
   * What starts a command, so that many can run side by side; undefined when its answer is known, or has to be asked for
   * at once. It is called when the answer can wait; what was started is among the commands of a load in progress. Any
   * other answer is asked for with `shell`.
   */
  readonly defer?: ((command: string) => (() => void) | undefined) | undefined;
  /** An environment variable. */
  readonly getenv: (name: string) => string | undefined;
  /** Paths that match an absolute pattern, sorted; only trees ask whose `source` takes patterns. */
  readonly glob?: ((pattern: string) => readonly string[]) | undefined;
}

/** A place in the Kconfig files. */
export interface Position {
  file: string;
  /** Line of the text being scanned. */
  scanLine: number;
  /** Line on which the statement began. */
  line: number;
}
