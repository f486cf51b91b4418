/** What the Makefiles of directories find: the top Makefile's and the architecture's variables. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ALWAYS, not, whenSymbol } from "./condition.ts";
import { readVariables } from "./directory.ts";
import type { Environment } from "./variables.ts";
import { constant } from "./words.ts";
import type { Value } from "./words.ts";

/** Lists of an architecture's Makefile, whose directories are named from the top of the tree. */
const ARCH_LISTS = {
  ARCH_CORE: ["core-y", "core-m", "init-y", "head-y"],
  ARCH_LIB: ["libs-y", "libs-m"],
  ARCH_DRIVERS: ["drivers-y", "drivers-m", "net-y", "net-m"],
} as const;

/** Reads what all directories of a tree share, and returns what each one finds. */
export async function readEnvironment(
  tree: string,
  sourceArch: string,
): Promise<(directory: string) => Environment> {
  const read = (path: string): Promise<string> => readFile(join(tree, path), "utf8").catch(() => "");
  const scripts = (await readdir(join(tree, "scripts")).catch(() => [])).filter((name) =>
    /^(Makefile\..*|Kbuild\.include)$/.test(name),
  );
  const files = [
    "Makefile",
    `arch/${sourceArch}/Makefile`,
    ...scripts.sort().map((name) => `scripts/${name}`),
  ];
  const outside = new Set<string>();
  for (const file of files) for (const name of assignedNames(await read(file))) outside.add(name);

  // Since 6.10 $(src) begins with the tree's path ("kbuild: use $(src) instead of $(srctree)/$(src)"). The path is "/"
  // here, so that what is behind "//" is relative to the tree.
  const prefix = /^src := \.?\$\(obj\)$/m.test(await read("scripts/Makefile.build")) ? "" : "//";
  const is64 = whenSymbol("64BIT", "on");
  const values = new Map<string, Value>([
    ["ARCH", constant(sourceArch)],
    ["SRCARCH", constant(sourceArch)],
    ["srctree", constant("/")],
    ["objtree", constant(".")],
    // The architectures' Makefiles set and export it.
    [
      "BITS",
      {
        kind: "choice",
        words: [
          { text: "64", when: is64 },
          { text: "32", when: not(is64) },
        ],
      },
    ],
    ["KBUILD_EXTMOD", constant("")],
  ]);
  const inDirectory = (directory: string): Environment => ({
    outside,
    values: new Map([...values, ["src", constant(prefix + directory)], ["obj", constant(directory)]]),
  });
  // Some put their own before what the top Makefile has in them: "libs-y := arch/arm64/lib/ $(libs-y)".
  const lists = Object.values(ARCH_LISTS).flat();
  const before = inDirectory(".");
  const empty = lists.map((name) => [name, constant("")] as const);
  const environment = { outside, values: new Map([...before.values, ...empty]) };
  const arch = await readVariables(`arch/${sourceArch}/Makefile`, { tree, environment });
  for (const [name, parts] of Object.entries(ARCH_LISTS)) {
    const words = parts.flatMap((list) => arch?.words(list).words ?? []);
    // Common to all architectures, from the top Makefile.
    const common = name === "ARCH_LIB" ? [{ text: "lib/", when: ALWAYS }] : [];
    values.set(name, { kind: "list", words: [...common, ...words] });
  }
  return inDirectory;
}

function* assignedNames(makefile: string): Generator<string> {
  for (const [, name = ""] of makefile.matchAll(/^\s*(?:export\s+|override\s+)*([\w-]+)\s*[:+?]*=/gm))
    yield name;
  for (const [, names = ""] of makefile.matchAll(/^\s*(?:export|define)\s+([^=\n]+)$/gm)) {
    yield* names.split(/\s+/).filter((name) => name !== "");
  }
}
