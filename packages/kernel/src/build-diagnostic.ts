import { isAbsolute, relative } from "node:path";
import { isNoSpace } from "./internal/process.ts";

/** What a compiler, assembler, linker or make said during a build. */
export interface BuildDiagnostic {
  readonly severity: "error" | "warning";
  /** Relative to the source tree, or to the build directory for a file that was generated there. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly message: string;
  /** What was being made, relative to the build directory: the object, where the file is a header. */
  readonly target?: string | undefined;
  /** The symbol, without CONFIG_, whose line in a Makefile brought the target in; of errors, where it can be told. */
  readonly option?: string | undefined;
  /** As it was printed, with what belongs to it: includes before, the source line after. */
  readonly lines: readonly string[];
}

// An enemy's or a broken source's output is not kept whole.
const MOST = 500;
const MOST_LINES = 40;
const LONGEST = 4000;
const TAIL = 15;

/** Reads the lines of a build as they come, whose recipes print one after the other (`make --output-sync`). */
export function collectDiagnostics(tree: string): {
  readonly take: (line: string) => void;
  readonly found: () => readonly BuildDiagnostic[];
  /** The last lines, whatever they say. */
  readonly tail: readonly string[];
  /** The line that says that the disk is full. */
  readonly noSpace: () => string | undefined;
} {
  const found: Writable<BuildDiagnostic>[] = [];
  const tail: string[] = [];
  let before: string[] = [];
  let target: string | undefined;
  let open: string[] | undefined;
  let noSpace: string | undefined;
  return {
    tail,
    noSpace: () => noSpace,
    take: (line) => {
      if (noSpace === undefined && isNoSpace(line)) noSpace = line;
      tail.push(line);
      if (tail.length > TAIL) tail.shift();
      const made = /^ {2}[A-Z][A-Z0-9]*(?: \[M\])? +(\S+)$/.exec(line)?.[1];
      if (made !== undefined) {
        [target, open, before] = [made, undefined, []];
        return;
      }
      const read = line.length > LONGEST ? undefined : readLine(line, tree);
      if (read !== undefined) {
        open = [...before, line];
        before = [];
        if (found.length < MOST) found.push({ ...read, target: read.target ?? target, lines: open });
      } else if (
        /^(In file included from|\s+from) |: (In function|in function) .*:$|: At top level:$|^\S+: Assembler messages:$/.test(
          line,
        )
      ) {
        // They are about the next one.
        open = undefined;
        before.push(line);
        if (before.length > MOST_LINES) before.shift();
      } else if (/^make(\[\d+\])?: /.test(line)) open = undefined;
      else if (open !== undefined && open.length < MOST_LINES) open.push(line);
    },
    found: () => found,
  };
}

type Writable<T> = { -readonly [key in keyof T]: T[key] };
type Read = Omit<BuildDiagnostic, "lines" | "option">;

function readLine(line: string, tree: string): Read | undefined {
  // gcc, clang, as: file:line:column: error: text; the assembler has no column.
  const compiler = /^([^\s:][^:]*):(\d+):(?:(\d+):)? (?:fatal )?(error|warning): (.+)$/i.exec(line);
  if (compiler !== null) {
    const [, path = "", row, column, severity = "", message = ""] = compiler;
    return {
      severity: severity.toLowerCase() === "error" ? "error" : "warning",
      file: inTree(path, tree),
      line: Number(row),
      column: column === undefined ? undefined : Number(column),
      message,
    };
  }
  // A linker names objects, if anything: the source's line is in its debug information.
  const linker =
    /(?:undefined (?:reference to|symbol:) |multiple definition of |duplicate symbol: |cannot find -).+$/.exec(
      line,
    );
  if (linker !== null) return { severity: "error", message: linker[0] };
  const tool = /^(?:(\S+): )?(error|warning): ((?:modpost|objtool): .+)$/i.exec(line);
  if (tool !== null) {
    const [, target, severity = "", message = ""] = tool;
    return { severity: severity.toLowerCase() === "error" ? "error" : "warning", message, target };
  }
  const missing = /^make(?:\[\d+\])?: \*\*\* (No rule to make target .+?)\.? *(?:Stop\.)?$/.exec(line)?.[1];
  return missing === undefined ? undefined : { severity: "error", message: missing };
}

function inTree(path: string, tree: string): string {
  const inside = isAbsolute(path) ? relative(tree, path) : path;
  return inside.startsWith("..") ? path : inside;
}

/** `file:line:column: text`, as far as it is known. */
export function formatDiagnostic({ file, line, column, message, target }: BuildDiagnostic): string {
  const place = [file ?? target, line, column].filter((part) => part !== undefined).join(":");
  return place === "" ? message : `${place}: ${message}`;
}
