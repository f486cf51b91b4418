import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseConfig } from "@justenough/kconfig";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { linkedObjects } from "./internal/linked-objects.ts";
import { kallsymsBytes } from "./internal/kallsyms.ts";
import { FILL, linkContributions } from "./internal/link-map.ts";
import { bytesOf, memorySections, withObject } from "./internal/object-file.ts";
import { optionName, optionTree } from "./internal/option-tree.ts";
import { underConfiguration } from "./kbuild/built.ts";
import { readKbuild } from "./kbuild/tree.ts";

/** Bytes in memory, as binutils' size counts them. */
export interface KernelBytes {
  /** Code and read-only data. */
  readonly text: number;
  readonly data: number;
  readonly bss: number;
}

/** An object file of a kernel. */
export interface SizedObject extends KernelBytes {
  /** Relative to the build directory. */
  readonly path: string;
  /**
   * For what it is there, from the top down: symbols without CONFIG_, each of a line in a Makefile that brought in the
   * object or something around it: `[ 'NET', 'INET' ]`. `A or B` when several lines do the same. Empty in every kernel.
   */
  readonly options: readonly string[];
  /** The last of them; undefined in every kernel. */
  readonly option: string | undefined;
  /** What the linker kept of it, in all sections that take memory; undefined when that is not known. */
  readonly kept: number | undefined;
}

/** An option with what it brings in and what of that is for options below it. */
export interface OptionBytes {
  /** A symbol, or several: `A or B`, of which each would do. Empty at the top. */
  readonly name: string;
  /** Of the objects of this option alone, as the linker kept them; as they are where that is not known. */
  readonly own: number;
  /** With all below it. */
  readonly total: number;
  /** With all below it. */
  readonly objects: number;
  /** Whether several options bring this in. */
  readonly shared: boolean;
  /** The largest first. */
  readonly below: readonly OptionBytes[];
}

/** Bytes of vmlinux's sections that are of no object. */
export interface LinkerBytes {
  /** Between objects and at the end of segments. */
  readonly alignment: number;
  /** The names of symbols for messages, by the option KALLSYMS. */
  readonly kallsyms: number;
  /** Whatever else: types (BTF), tables that a link of its own makes. Negative where objects shrank in that. */
  readonly other: number;
}

/** Objects together. */
export interface SizedGroup extends KernelBytes {
  readonly name: string;
  readonly objects: number;
}

/** What a kernel's bytes are spent on. Lists are sorted, the largest first. */
export interface KernelSize {
  /** The build directory; undefined for a vmlinux by itself, of which only the sections are known. */
  readonly directory: string | undefined;
  /** Of vmlinux, as it is in memory. */
  readonly linked: KernelBytes;
  /** Sections of vmlinux. */
  readonly sections: readonly { readonly name: string; readonly size: number }[];
  readonly objects: readonly SizedObject[];
  /** Each with all that is below it. */
  readonly directories: readonly SizedGroup[];
  /** The name is empty for objects that are in every kernel. */
  readonly options: readonly SizedGroup[];
  /** What is in every kernel, and all options below it by the directories that they are in. */
  readonly tree: OptionBytes;
  /**
   * What no option accounts for. Objects as they were kept and this together are the bytes of all sections; undefined
   * when it is not known what the linker kept.
   */
  readonly linker: LinkerBytes | undefined;
  /** Lines of Makefiles that were not understood, with file and line. */
  readonly notRead: readonly string[];
  /**
   * All objects together. What vmlinux has beyond that the linker added: the table of symbol names (KALLSYMS), unwinding
   * tables, alignment, place for data of each processor; it also merges equal strings.
   */
  readonly sum: KernelBytes;
}

/**
 * Counts the bytes of a kernel by directory and option, from the object files that were linked.
 *
 * @param path - a directory of artifacts, whose build directory is looked for in the cache; a build directory, or the
 * vmlinux in one; or any vmlinux.
 * @throws KernelError KERNEL_BUILD when there is no kernel, or when the build directory of artifacts is gone or has
 * been used for another kernel since.
 * @example
 * ```ts no-run
 * import { kernelSize } from "@justenough/kernel";
 * const { options } = await kernelSize("out/kernel");
 * for (const { name, text, data, bss } of options.slice(0, 10)) console.log(name, text + data + bss);
 * ```
 */
export async function kernelSize(path: string, context: KernelContext = {}): Promise<KernelSize> {
  const { vmlinux, directory } = await findVmlinux(resolve(path), context);
  const { linked, sections } = withObject(vmlinux, (elf) => ({
    linked: bytesOf(elf),
    sections: memorySections(elf).map(({ name, size }) => ({ name, size })),
  }));
  sections.sort((a, b) => b.size - a.size);
  const inMemory = new Set(sections.map(({ name }) => name));
  const build = directory === undefined ? undefined : await sizedObjects(directory, inMemory, context);
  const objects = build?.objects ?? [];
  const whole = sections.reduce((sum, { size }) => sum + size, 0);
  return {
    directory,
    linked,
    sections,
    objects,
    directories: grouped(objects, ({ path: object }) => ancestors(object)),
    options: grouped(objects, ({ option }) => [option ?? ""]),
    tree: optionTree(objects),
    linker:
      build?.alignment === undefined
        ? undefined
        : linkerBytes(whole, objects, build.alignment, build.kallsyms),
    notRead: build?.notRead ?? [],
    sum: add(objects),
  };
}

