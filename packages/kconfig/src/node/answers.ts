/** Answers of shell commands, kept between runs by what they depend on: the command, its environment and its tools. */
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { shortName } from "./short-name.ts";

export interface AnswerCache {
  readonly get: (command: string) => string | undefined;
  readonly set: (command: string, output: string) => void;
  /** Writes what is new. */
  readonly save: () => void;
}

// What a kernel's Makefile exports for Kconfig and what tells a shell where tools are.
const VARIABLES = [
  "AR ARCH BINDGEN CC CC_VERSION_TEXT CLANG_FLAGS CROSS_COMPILE CROSS_COMPILE_COMPAT HEADER_ARCH HOSTCC KBUILD_HOSTCFLAGS",
  "KERNELVERSION LANG LC_ALL LD LLVM NM OBJCOPY PAHOLE PATH PYTHON3 RUSTC RUSTC_VERSION_TEXT SRCARCH SUBARCH",
  "USERCFLAGS USERLDFLAGS objtree srctree",
].flatMap((line) => line.split(" "));
const TOOLS = ["CC", "LD", "AR", "NM", "OBJCOPY", "RUSTC", "BINDGEN", "PAHOLE", "PYTHON3"];

/** One file holds all answers of an environment and its tools; a changed tool is another file. */
export function openAnswers(
  directory: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): AnswerCache {
  const tools = TOOLS.map((name) => env[name]?.trim().split(/\s+/)[0] ?? "");
  const circumstances = [
    ...VARIABLES.map((name) => `${name}=${env[name] ?? ""}`),
    // What a compiler driver calls stands nowhere by its name.
    ...[...tools, "as", "ld", "sh"].map((tool) => identity(tool, env["PATH"])),
  ].join("\0");
  const path = join(directory, `${shortName(circumstances)}.json`);
  const known = read(path, circumstances);
  const scripts = new Map<string, string>();
  const key = (command: string): string => {
    const srctree = env["srctree"];
    const names =
      srctree === undefined ? [] : (command.match(/[^\s'"$();|&<>]*\/scripts\/[^\s'"$();|&<>]+/g) ?? []);
    const marks = names.map((name) => {
      let mark = scripts.get(name);
      if (mark === undefined) scripts.set(name, (mark = fileMark(name)));
      return mark;
    });
    return [command, ...marks].join("\0");
  };
  let changed = false;
  return {
    get: (command) => known.get(key(command)),
    set: (command, output) => {
      known.set(key(command), output);
      changed = true;
    },
    save: () => {
      if (!changed) return;
      // Losing it costs only time.
      try {
        mkdirSync(dirname(path), { recursive: true });
        const beside = `${path}.${process.pid}`;
        writeFileSync(beside, JSON.stringify({ circumstances, answers: [...known] } satisfies Kept));
        renameSync(beside, path);
      } catch {
        return;
      }
    },
  };
}

interface Kept {
  readonly circumstances: string;
  readonly answers: readonly (readonly [command: string, output: string])[];
}

function read(path: string, circumstances: string): Map<string, string> {
  try {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    return new Map(kept.circumstances === circumstances ? kept.answers : []);
  } catch {
    return new Map();
  }
}

function identity(program: string, path: string | undefined): string {
  if (program === "") return "";
  const candidates = isAbsolute(program)
    ? [program]
    : (path ?? "").split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    const mark = fileMark(candidate);
    if (mark !== "") return mark;
  }
  return `${program} is missing`;
}

function fileMark(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return "";
  return `${realpathSync(path)} ${found.size} ${found.mtimeMs}`;
}
