/** What conf works on when it runs for real: files, an environment and a terminal. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { ConfHost } from "../conf/conf.ts";
import { globFiles } from "./glob.ts";
import type { ShellAnswers } from "./shell-answers.ts";
import { cachedLoad } from "./tree-cache.ts";

const CHUNK = 65_536;

export interface NodeConfHost extends ConfHost {
  /** Writes what is still held back. To be called before the end. */
  readonly finish: () => void;
}

export interface NodeConfOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly shell: Pick<ShellAnswers, "shell" | "defer" | "recall">;
  /** Keeps loaded trees there; undefined keeps none. */
  readonly trees?: string | undefined;
}

/** This process's terminal, and files below a directory. */
export function processConfHost(options: NodeConfOptions): NodeConfHost {
  const { shell } = options;
  const stdout = buffered(1);
  const stderr = buffered(2);
  const flush = (): void => {
    stdout.flush();
    stderr.flush();
  };
  let rest = "";
  let ended = false;
  return {
    ...fileHost(options),
    // Asked for with the first question: to look takes longer than many a run without one.
    get echoes() {
      return process.stdin.isTTY && process.stdout.isTTY;
    },
    // What a command prints comes after what was said before it.
    shell: (command) => {
      flush();
      return shell.shell(command);
    },
    defer: shell.defer,
    out: stdout.write,
    err: stderr.write,
    finish: () => {
      flush();
      drainInput();
    },
    readLine: () => {
      flush();
      while (!rest.includes("\n") && !ended) {
        const chunk = Buffer.alloc(CHUNK);
        const length = readSome(chunk);
        if (length === 0) ended = true;
        rest += chunk.toString("latin1", 0, length);
      }
      if (rest === "") return undefined;
      const end = rest.indexOf("\n");
      const line = end < 0 ? rest : rest.slice(0, end + 1);
      rest = rest.slice(line.length);
      return line;
    },
  };
}

/** No terminal: what conf says is kept, and questions find no answer. */
export function quietConfHost(options: NodeConfOptions): ConfHost & { readonly said: () => string } {
  const { shell } = options;
  let said = "";
  const say = (text: string): void => {
    said += text;
  };
  return {
    ...fileHost(options),
    shell: shell.shell,
    defer: shell.defer,
    echoes: false,
    out: say,
    err: say,
    readLine: () => undefined,
    said: () => said,
  };
}

function fileHost({
  cwd,
  env,
  shell,
  trees,
}: NodeConfOptions): Omit<ConfHost, "shell" | "defer" | "out" | "err" | "readLine" | "echoes"> {
  const files = fileReader();
  const exists = (path: string): boolean => files.isThere(dirname(path)) && existsSync(toPath(path));
  return {
    cwd,
    begin:
      trees === undefined
        ? undefined
        : (request) => cachedLoad(request, { directory: trees, recall: shell.recall, exists }),
    getenv: (name) => {
      const value = env[name];
      return value === undefined ? undefined : Buffer.from(value, "utf8").toString("latin1");
    },
    readFile: (path) => files.read(path),
    glob: globFiles,
    isDirectory: (path) => statSync(toPath(path), { throwIfNoEntry: false })?.isDirectory() === true,
    exists: (path) => existsSync(toPath(path)),
    makeDirectory: (path) => {
      mkdirSync(toPath(path), { recursive: true });
      files.forget();
    },
    writeFile: (path, text, overwrite = false) => {
      const target = toPath(path);
      if (overwrite) {
        writeFileSync(target, text, "latin1");
        return;
      }
      const beside = `${target}.${process.pid}.tmp`;
      writeFileSync(beside, text, "latin1");
      renameSync(beside, target);
    },
    rename: (from, to) => renameSync(toPath(from), toPath(to)),
    touch: (path) => closeSync(openSync(toPath(path), "w", 0o644)),
    now: () => Date.now(),
  };
}

// Most files are looked for in the current directory first and are not there: a directory that is missing is looked for
// once, and not again with each file in it.
function fileReader(): {
  readonly isThere: (directory: string) => boolean;
  readonly read: (path: string) => string | undefined;
  readonly forget: () => void;
} {
  const known = new Map<string, boolean>();
  const isThere = (directory: string): boolean => {
    let there = known.get(directory);
    if (there === undefined) {
      const above = dirname(directory);
      there =
        (above === directory || isThere(above)) &&
        statSync(toPath(directory), { throwIfNoEntry: false })?.isDirectory() === true;
      known.set(directory, there);
    }
    return there;
  };
  return {
    isThere,
    forget: () => known.clear(),
    read: (path) => {
      if (!isThere(dirname(path))) return undefined;
      try {
        return readFileSync(toPath(path), "latin1");
      } catch {
        return undefined;
      }
    },
  };
}

// Names were read as latin-1, so that no byte is lost.
function toPath(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}

function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

// The kernel's tests of conf write answers until it ends, and fail when that fills the pipe of one that takes its time
// to start and then reads nothing.
function drainInput(): void {
  try {
    const input = openSync("/proc/self/fd/0", constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(input).isFIFO()) {
      const chunk = Buffer.alloc(CHUNK);
      for (let left = 16; left > 0 && readSync(input, chunk) > 0; left--);
    }
    closeSync(input);
  } catch {
    // Nothing to read, or no such file: all the same.
  }
}

function buffered(descriptor: 1 | 2): { readonly write: (text: string) => void; readonly flush: () => void } {
  let held: string[] = [];
  const flush = (): void => {
    const bytes = Buffer.from(held.join(""), "latin1");
    held = [];
    for (let done = 0; done < bytes.length;) {
      try {
        done += writeSync(descriptor, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  };
  return { write: (text) => void held.push(text), flush };
}
