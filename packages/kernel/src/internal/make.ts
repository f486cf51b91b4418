import { relative } from "node:path";
import type { ArchFacts } from "../arch.ts";
import { cleanEnv } from "./process.ts";
import type { Command } from "./process.ts";

// The same everywhere and for ever: two builds of one source and configuration are to be equal.
const REPRODUCIBLE: Readonly<Record<string, string>> = {
  KBUILD_BUILD_TIMESTAMP: "Thu Jan  1 00:00:00 UTC 1970",
  KBUILD_BUILD_USER: "justenough",
  KBUILD_BUILD_HOST: "justenough",
  KBUILD_BUILD_VERSION: "1",
  // Set though empty: scripts/setlocalversion must not look for a git repository around the tree.
  LOCALVERSION: "",
};

// Kconfig asks these tools for their versions and offers symbols by the answers: without them a configuration depends
// on the source and the compiler alone, on every machine.
const LEFT_OUT = ["RUSTC=false", "BINDGEN=false", "PAHOLE=false"];

/** Arguments that let pahole in again, for kernels that ask for BTF; the last word counts. */
export const WITH_PAHOLE: readonly string[] = ["PAHOLE=pahole"];

/** A call of make for a tree, out of tree if there is a build directory. All that it needs is among its arguments, so that it can be typed again. */
export function makeCommand(
  tree: string,
  objects: string | undefined,
  facts: ArchFacts,
  args: readonly string[],
): Command {
  const beside = objects === undefined ? [] : [`O=${objects}`];
  const fixed = Object.entries(REPRODUCIBLE).map(([name, value]) => `${name}=${value}`);
  return {
    file: "make",
    args: ["-C", tree, ...beside, `ARCH=${facts.makeArch}`, ...fixed, ...LEFT_OUT, ...args],
    env: cleanEnv(),
  };
}

/**
 * Compiler flags that keep the two directories out of the objects, in each form in which compilers meet them: ccache gives
 * them relative to the build directory, and debugging information names that itself.
 */
export function prefixMaps(tree: string, objects: string): string[] {
  const maps = [
    [objects, "."],
    [`${objects}/`, ""],
    [`${tree}/`, ""],
    [`${relative(objects, tree)}/`, ""],
  ];
  const flags = maps.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`).join(" ");
  return [`KCFLAGS=${flags}`, `KAFLAGS=${flags}`];
}
