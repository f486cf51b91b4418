/** The tree of a kernel series and an architecture as the library loads it, with kept answers. */
import { readFileSync } from "node:fs";
import { loadKconfig } from "../../src/index.ts";
import type { KconfigTree } from "../../src/index.ts";
import { confEnvironment } from "./architectures.ts";
import { answersDirectory } from "./cache.ts";
import { kernelTree } from "./kernel-tree.ts";
import type { KernelSeries } from "./kernel-tree.ts";
import { keptShell } from "./memory-host.ts";

export interface LoadedKernelTree {
  readonly tree: KconfigTree;
  readonly directory: string;
  /** The environment that it was loaded with. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the answers of its commands are. */
  readonly answers: string;
}

export async function loadKernelTree(
  series: KernelSeries,
  arch: "x86_64" | "i386" | "arm64",
): Promise<LoadedKernelTree> {
  const { directory } = kernelTree(series);
  const folder = arch === "arm64" ? arch : "x86";
  const env = confEnvironment(directory, { arch, folder, defconfigs: [] });
  const answers = answersDirectory(directory, arch);
  const tree = await loadKconfig({
    srctree: directory,
    host: {
      env,
      shell: keptShell(answers, env),
      readFile: (path) => {
        try {
          return readFileSync(path);
        } catch {
          return undefined;
        }
      },
    },
  });
  return { tree, directory, env, answers };
}

export async function loadX86Tree(series: KernelSeries): Promise<LoadedKernelTree> {
  return await loadKernelTree(series, "x86_64");
}
