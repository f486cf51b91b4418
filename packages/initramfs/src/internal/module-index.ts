import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { InitramfsError } from "../error.ts";
import { glob, isGlob } from "./glob.ts";

/** What depmod(8) and the kernel's build have written about a kernel's modules. */
export interface ModuleIndex {
  readonly modules: ReadonlyMap<string, { readonly path: string; readonly dependencies: readonly string[] }>;
  readonly builtin: ReadonlySet<string>;
  /** Modules that are recommended before and after others. */
  readonly soft: ReadonlyMap<string, { readonly pre: readonly string[]; readonly post: readonly string[] }>;
  /** Modules that others may ask for later, so that they should be at hand. */
  readonly weak: ReadonlyMap<string, readonly string[]>;
  /** Files that built-in drivers load. */
  readonly builtinFirmware: ReadonlyMap<string, readonly string[]>;
  /** What a name, or a device's modalias, stands for: files or built-in modules. */
  resolve(alias: string): readonly string[];
}

export const MODULE_SUFFIX = /\.ko(?:\.(xz|gz|zst))?$/;

/** The kernel takes "-" and "_" in names for the same, and so does modprobe. */
export function moduleName(path: string): string {
  return basename(path).replace(MODULE_SUFFIX, "").replaceAll("-", "_");
}

/** The same for other names, in which "-" has a meaning between brackets (alias_normalize() of libkmod). */
export function aliasName(alias: string): string {
  return alias.replaceAll(/\[[^\]]*\]|-/g, (part) => (part === "-" ? "_" : part));
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
    const dependencies = words(line.slice(colon + 1));
    for (const file of [path, ...dependencies]) checkInside(directory, file);
    modules.set(moduleName(path), { path, dependencies });
  }
  const builtin = new Set((await lines(directory, "modules.builtin"))?.map(moduleName));
  const aliases = new Aliases();
  for (const line of (await lines(directory, "modules.alias")) ?? []) {
    const [keyword, alias, name] = line.split(" ");
    if (keyword === "alias" && alias !== undefined && name !== undefined) aliases.add(alias, name);
  }
  const builtinFirmware = new Map<string, string[]>();
  for (const line of (await lines(directory, "modules.builtin.modinfo", "\0")) ?? []) {
    const [, name, key, value] = /^([^.]+)\.(\w+)=([^]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (key === "alias") aliases.add(value, name);
    if (key === "firmware") append(builtinFirmware, moduleName(name), value);
  }
  const soft = new Map<string, { pre: string[]; post: string[] }>();
  for (const line of (await lines(directory, "modules.softdep")) ?? []) {
    // "softdep NAME pre: A B post: C", see modprobe.d(5).
    const [keyword, name, ...rest] = words(line);
    // A module's first line counts alone, as in kmod_module_get_softdeps() of libkmod.
    if (keyword !== "softdep" || name === undefined || soft.has(moduleName(name))) continue;
    const entry: { pre: string[]; post: string[] } = { pre: [], post: [] };
    let list: string[] | undefined;
    for (const word of rest) {
      if (word === "pre:") list = entry.pre;
      else if (word === "post:") list = entry.post;
      else list?.push(word);
    }
    soft.set(moduleName(name), entry);
  }
  const weak = new Map<string, readonly string[]>();
  for (const line of (await lines(directory, "modules.weakdep")) ?? []) {
    const [keyword, name, ...rest] = words(line);
    if (keyword === "weakdep" && name !== undefined) weak.set(moduleName(name), rest);
  }
  const resolve = (alias: string): readonly string[] => {
    const name = alias.includes(":") ? undefined : moduleName(alias);
    if (name !== undefined && (modules.has(name) || builtin.has(name))) return [name];
    return aliases.find(aliasName(alias)).filter((found) => modules.has(found) || builtin.has(found));
  };
  return { modules, builtin, soft, weak, builtinFirmware, resolve };
}

/** The other names of modules, most of them patterns for the modaliases of devices. */
class Aliases {
  readonly #exact = new Map<string, string[]>();
  /** By what stands before the colon: a modalias is compared with those of its own bus alone. */
  readonly #patterns = new Map<string, [pattern: string, name: string][]>();

  add(alias: string, module: string): void {
    const pattern = aliasName(alias);
    const name = moduleName(module);
    if (isGlob(pattern)) append(this.#patterns, bus(pattern), [pattern, name]);
    else append(this.#exact, pattern, name);
  }

  find(alias: string): readonly string[] {
    const matching = [bus(alias), ""].flatMap((key) => this.#patterns.get(key) ?? []);
    const found = matching.filter(([pattern]) => glob(pattern).test(alias)).map(([, name]) => name);
    return [...new Set([...(this.#exact.get(alias) ?? []), ...found])];
  }
}

function bus(alias: string): string {
  return /^[\w-]+:/.exec(alias)?.[0] ?? "";
}

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

async function lines(directory: string, file: string, end = "\n"): Promise<string[] | undefined> {
  try {
    const text = await readFile(join(directory, file), "utf8");
    return text.split(end).filter((line) => line !== "" && !line.startsWith("#"));
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
