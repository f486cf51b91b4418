/** What the linker kept of each object, from a map of the last link, which is repeated for it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { run } from "./process.ts";

/** Bytes of an object in an output section. */
export interface Contribution {
  readonly object: string;
  readonly section: string;
  readonly size: number;
}

/** In the place of an object: bytes between objects, for alignment. */
export const FILL = "*fill*";

/**
 * Links a kernel again as scripts/link-vmlinux.sh does, and reads the map. Undefined when that cannot be had: another
 * linker than GNU ld, a build before Linux 6.1, a linker that is not there.
 */
export async function linkContributions(
  directory: string,
  sourceArch: string,
  signal: AbortSignal | undefined,
): Promise<readonly Contribution[] | undefined> {
  const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8").catch(() => "");
  const [, ld = "", flags = "", own = ""] =
    /link-vmlinux\.sh "([^"]*)" "([^"]*)" "([^"]*)"/.exec(await read(".vmlinux.cmd")) ?? [];
  const libraries = /--start-group ([^\n;]*?)--end-group/.exec(await read(".vmlinux.o.cmd"))?.[1] ?? "";
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
  if (!/(^|-|\/)ld(\.bfd)?$/.test(ld)) return undefined;
  const exported = (await read(".vmlinux.export.o")) === "" ? [] : [".vmlinux.export.o"];
  const scratch = await mkdtemp(join(tmpdir(), "link-map-"));
  try {
    const map = join(scratch, "map");
    const args = [
      ...words(flags),
      ...words(own),
      `--script=arch/${sourceArch}/kernel/vmlinux.lds`,
      `-Map=${map}`,
      "-o",
      join(scratch, "vmlinux"),
      // The tables of symbols (KALLSYMS) and types (BTF), which are made from a first link, are not kept.
      "--unresolved-symbols=ignore-all",
      "--noinhibit-exec",
      "--whole-archive",
      "vmlinux.a",
      ...exported,
      "init/version-timestamp.o",
      "--no-whole-archive",
      "--start-group",
      ...words(libraries),
      "--end-group",
    ];
    await run({ file: ld, args, cwd: directory }, { signal });
    const text = await readFile(map, "utf8").catch(() => undefined);
    return text === undefined ? undefined : readLinkMap(text);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Part extends Contribution {
  /** Of a merged section, the bytes before. */
  readonly before: number | undefined;
}

/** Reads what GNU ld prints with -Map (binutils, ld/ldlang.c, print_section and its like). */
export function readLinkMap(text: string): Contribution[] {
  const start = text.indexOf("\nLinker script and memory map");
  const lines = text.slice(Math.max(start, 0)).split("\n");
  const found: Part[] = [];
  const sizes = new Map<string, number>();
  let section = "";
  for (let at = 0; at < lines.length; at += 1) {
    let line = lines[at] ?? "";
    const name = /^(\S+)/.exec(line)?.[1];
    if (name !== undefined) {
      section = name;
      // A long name has the line for itself.
      const place = /^\S+\s+\S/.test(line) ? line : (lines[at + 1] ?? "");
      const whole = /^\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)/.exec(place)?.[1];
      if (whole !== undefined) sizes.set(section, Number.parseInt(whole, 16));
      continue;
    }
    if (/^ [^\s*]\S*$/.test(line)) line += ` ${lines[(at += 1)]?.trim() ?? ""}`;
    const fill = /^ \*fill\*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)/.exec(line)?.[1];
    if (fill !== undefined)
      found.push({ object: FILL, section, size: Number.parseInt(fill, 16), before: undefined });
    const [, size, file] = /^ [^\s*]\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$/.exec(line) ?? [];
    if (size === undefined || file === undefined) continue;
    // Equal strings are merged: what was there before tells each object's share.
    const before = /^\s+0x([0-9a-f]+) \(size before relaxing\)/.exec(lines[at + 1] ?? "")?.[1];
    found.push({
      object: objectOf(file),
      section,
      size: Number.parseInt(size, 16),
      before: before === undefined ? undefined : Number.parseInt(before, 16),
    });
  }
  return shared(found, sizes);
}

// vmlinux.a(fs/inode.o) with whole paths in a thin archive.
function objectOf(file: string): string {
  return normalize(/\((.*)\)$/.exec(file)?.[1] ?? file);
}

/**
 * Merged sections have all bytes at their first object; every object gets what is in proportion. The map counts for them
 * what a second merge, of ends of strings, took away: what they are together is what the others leave of the section.
 */
function shared(all: readonly Part[], sizes: ReadonlyMap<string, number>): Contribution[] {
  const sums = new Map<string, { plain: number; merged: number; before: number }>();
  for (const { section, size, before } of all) {
    const sum = sums.get(section) ?? { plain: 0, merged: 0, before: 0 };
    if (before === undefined) sum.plain += size;
    else {
      sum.merged += size;
      sum.before += before;
    }
    sums.set(section, sum);
  }
  return all
    .map(({ object, section, size, before }) => {
      const sum = sums.get(section);
      if (before === undefined || sum === undefined) return { object, section, size };
      const together = Math.min(sum.merged, (sizes.get(section) ?? Infinity) - sum.plain);
      return { object, section, size: (before * together) / sum.before };
    })
    .filter(({ size }) => size > 0);
}
