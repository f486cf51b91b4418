/** Which modules of a kernel stand for a device's modalias, as modprobe finds them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KernelError } from "../errors.ts";

/** A module of a kernel, or a driver that is built in and could be one. */
export interface IndexedModule {
  readonly name: string;
  /** Its object in the tree: `drivers/net/dummy.o`. */
  readonly object: string;
  /** The file in the directory of modules; undefined for one that is built in. */
  readonly file: string | undefined;
  /** Firmware that a built-in driver names; a module's is in its file. */
  readonly firmware: readonly string[];
}

interface Pattern {
  /** What a modalias begins with for the rest to be looked at. */
  readonly start: string;
  readonly text: string;
  readonly module: string;
  matcher?: RegExp;
}

export interface ModuleAliases {
  readonly modules: ReadonlyMap<string, IndexedModule>;
  /** Every line of the index: for tests and searches. */
  readonly aliases: readonly { readonly alias: string; readonly module: string }[];
  /** All that modprobe would load for a modalias, in the order of their names. */
  readonly find: (modalias: string) => readonly IndexedModule[];
}

/**
 * Reads modules.dep, modules.alias, modules.builtin and modules.builtin.modinfo (depmod(8), Documentation/kbuild/kbuild.rst).
 *
 * @throws KernelError KERNEL_SOURCE for a directory without modules.dep.
 */
export async function readModuleAliases(directory: string): Promise<ModuleAliases> {
  const read = (file: string): Promise<string> => readFile(join(directory, file), "utf8").catch(() => "");
  const dep = await readFile(join(directory, "modules.dep"), "utf8").catch((cause: unknown) => {
    throw new KernelError("KERNEL_SOURCE", `There is no modules.dep in "${directory}"`, {
      cause,
      hint: "It is the directory lib/modules/RELEASE of a kernel with modules",
    });
  });
  const modules = new Map<string, IndexedModule>();
  for (const line of dep.split("\n")) {
    const file = line.slice(0, line.indexOf(":"));
    if (file !== "") modules.set(moduleName(file), { ...named(file), file, firmware: [] });
  }
  const aliases: { alias: string; module: string }[] = [];
  for (const line of (await read("modules.alias")).split("\n")) {
    const [keyword, alias, module] = line.split(" ");
    if (keyword === "alias" && alias !== undefined && module !== undefined) {
      aliases.push({ alias: plain(alias), module: moduleName(module) });
    }
  }
  const firmware = new Map<string, string[]>();
  for (const entry of (await read("modules.builtin.modinfo")).split("\0")) {
    const [, name = "", key, value = ""] = /^([^.]+)\.(\w+)=([^]*)$/.exec(entry) ?? [];
    if (key === "alias") aliases.push({ alias: plain(value), module: moduleName(name) });
    if (key === "firmware") firmware.set(name, [...(firmware.get(name) ?? []), value]);
  }
  for (const file of (await read("modules.builtin")).split("\n")) {
    if (file === "") continue;
    const name = moduleName(file);
    modules.set(name, { ...named(file), file: undefined, firmware: firmware.get(name) ?? [] });
  }
  return { modules, aliases, find: finder(aliases, modules) };
}

/** A module's name, in which "-" and "_" are the same. */
export function moduleName(path: string): string {
  return path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

function named(file: string): Pick<IndexedModule, "name" | "object"> {
  const object = file.replace(/^kernel\//, "").replace(/\.ko(\.\w+)?$/, ".o");
  return { name: moduleName(file), object };
}

// No file in sysfs is longer, and patterns with many stars take their time.
const PAGE = 4096;

// alias_normalize() of libkmod: a "-" has a meaning between brackets only.
function plain(alias: string): string {
  return alias.replaceAll(/\[[^\]]*\]|-/g, (part) => (part === "-" ? "_" : part));
}

function finder(
  aliases: ModuleAliases["aliases"],
  modules: ReadonlyMap<string, IndexedModule>,
): ModuleAliases["find"] {
  const buses = new Map<string, Pattern[]>();
  for (const { alias, module } of aliases) {
    const wild = alias.search(/[*?[]/);
    const pattern = { start: wild < 0 ? alias : alias.slice(0, wild), text: alias, module };
    const bus = busOf(pattern.start);
    const known = buses.get(bus);
    if (known === undefined) buses.set(bus, [pattern]);
    else known.push(pattern);
  }
  return (modalias) => {
    if (modalias.length > PAGE) return [];
    const wanted = plain(modalias);
    const found = new Set<string>();
    // "acpi*:PNP0501:*" has no bus before its first wildcard.
    for (const bus of new Set([busOf(wanted), ""])) {
      for (const pattern of buses.get(bus) ?? []) {
        if (!wanted.startsWith(pattern.start)) continue;
        pattern.matcher ??= matcherOf(pattern.text);
        if (pattern.matcher.test(wanted)) found.add(pattern.module);
      }
    }
    return [...found].sort().flatMap((name) => modules.get(name) ?? []);
  };
}

function busOf(alias: string): string {
  return /^\w+:/.exec(alias)?.[0] ?? "";
}

/** fnmatch(3) without flags, as libkmod calls it. */
function matcherOf(pattern: string): RegExp {
  const source = pattern.replaceAll(/\[!?[^\]]+\]|[^]/g, (part) => {
    if (part === "*") return "[^]*";
    if (part === "?") return "[^]";
    if (part.length === 1) return part.replace(/[\\^$.|+(){}[\]/-]/, String.raw`\$&`);
    return part.replaceAll("\\", "\\\\").replace(/^\[[!^]/, "[^");
  });
  return new RegExp(`^${source}$`);
}
