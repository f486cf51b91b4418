import { fileURLToPath } from "node:url";
import type { ArchFacts } from "../arch.ts";
import { cleanEnv, run } from "./process.ts";

// Beside features/, shipped as data: src/internal/ and dist/ reach it by different ways.
const WALKER = ["../../assets/plan-objects.mk", "../assets/plan-objects.mk"];

/**
 * The objects that a configured build directory is going to compile, found by letting make read the tree's own Kbuild
 * files; nothing is compiled. Empty when make cannot read them: the total is unknown then, not wrong.
 */
export async function plannedObjects(
  tree: string,
  objects: string,
  facts: ArchFacts,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const bundled = import.meta.url.includes("/dist/");
  const file = fileURLToPath(new URL(WALKER[bundled ? 1 : 0] ?? "", import.meta.url));
  const args = [
    "-r",
    "-R",
    "-s",
    // As the top Makefile has it: some directories include what lies deeper, by a path from the top before 6.10.
    "-I",
    tree,
    "-f",
    file,
    `srctree=${tree}`,
    `objtree=${objects}`,
    `SRCARCH=${facts.directory}`,
  ];
  const command = { file: "make", args: [...args, `ARCH=${facts.makeArch}`], cwd: objects, env: cleanEnv() };
  const finished = await run(command, { signal });
  if (finished.exitCode !== 0) return new Set();
  return new Set(finished.stdout.split("\n").filter((line) => line.endsWith(".o")));
}
