import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseConfig } from "@justenough/kconfig";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { linkedObjects } from "./internal/linked-objects.ts";
import { bytesOf, memorySections, withObject } from "./internal/object-file.ts";
import { objectOptions } from "./internal/object-options.ts";

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
  /** The symbol, without CONFIG_, whose line in a Makefile brought it in; undefined when none can be told. */
  readonly option: string | undefined;
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
  /** The name is empty for objects of which no option can be told: most are in every kernel. */
  readonly options: readonly SizedGroup[];
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
  const objects = directory === undefined ? [] : await sizedObjects(directory);
  return {
    directory,
    linked,
    sections,
    objects,
    directories: grouped(objects, ({ path: object }) => ancestors(object)),
    options: grouped(objects, ({ option }) => [option ?? ""]),
    sum: add(objects),
  };
}

/** All bytes of a group or object. */
export function totalBytes({ text, data, bss }: KernelBytes): number {
  return text + data + bss;
}

async function sizedObjects(directory: string): Promise<SizedObject[]> {
  const paths = await linkedObjects(directory);
  // Linked beside vmlinux.o by scripts/link-vmlinux.sh.
  for (const path of ["init/version-timestamp.o", ".vmlinux.export.o"]) {
    if ((await stat(join(directory, path)).catch(() => undefined)) !== undefined) paths.push(path);
  }
  const config = parseConfig(await readFile(join(directory, ".config"), "utf8"));
  const isOn = (symbol: string): boolean => ["y", "m"].includes(config.values.get(symbol)?.text ?? "n");
  const arch = (await readdir(join(directory, "arch")))[0] ?? "";
  const options = await objectOptions(join(directory, "source"), arch, paths, isOn);
  const sized = paths.map((path) => ({
    path,
    option: options.get(path),
    ...withObject(join(directory, path), bytesOf),
  }));
  return sized.sort((a, b) => totalBytes(b) - totalBytes(a));
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
