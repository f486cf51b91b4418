import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { parseConfig } from "@justenough/kconfig";
import { archFacts } from "../../src/arch.ts";
import type { Arch } from "../../src/arch.ts";
import { readKbuild, underConfiguration } from "../../src/index.ts";
import type { BuiltTree, KbuildTree } from "../../src/index.ts";
import { plannedObjects } from "../../src/internal/plan-objects.ts";

/** Made by rules of scripts/ alone, without a list: the link of vmlinux, and what all modules share. */
export const BY_RULE = new Set([
  "vmlinux.o",
  "init/version-timestamp.o",
  ".vmlinux.export.o",
  ".module-common.o",
]);
/** The names of symbols, of each link before the last (KALLSYMS, scripts/link-vmlinux.sh). */
const SYMBOL_TABLE = /^\.tmp_vmlinux\d+\.kallsyms\.o$/;

/** The values of a .config. */
export function valuesOf(text: string): (symbol: string) => string {
  const { values } = parseConfig(text);
  return (symbol) => values.get(symbol)?.text ?? "n";
}

export interface Comparison {
  /** What make is going to compile, without what is made by rules alone. */
  readonly make: ReadonlySet<string>;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  /** Objects of which Makefiles alone do not tell whether they are built. */
  readonly open: readonly string[];
  readonly tree: KbuildTree;
}

/** Our reading of a tree for a configuration beside make's own, which evaluates the same Makefiles. */
export async function compareWithMake(
  tree: string,
  config: string,
  arch: Arch,
  scratch: string,
): Promise<Comparison> {
  const facts = archFacts(arch);
  await mkdir(join(scratch, "include/config"), { recursive: true });
  const lines = config.split("\n").filter((line) => line.startsWith("CONFIG_"));
  await writeFile(join(scratch, "include/config/auto.conf"), `${lines.join("\n")}\n`);
  const planned = await plannedObjects(tree, scratch, facts, undefined);
  const make = new Set<string>();
  for (const path of planned) {
    // A module's .mod.o comes from modpost; the name of a firmware file from a symbol's text.
    const object = normalize(path);
    if (!object.endsWith(".mod.o") && !object.endsWith('"".gen.o') && !BY_RULE.has(object)) make.add(object);
  }
  const kbuild = await readKbuild(tree, facts.directory);
  const built = underConfiguration(kbuild, valuesOf(config));
  const ours = new Set<string>();
  const open: string[] = [];
  for (const object of kbuild.objects.keys()) {
    const as = built.builtAs(object);
    if (as === undefined) open.push(object);
    else if (as !== "n") ours.add(object);
  }
  // Composite objects are linked, not compiled, unless one of their parts has the same name.
  const owners = [...kbuild.objects.values()].flat().map(({ owner }) => owner);
  for (const owner of owners) {
    const parts = kbuild.objects.get(owner ?? "")?.filter((mention) => mention.owner !== undefined) ?? [];
    if (owner !== undefined && parts.length === 0) ours.delete(owner);
  }
  const listed = (object: string): boolean =>
    kbuild.objects.get(object)?.some(({ list }) => list === "other") ?? false;
  return {
    make,
    missing: [...make].filter((object) => !ours.has(object) && !listed(object)),
    // objcopy makes those of the EFI stub of others, which make compiles.
    extra: [...ours].filter((object) => !make.has(object) && !/\.(stub|pi)\.o$/.test(object)),
    open,
    tree: kbuild,
  };
}

/** Object files and modules in a build directory, without those of programs for the build itself. */
export async function objectsOf(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true });
  return found.filter(
    (path) => /\.k?o$/.test(path) && !/^(scripts|source|tools|arch\/[^/]+\/tools)\//.test(path),
  );
}

/** What becomes of files of a build: those with a symbol, those of every kernel, those with rules of their own, the rest. */
export function classify(
  tree: KbuildTree,
  built: BuiltTree,
  files: readonly string[],
): Readonly<Record<"symbol" | "always" | "other" | "rule" | "unknown", readonly string[]>> {
  const found = { symbol: [], always: [], other: [], rule: [], unknown: [] } as Record<
    "symbol" | "always" | "other" | "rule" | "unknown",
    string[]
  >;
  for (const file of files) {
    const object = file.replace(/(\.mod\.o|\.ko)$/, ".o");
    if (built.effects(object).length > 0)
      found[built.optionsOf(object).length > 0 ? "symbol" : "always"].push(file);
    else if (tree.objects.has(object)) found.other.push(file);
    else found[BY_RULE.has(object) || SYMBOL_TABLE.test(object) ? "rule" : "unknown"].push(file);
  }
  return found;
}

/** Modules by their path in the tree (`drivers/net/dummy.o`), of a kernel's index of them. */
export async function modulesOf(
  directory: string,
  index: "modules.order" | "modules.builtin",
): Promise<string[]> {
  const text = await readFile(join(directory, index), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^kernel\//, "").replace(/\.ko$/, ".o"));
}