/** All bytes of a group or object. */
export function totalBytes({ text, data, bss }: KernelBytes): number {
  return text + data + bss;
}

interface SizedBuild {
  readonly objects: SizedObject[];
  /** Undefined when it is not known what the linker kept. */
  readonly alignment: number | undefined;
  readonly kallsyms: number;
  readonly notRead: readonly string[];
}

async function sizedObjects(
  directory: string,
  inMemory: ReadonlySet<string>,
  { signal }: KernelContext,
): Promise<SizedBuild> {
  const paths = await linkedObjects(directory);
  // Linked beside vmlinux.o by scripts/link-vmlinux.sh.
  for (const path of ["init/version-timestamp.o", ".vmlinux.export.o"]) {
    if ((await stat(join(directory, path)).catch(() => undefined)) !== undefined) paths.push(path);
  }
  const config = parseConfig(await readFile(join(directory, ".config"), "utf8"));
  const arch = await sourceArchOf(directory);
  const kbuild = await readKbuild(await realpath(join(directory, "source")), arch);
  const built = underConfiguration(kbuild, (symbol) => config.values.get(symbol)?.text ?? "n");
  const contributions = await linkContributions(directory, arch, signal);
  const kept = new Map<string, number>();
  for (const { object, section, size } of contributions ?? []) {
    if (inMemory.has(section)) kept.set(object, (kept.get(object) ?? 0) + size);
  }
  const objects = paths.map((path) => {
    // A directory and the one line in it often have the same symbol.
    const options = [...new Set(built.optionsOf(path).map(optionName))];
    return {
      path,
      options,
      option: options.at(-1),
      kept: contributions === undefined ? undefined : Math.round(kept.get(path) ?? 0),
      ...withObject(join(directory, path), bytesOf),
    };
  });
  return {
    objects: objects.sort((a, b) => totalBytes(b) - totalBytes(a)),
    alignment: contributions === undefined ? undefined : (kept.get(FILL) ?? 0),
    kallsyms: kallsymsBytes(await readFile(join(directory, "System.map"), "utf8").catch(() => "")),
    notRead: kbuild.notRead.map(({ file, line, text }) => `${file}:${line}: ${text}`),
  };
}

// The other directories there are of generated headers, such as arch/x86_64.
async function sourceArchOf(directory: string): Promise<string> {
  for (const name of await readdir(join(directory, "arch"))) {
    const lds = await stat(join(directory, "arch", name, "kernel/vmlinux.lds")).catch(() => undefined);
    if (lds !== undefined) return name;
  }
  throw new KernelError("KERNEL_BUILD", `"${directory}" has no linker script of a kernel in arch/*/kernel`);
}

function linkerBytes(
  whole: number,
  objects: readonly SizedObject[],
  alignment: number,
  kallsyms: number,
): LinkerBytes {
  const known = objects.reduce((sum, { kept = 0 }) => sum + kept, 0) + alignment + kallsyms;
  return { alignment, kallsyms, other: whole - known };
}

function ancestors(object: string): string[] {
  const above = dirname(object);
  return above === "." ? [] : [...ancestors(above), above];
}

function grouped(objects: readonly SizedObject[], namesOf: (object: SizedObject) => string[]): SizedGroup[] {
  const groups = new Map<string, SizedObject[]>();
  for (const object of objects) {
    for (const name of namesOf(object)) {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [object]);
      else group.push(object);
    }
  }
  return [...groups]
    .map(([name, members]) => ({ name, objects: members.length, ...add(members) }))
    .sort((a, b) => totalBytes(b) - totalBytes(a) || (a.name < b.name ? -1 : 1));
}

function add(all: readonly KernelBytes[]): KernelBytes {
  let [text, data, bss] = [0, 0, 0];
  for (const bytes of all) {
    text += bytes.text;
    data += bytes.data;
    bss += bytes.bss;
  }
  return { text, data, bss };
}

async function findVmlinux(
  path: string,
  context: KernelContext,
): Promise<{ readonly vmlinux: string; readonly directory: string | undefined }> {
  if ((await stat(path).catch(() => undefined))?.isFile() === true) {
    const directory = dirname(path);
    const built = basename(path) === "vmlinux" && (await readdir(directory)).includes(".vmlinux.o.cmd");
    return { vmlinux: path, directory: built ? directory : undefined };
  }
  const names: readonly string[] = await readdir(path).catch(() => []);
  if (names.includes(".vmlinux.o.cmd")) return { vmlinux: join(path, "vmlinux"), directory: path };
  if (!names.includes("System.map")) {
    throw new KernelError("KERNEL_BUILD", `There is neither a kernel's build nor a System.map in "${path}"`);
  }
  const directory = await buildDirectoryOf(path, context);
  return { vmlinux: join(directory, "vmlinux"), directory };
}

// Kernels share build directories. The addresses of all symbols tell whether one still holds this kernel.
async function buildDirectoryOf(artifacts: string, context: KernelContext): Promise<string> {
  const map = await readFile(join(artifacts, "System.map"));
  const objects = join(kernelCacheDir(context), "objects");
  for (const name of await readdir(objects).catch(() => [])) {
    const directory = join(objects, name);
    const other = await readFile(join(directory, "System.map")).catch(() => undefined);
    if (other?.equals(map) === true) return directory;
  }
  throw new KernelError(
    "KERNEL_BUILD",
    `The objects of the kernel in "${artifacts}" are not in the cache any more`,
    {
      hint: "Their directory was removed, or another kernel was built in it; remove the artifacts and build again",
    },
  );
}
