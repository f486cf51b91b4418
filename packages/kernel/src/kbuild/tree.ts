import { readDirectory } from "./directory.ts";
import type { Mention, NotRead } from "./directory.ts";
import { readEnvironment } from "./environment.ts";

/** What the Makefiles of a kernel's tree build, and for which symbols. */
export interface KbuildTree {
  /** The name of the directory below arch/. */
  readonly sourceArch: string;
  /** By object (`fs/ext4/inode.o`), relative to the tree: every line that lists it. */
  readonly objects: ReadonlyMap<string, readonly Mention[]>;
  /** By directory (`fs/ext4`): every line that makes the build go there. The top is not among them. */
  readonly directories: ReadonlyMap<string, readonly Mention[]>;
  /** Lines of lists that were not understood: what they list is missing. */
  readonly notRead: readonly NotRead[];
}

/** Visited by rules of their own, and never by a list (`archprepare`, `zipfile` and the like of the arch Makefiles). */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  x86: ["arch/x86/boot", "arch/x86/boot/compressed", "arch/x86/realmode/rm", "arch/x86/entry/vdso/vdso32"],
  arm64: ["arch/arm64/boot", "arch/arm64/kernel/vdso", "arch/arm64/kernel/vdso32", "arch/arm64/kvm/hyp/nvhe"],
  riscv: ["arch/riscv/boot", "arch/riscv/kernel/vdso", "arch/riscv/kernel/compat_vdso"],
};

/**
 * Reads the Kbuild files of a tree as they are for every configuration at once, without running make: which line builds
 * which object, and on which symbols that depends (Documentation/kbuild/makefiles.rst). A line that it does not
 * understand is listed, never guessed.
 *
 * @param tree - a kernel's source tree, Linux 4.20 or newer.
 * @param sourceArch - the name of a directory below arch/: `x86`.
 * @example
 * ```ts no-run
 * import { fetchSource, readKbuild, resolveSource } from "@justenough/kernel";
 * const tree = await fetchSource(await resolveSource({ kind: "debian", series: "6.12" }));
 * const { objects } = await readKbuild(tree, "x86");
 * console.log(objects.get("drivers/net/dummy.o"));
 * ```
 */
export async function readKbuild(tree: string, sourceArch: string): Promise<KbuildTree> {
  const environmentOf = await readEnvironment(tree, sourceArch);
  const objects = new Map<string, Mention[]>();
  const directories = new Map<string, Mention[]>();
  const notRead: NotRead[] = [];
  const add = (map: Map<string, Mention[]>, path: string, mention: Mention): void => {
    const known = map.get(path);
    if (known === undefined) map.set(path, [mention]);
    else known.push(mention);
  };
  const beside = BESIDE[sourceArch] ?? [];
  const reached = new Set<string>();
  let waiting = [".", ...beside];
  while (waiting.length > 0) {
    const next: string[] = [];
    for (const directory of waiting) {
      if (reached.has(directory)) continue;
      reached.add(directory);
      const lists = await readDirectory(directory, { tree, environment: environmentOf(directory) });
      if (lists === undefined) continue;
      for (const [path, mention] of lists.objects) add(objects, path, mention);
      for (const [path, mention] of lists.directories) {
        add(directories, path, mention);
        next.push(path);
      }
      notRead.push(...lists.notRead);
    }
    waiting = next;
  }
  return { sourceArch, objects, directories, notRead };
}
