import { InitramfsError } from "../error.ts";
import { glob, isGlob } from "./glob.ts";
import { aliasName, MODULE_SUFFIX, type ModuleIndex, moduleName } from "./module-index.ts";
import { nearest } from "./suggest.ts";

/** A module's file with the reason for it. */
export interface OrderedModule {
  readonly source: string;
  readonly why: string;
  readonly load: boolean;
}

export interface SelectedModules {
  /** Names with the words by which they were asked for. */
  readonly wanted: ReadonlyMap<string, string>;
  readonly builtin: readonly string[];
}

/** Finds what names, modaliases and patterns stand for, in an order that does not depend on the list's. */
export function selectModules(
  index: ModuleIndex,
  names: readonly string[],
  directory: string,
): SelectedModules {
  const wanted = new Map<string, string>();
  const builtin = new Set<string>();
  for (const text of [...new Set(names)].sort()) {
    const found = isGlob(text) && !text.includes(":") ? matching(index, text) : index.resolve(text);
    if (found.length === 0) throw unknownModule(directory, text, index);
    for (const name of found) {
      if (!index.modules.has(name)) builtin.add(name);
      else if (!wanted.has(name)) wanted.set(name, `kernel module "${text}"`);
    }
  }
  return { wanted: new Map([...wanted].sort(([a], [b]) => (a < b ? -1 : 1))), builtin: [...builtin].sort() };
}

/** A pattern with a slash is for paths, as they are in modules.dep; one without for names. */
function matching(index: ModuleIndex, text: string): string[] {
  if (text.includes("/")) {
    const pattern = glob(text.replace(MODULE_SUFFIX, ""));
    return [...index.modules]
      .filter(([, { path }]) => pattern.test(path.replace(MODULE_SUFFIX, "")))
      .map(([name]) => name);
  }
  const pattern = glob(aliasName(text.replace(MODULE_SUFFIX, "")));
  return [...index.modules.keys(), ...index.builtin].filter((name) => pattern.test(name));
}

/** Modules behind what they need, in the order of modprobe; behind all of them what they may ask for later. */
export function orderModules(index: ModuleIndex, wanted: ReadonlyMap<string, string>): OrderedModule[] {
  const order = new Map<string, OrderedModule>();
  for (const [name, why] of wanted) addModule(index, order, name, why, true);
  // What was named is there for that, though it may have come as something that another needs.
  for (const [source, module] of order) {
    const why = wanted.get(moduleName(source));
    if (why !== undefined) order.set(source, { ...module, why });
  }
  // More are added while it goes on: those may ask for others.
  for (const { source } of order.values()) {
    const own = moduleName(source);
    for (const name of (index.weak.get(own) ?? []).flatMap(index.resolve)) {
      addModule(index, order, name, `may be asked for by ${own}`, false);
    }
  }
  return [...order.values()];
}

/** As libkmod's kmod_module_get_probe_list(). */
function addModule(
  index: ModuleIndex,
  order: Map<string, OrderedModule>,
  name: string,
  reason: string,
  load: boolean,
  visited = new Set<string>(),
): void {
  const entry = index.modules.get(name);
  if (entry === undefined || visited.has(name)) return;
  visited.add(name);
  // Recommended neighbours are often algorithms that are asked for by name at run time; absent ones are fine.
  const neighbours = (list: readonly string[] | undefined, own: string): void => {
    for (const other of (list ?? []).flatMap(index.resolve)) {
      addModule(index, order, other, `recommended by ${own}`, load, visited);
    }
  };
  // The line of modules.dep has all dependencies, also indirect ones, the last to be loaded first.
  for (const source of [...[...entry.dependencies].reverse(), entry.path]) {
    const own = moduleName(source);
    const soft = index.soft.get(own);
    neighbours(soft?.pre, own);
    const why = source === entry.path ? reason : `needed by ${name}`;
    if (!order.has(source)) order.set(source, { source, why, load });
    neighbours(soft?.post, own);
  }
}

function unknownModule(directory: string, text: string, index: ModuleIndex): InitramfsError {
  const kernel = `The kernel in "${directory}"`;
  if (text.includes(":") || isGlob(text)) {
    const what = text.includes(":") ? "for the modalias" : "that matches";
    return new InitramfsError("INITRAMFS_MODULE_NOT_FOUND", `${kernel} has no module ${what} "${text}"`, {
      hint: "See its modules.dep and modules.alias for what it has",
    });
  }
  const name = moduleName(text);
  const guess = nearest(name, [...index.modules.keys(), ...index.builtin]);
  return new InitramfsError(
    "INITRAMFS_MODULE_NOT_FOUND",
    `${kernel} has no module "${name}", neither as a file nor built in`,
    { hint: guess === undefined ? "See its modules.dep for what it has" : `Did you mean "${guess}"?` },
  );
}
