/** Options by what is below what in the Makefiles. */
import { formatCondition } from "../kbuild/condition.ts";
import type { Condition } from "../kbuild/condition.ts";
import type { KernelBytes, OptionBytes, SizedObject } from "../size.ts";

interface Node {
  readonly name: string;
  own: number;
  objects: number;
  readonly below: Map<string, Node>;
}

/** A condition as people name it: whether it is y or m is not of interest here. */
export function optionName(condition: Condition): string {
  return formatCondition(condition)
    .replaceAll(/=[ym]\b/g, "")
    .replaceAll(" || ", " or ")
    .replaceAll(" && ", " and ");
}

/** The tree of options, with the bytes of their objects. */
export function optionTree(objects: readonly SizedObject[]): OptionBytes {
  const top: Node = { name: "", own: 0, objects: 0, below: new Map() };
  for (const { options, kept, text, data, bss } of objects) {
    let at = top;
    for (const name of options) {
      const next = at.below.get(name) ?? { name, own: 0, objects: 0, below: new Map<string, Node>() };
      at.below.set(name, next);
      at = next;
    }
    at.own += kept ?? text + data + bss;
    at.objects += 1;
  }
  return summed(top);
}

function summed({ name, own, objects, below }: Node): OptionBytes {
  const children = [...below.values()]
    .map(summed)
    .sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
  return {
    name,
    own,
    total: children.reduce((sum, { total }) => sum + total, own),
    objects: children.reduce((sum, child) => sum + child.objects, objects),
    shared: name.includes(" or "),
    below: children,
  };
}

/**
 * The bytes that a kernel would be smaller by without some options, as far as objects tell: those that only lines with
 * one of the symbols bring in, by themselves or below them. What goes with an option by Kconfig, as a symbol that nothing
 * else selects, has to be named too. Not counted is what options add inside objects of others.
 *
 * @example
 * ```ts no-run
 * import { kernelSize, savedBytes } from "@justenough/kernel";
 * console.log(savedBytes(await kernelSize("out/kernel"), ["BLK_DEV_NVME", "NVME_CORE"]));
 * ```
 */
export function savedBytes(
  { objects }: { readonly objects: readonly Pick<SizedObject, "options" | "kept" | keyof KernelBytes>[] },
  symbols: readonly string[],
): number {
  const gone = new Set(symbols);
  const needsOne = (name: string): boolean =>
    !name.includes(" or ") && name.split(" and ").some((symbol) => gone.has(symbol));
  const needing = objects.filter(({ options }) => options.some(needsOne));
  return needing.reduce((sum, { kept, text, data, bss }) => sum + (kept ?? text + data + bss), 0);
}
