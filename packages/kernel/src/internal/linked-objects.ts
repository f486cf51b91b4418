/** Which object files a kernel was linked of. */
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { KernelError } from "../errors.ts";
import { symbolsOf, withObject } from "./object-file.ts";

/**
 * The objects in vmlinux, relative to the build directory: all of the archives that the recorded command links whole
 * (built-in.a of every directory), and of libraries the members that something needs.
 */
export async function linkedObjects(directory: string): Promise<string[]> {
  const record = await readFile(join(directory, ".vmlinux.o.cmd"), "utf8").catch(() => "");
  // "savedcmd_" since 6.3, "cmd_" before.
  const command = /^(?:saved)?cmd_vmlinux\.o := ([^;\n]*)/m.exec(record)?.[1];
  if (command === undefined) {
    throw new KernelError("KERNEL_BUILD", `"${directory}" is no build directory of a finished kernel`, {
      hint: "Its .vmlinux.o.cmd is missing, which Kbuild writes since Linux 6.1",
    });
  }
  const whole: string[] = [];
  const libraries: string[] = [];
  let into = libraries;
  for (const word of command.split(/\s+/)) {
    if (word === "--whole-archive") into = whole;
    else if (word === "--no-whole-archive") into = libraries;
    else if (word.endsWith(".a")) into.push(...(await archiveMembers(directory, word)));
  }
  return [...whole, ...neededMembers(directory, whole, libraries)];
}

/** The members of a thin archive, as Kbuild makes them: names only, the files stay where they are (ar(5), "!<thin>"). */
async function archiveMembers(directory: string, archive: string): Promise<string[]> {
  const bytes = await readFile(join(directory, archive));
  if (bytes.toString("latin1", 0, 8) !== "!<thin>\n") {
    throw new KernelError("KERNEL_BUILD", `"${join(directory, archive)}" is no thin archive`);
  }
  const members: string[] = [];
  let long = "";
  for (let at = 8; at + 60 <= bytes.length;) {
    const name = bytes.toString("latin1", at, at + 16).trimEnd();
    const size = Number(bytes.toString("latin1", at + 48, at + 58));
    at += 60;
    // Only the tables have content in the file: symbols ("/", "/SYM64/") and long names ("//").
    if (name === "/" || name === "//" || name === "/SYM64/") {
      if (name === "//") long = bytes.toString("latin1", at, at + size);
      at += size + (size % 2);
      continue;
    }
    // A long name's place is a number; binutils leaves a slash at the end of the field when the name has 15 characters.
    const start = /^\/(\d+)/.exec(name)?.[1];
    const path =
      start === undefined ? name.slice(0, -1) : long.slice(Number(start), long.indexOf("/\n", Number(start)));
    // Relative to the archive.
    members.push(normalize(join(dirname(archive), path)));
  }
  return members;
}

// As a linker takes members between --start-group and --end-group: those that define what is still missing, again and
// again.
function neededMembers(directory: string, whole: readonly string[], libraries: readonly string[]): string[] {
  if (libraries.length === 0) return [];
  const symbols = (object: string): ReturnType<typeof symbolsOf> =>
    withObject(join(directory, object), symbolsOf);
  const defined = new Set<string>();
  const missing = new Set<string>();
  const take = (found: ReturnType<typeof symbolsOf>): void => {
    for (const name of found.defined) defined.add(name);
    for (const name of found.undefined) missing.add(name);
  };
  for (const object of whole) take(symbols(object));
  const left = new Map(libraries.map((object) => [object, symbols(object)]));
  const needed: string[] = [];
  for (let before = -1; before !== needed.length;) {
    before = needed.length;
    for (const [object, found] of left) {
      if (!found.defined.some((name) => missing.has(name) && !defined.has(name))) continue;
      take(found);
      needed.push(object);
      left.delete(object);
    }
  }
  return needed;
}
