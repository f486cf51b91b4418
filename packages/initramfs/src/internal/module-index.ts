import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { InitramfsError } from "../error.ts";

/** What depmod(8) has written about a kernel's modules. */
export interface ModuleIndex {
  readonly modules: ReadonlyMap<string, { readonly path: string; readonly dependencies: readonly string[] }>;
  readonly builtin: ReadonlySet<string>;
  /** Modules that are recommended before and after others, by names that were resolved. */
  readonly soft: ReadonlyMap<string, { readonly pre: readonly string[]; readonly post: readonly string[] }>;
  /** Other names, only those without wildcards. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

export const MODULE_SUFFIX = /\.ko(?:\.(xz|gz|zst))?$/;

/** The kernel takes "-" and "_" in names for the same, and so does modprobe. */
export function moduleName(path: string): string {
  return basename(path).replace(MODULE_SUFFIX, "").replaceAll("-", "_");
}

/** Reads modules.dep and its companions; only modules.dep must be there. */
export async function readModuleIndex(directory: string): Promise<ModuleIndex> {
  const dep = await lines(directory, "modules.dep");
  if (dep === undefined) {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no modules.dep in "${directory}"`, {
      hint: "Give the directory …/lib/modules/RELEASE; if it was just unpacked, run: depmod -b ROOT RELEASE",
    });
  }
  const modules = new Map<string, { path: string; dependencies: string[] }>();
  for (const line of dep) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    const dependencies = line
      .slice(colon + 1)
      .split(" ")
      .filter(Boolean);
    for (const file of [path, ...dependencies]) checkInside(directory, file);
    modules.set(moduleName(path), { path, dependencies });
  }
  const builtin = new Set((await lines(directory, "modules.builtin"))?.map(moduleName));
  const aliases = new Map<string, string[]>();
  for (const line of (await lines(directory, "modules.alias")) ?? []) {
    const match = /^alias ([^\s*?[\]]+) (\S+)$/.exec(line);
    if (match === null) continue;
    const name = moduleName(match[1] as string);
    aliases.set(name, [...(aliases.get(name) ?? []), moduleName(match[2] as string)]);
  }
  const resolve = (name: string): readonly string[] =>
    modules.has(name) ? [name] : (aliases.get(name) ?? []);
  const soft = new Map<string, { pre: string[]; post: string[] }>();
  for (const line of (await lines(directory, "modules.softdep")) ?? []) {
    // "softdep NAME pre: A B post: C", see modprobe.d(5).
    const [keyword, name, ...words] = line.split(/\s+/);
    if (keyword !== "softdep" || name === undefined) continue;
    // A module's first line counts alone, as in kmod_module_get_softdeps() of libkmod.
    if (soft.has(moduleName(name))) continue;
    const entry: { pre: string[]; post: string[] } = { pre: [], post: [] };
    let list: string[] | undefined;
    for (const word of words) {
      if (word === "pre:") list = entry.pre;
      else if (word === "post:") list = entry.post;
      else list?.push(...resolve(moduleName(word)));
    }
    soft.set(moduleName(name), entry);
  }
  return { modules, builtin, soft, aliases };
}

async function lines(directory: string, file: string): Promise<string[] | undefined> {
  try {
    const text = await readFile(join(directory, file), "utf8");
    return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new InitramfsError("INITRAMFS_READ", `Cannot read "${join(directory, file)}": ${message}`, {
      cause: error,
    });
  }
}

/** Paths come from a file that others wrote; they must stay in the directory. */
function checkInside(directory: string, path: string): void {
  if (!path.startsWith("/") && !path.split("/").includes("..")) return;
  throw new InitramfsError(
    "INITRAMFS_FORMAT",
    `The modules.dep of "${directory}" names "${path}", outside of it`,
  );
}
