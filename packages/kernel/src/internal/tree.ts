import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Whether a directory is a kernel's source tree: its Kconfig and the heart of Kbuild are there. */
export async function isTree(directory: string): Promise<boolean> {
  const isFile = async (name: string): Promise<boolean> =>
    (await stat(join(directory, name)).catch(() => undefined))?.isFile() === true;
  return (await isFile("Kconfig")) && (await isFile("scripts/Kbuild.include"));
}

/** The version that the top Makefile states, as `make kernelversion` prints it. */
export async function treeVersion(tree: string): Promise<string | undefined> {
  const makefile = await readFile(join(tree, "Makefile"), "utf8").catch(() => "");
  const value = (name: string): string => new RegExp(`^${name} =[ \\t]*(.*)$`, "m").exec(makefile)?.[1] ?? "";
  const [version, level, sublevel] = [value("VERSION"), value("PATCHLEVEL"), value("SUBLEVEL")];
  if (version === "" || level === "") return undefined;
  return `${version}.${level}${sublevel === "" ? "" : `.${sublevel}`}${value("EXTRAVERSION")}`;
}

/**
 * Unpacks with `unpack` and moves the tree to `directory`, whether the archive has it at its top or in a directory of
 * its own. What lies beside such a directory is no part of the tree. Without a tree nothing is moved.
 */
export async function unpackLayout(
  directory: string,
  unpack: (inside: string) => Promise<void>,
): Promise<void> {
  const inside = join(directory, ".unpacked");
  await mkdir(inside);
  await unpack(inside);
  let top = inside;
  if (!(await isTree(inside))) {
    const entries = await readdir(inside, { withFileTypes: true });
    const paths = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(inside, name));
    const trees: string[] = [];
    for (const path of paths) if (await isTree(path)) trees.push(path);
    const [only] = trees;
    if (only === undefined || trees.length > 1) return;
    top = only;
  }
  for (const name of await readdir(top)) await rename(join(top, name), join(directory, name));
  await rm(inside, { recursive: true });
}
