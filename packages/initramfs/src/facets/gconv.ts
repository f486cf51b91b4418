import { InitramfsError } from "../error.ts";
import { basename, join } from "../internal/paths.ts";
import { type FileView, readText, resolve } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { existing, filesBelow } from "../internal/walk.ts";

/** Character sets of iconv(3) beside UTF-8 and ASCII by name; all without any. */
export const gconv: Facet = ({ view, values, libraryDirectories }) => {
  const directory = libraryDirectories
    .map((path) => join(path, "gconv"))
    .find((path) => resolve(view, path)?.node.kind === "directory");
  if (directory === undefined) {
    throw new InitramfsError(
      "INITRAMFS_NOT_FOUND",
      `There is no directory gconv in ${libraryDirectories.join(", ")}`,
      { hint: "glibc alone converts by modules; leave the facet out for musl" },
    );
  }
  const all = [...filesBelow(view, directory)];
  if (values.length === 0) {
    const objects = all.filter((path) => path.endsWith(".so"));
    return { files: all.filter((path) => !path.endsWith(".so")), objects };
  }
  const lists = all.filter((path) => basename(path) === "gconv-modules" || path.endsWith(".conf"));
  const modules = conversions(lists.map((path) => readText(view, path) ?? "").join("\n"));
  const wanted = values.flatMap((name) => {
    const found = modules(name);
    if (found.length > 0) return found;
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `No module in ${directory} converts "${name}"`, {
      hint: "See iconv -l for the names; UTF-8, UTF-16, UCS-4 and ASCII are part of glibc",
    });
  });
  // Without the cache, which tells of all modules, the lists are read; what is not there is passed over.
  return { files: lists, objects: modulesWithLibraries(view, directory, wanted) };
};

/** Lines `module FROM// TO// NAME COST` and `alias NAME// SET//` of gconv-modules. */
function conversions(text: string): (name: string) => string[] {
  const aliases = new Map<string, string>();
  const modules = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [keyword, from = "", to = "", module] = line.replace(/#.*/, "").trim().split(/\s+/);
    const [a, b] = [setName(from), setName(to)];
    if (keyword === "alias") aliases.set(a, b);
    if (keyword !== "module" || module === undefined) continue;
    for (const set of [a, b]) modules.set(set, (modules.get(set) ?? new Set()).add(module));
  }
  return (name) => {
    const set = setName(name);
    return set === "INTERNAL" ? [] : [...(modules.get(aliases.get(set) ?? set) ?? [])];
  };
}

function setName(text: string): string {
  return text.replace(/\/+$/, "").toUpperCase();
}

function modulesWithLibraries(view: FileView, directory: string, names: readonly string[]): string[] {
  return existing(
    view,
    [...new Set(names)].map((name) => join(directory, `${name}.so`)),
  );
}
