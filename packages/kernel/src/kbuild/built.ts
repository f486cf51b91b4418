/** What the build makes of a tree under one configuration. */
import { and, formatCondition, holds, or } from "./condition.ts";
import type { Condition } from "./condition.ts";
import type { Mention } from "./directory.ts";
import type { KbuildTree } from "./tree.ts";

/** Into the kernel, as a module or into one, or not at all; undefined when Makefiles alone do not tell. */
export type BuiltAs = "y" | "m" | "n" | undefined;

/** A line in effect: with its directory and owner it brings the object in. */
export interface Effect {
  readonly mention: Mention;
  readonly as: "y" | "m";
}

/** The tree under one configuration. */
export interface BuiltTree {
  /** How an object is built, whichever line does it. */
  readonly builtAs: (object: string) => BuiltAs;
  /** The lines that bring an object in. */
  readonly effects: (object: string) => readonly Effect[];
  /**
   * For what an object is there: a condition for each line that has one, from the top directory's down to the object's
   * own. Lines that do the same are one condition with "or". Empty for what is in every kernel.
   */
  readonly optionsOf: (object: string) => readonly Condition[];
}

/**
 * Evaluates a tree for a configuration.
 *
 * @param valueOf - the value of a symbol without CONFIG_; "n" or "" for one that is off.
 * @example
 * ```ts no-run
 * import { readKbuild, underConfiguration } from "@justenough/kernel";
 * const built = underConfiguration(await readKbuild("linux", "x86"), (symbol) => (symbol === "NET" ? "y" : "n"));
 * console.log(built.builtAs("net/socket.o")); // y
 * ```
 */
export function underConfiguration(tree: KbuildTree, valueOf: (symbol: string) => string): BuiltTree {
  type Found = { readonly as: BuiltAs; readonly effects: readonly Effect[] };
  const directories = new Map<string, Found>();
  const objects = new Map<string, Found>();
  const nothing: Found = { as: "n", effects: [] };

  const found = (known: Map<string, Found>, name: string, work: () => Found): Found => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // A directory that lists itself, or an object that is a part of itself, is not there for that.
    known.set(name, nothing);
    const result = work();
    known.set(name, result);
    return result;
  };

  const inEffect = (mentions: readonly Mention[], inside: (mention: Mention) => BuiltAs): Found => {
    const effects: Effect[] = [];
    let open = false;
    for (const mention of mentions) {
      const around = inside(mention);
      const [builtin, module] = [holds(mention.builtin, valueOf), holds(mention.module, valueOf)];
      if (around === "y" && builtin === true) effects.push({ mention, as: "y" });
      else if (around !== "n" && around !== undefined && module === true) effects.push({ mention, as: "m" });
      else open ||= (around !== "n" && builtin === undefined) || (around === undefined && builtin !== false);
    }
    const as = effects.find((one) => one.as === "y") ?? effects[0];
    return { as: as?.as ?? (open ? undefined : "n"), effects };
  };

  const directory = (path: string): Found =>
    path === "."
      ? { as: "y", effects: [] }
      : found(directories, path, () => visited(tree.directories.get(path) ?? []));

  // Within a directory that is visited for its modules alone, so is one that is listed to be built in.
  const visited = (mentions: readonly Mention[]): Found => {
    const found = inEffect(mentions, ({ directory: above }) => directory(above).as);
    const more = mentions.filter(
      (mention) => directory(mention.directory).as === "m" && holds(mention.builtin, valueOf) === true,
    );
    const effects = [...found.effects, ...more.map((mention) => ({ mention, as: "m" }) as const)];
    return effects.length === found.effects.length ? found : { as: found.as === "y" ? "y" : "m", effects };
  };

  // A part is in the kernel when its owner is, and in a module when that one is.
  const object = (path: string): Found =>
    found(objects, path, () => {
      const mentions = tree.objects.get(path) ?? [];
      const alone = mentions.filter(({ list }) => list === "obj" || list === "lib");
      const own = inEffect(alone, (mention) => directory(mention.directory).as);
      const parts: Effect[] = [];
      let open = own.as === undefined;
      for (const mention of mentions) {
        if (mention.owner === undefined) continue;
        const as = object(mention.owner).as;
        if (as === "y" && holds(mention.builtin, valueOf) === true) parts.push({ mention, as });
        if (as === "m" && holds(mention.module, valueOf) === true) parts.push({ mention, as });
        open ||= as === undefined || (as !== "n" && holds(mention.module, valueOf) === undefined);
      }
      const effects = [...own.effects, ...parts];
      const as = effects.find((one) => one.as === "y") ?? effects[0];
      return { as: as?.as ?? (open ? undefined : "n"), effects };
    });

  const chains = new Map<string, readonly Condition[]>();
  const merged = (name: string, effects: readonly Effect[]): readonly Condition[] => {
    const before = chains.get(name);
    if (before !== undefined) return before;
    chains.set(name, []);
    // What is in the kernel is not there for a line that would put it into a module.
    const strong = effects.filter(({ as }) => as === "y");
    const chain = together((strong.length > 0 ? strong : effects).map(chainOf));
    chains.set(name, chain);
    return chain;
  };
  const chainOf = ({ mention, as }: Effect): readonly Condition[] => {
    const own = as === "y" || mention.module.kind === "never" ? mention.builtin : mention.module;
    const above = mention.owner ?? `${mention.directory}/`;
    const around = mention.owner === undefined ? directory(mention.directory) : object(mention.owner);
    return [...merged(above, around.effects), ...(own.kind === "always" ? [] : [own])];
  };

  return {
    builtAs: (path) => object(path).as,
    effects: (path) => object(path).effects,
    optionsOf: (path) => merged(path, object(path).effects),
  };
}

/** What several lines that have the same in them ask for: what all ask, then one or the other. */
function together(chains: readonly (readonly Condition[])[]): readonly Condition[] {
  const [first = [], ...others] = chains;
  if (others.length === 0) return first;
  const same = (index: number): boolean => {
    const text = first[index] === undefined ? undefined : formatCondition(first[index]);
    return others.every((chain) => chain[index] !== undefined && formatCondition(chain[index]) === text);
  };
  let common = 0;
  while (common < first.length && same(common)) common += 1;
  const rest = or(...chains.map((chain) => and(...chain.slice(common))));
  return rest.kind === "always" ? first.slice(0, common) : [...first.slice(0, common), rest];
}
