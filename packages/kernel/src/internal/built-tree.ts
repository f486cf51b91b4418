import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { KernelError } from "../errors.ts";
import { formatCommand } from "./process.ts";

/**
 * Refuses a tree that was built in place. Kbuild refuses to build beside such a one (`outputmakefile` in the top
 * Makefile looks for .config, include/config and the generated headers), since the compiler would find the old headers.
 */
export async function refuseBuilt(tree: string, given: string): Promise<void> {
  const here = async (path: string): Promise<boolean> =>
    (await stat(join(tree, path)).catch(() => undefined)) !== undefined;
  const arches = (await readdir(join(tree, "arch")).catch(() => [])).sort();
  const built: string[] = [];
  for (const arch of arches) if (await here(`arch/${arch}/include/generated`)) built.push(arch);
  const candidates = [".config", "include/config", "include/generated"];
  const leftovers = [...candidates, ...built.map((arch) => `arch/${arch}/include/generated`)];
  const found: string[] = [];
  for (const path of leftovers) if (await here(path)) found.push(path);
  if (found.length === 0) return;
  // make mrproper cleans one architecture, the machine's own unless it is told.
  const commands = [[], ...built.filter((arch) => arch !== "x86").map((arch) => [`ARCH=${arch}`])]
    .filter((_, index) => index > 0 || built.length === 0 || built.includes("x86"))
    .map((arch) => formatCommand({ file: "make", args: ["-C", tree, ...arch, "mrproper"] }));
  const keep = found.includes(".config")
    ? ` Keep its configuration before: ${formatCommand({ file: "cp", args: [join(tree, ".config"), "../saved.config"] })}.`
    : "";
  const clone = (await here(".git"))
    ? ` Or take what is committed there, without touching the tree, as a git source: ${formatCommand({ file: "kbuild", args: ["fetch", "--source", `git:${tree}`] })}`
    : "";
  throw new KernelError(
    "KERNEL_SOURCE",
    `The tree "${given}" was built in place: it has ${found.map((path) => `"${path}"`).join(", ")}, and cannot be built out of tree so`,
    {
      hint: `Clean it, which removes its .config, all objects and generated files and no source: ${commands.join(" && ")}.${keep}${clone}`,
    },
  );
}
