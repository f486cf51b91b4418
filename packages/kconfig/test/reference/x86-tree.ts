/** The x86_64 tree of a kernel series as the library loads it, with kept answers. */
import { readFileSync } from "node:fs";
import { loadKconfig } from "../../src/index.ts";
import type { KconfigTree } from "../../src/index.ts";
import { confEnvironment } from "./architectures.ts";
import { answersDirectory } from "./cache.ts";
import { kernelTree } from "./kernel-tree.ts";
import type { KernelSeries } from "./kernel-tree.ts";
import { keptShell } from "./memory-host.ts";

export async function loadX86Tree(
  series: KernelSeries,
): Promise<{ readonly tree: KconfigTree; readonly directory: string }> {
  const { directory } = kernelTree(series);
  const env = confEnvironment(directory, { arch: "x86_64", folder: "x86", defconfigs: [] });
  const tree = await loadKconfig({
    srctree: directory,
    host: {
      env,
      shell: keptShell(answersDirectory(directory, "x86_64"), env),
      readFile: (path) => {
        try {
          return readFileSync(path);
        } catch {
          return undefined;
        }
      },
    },
  });
  return { tree, directory };
}
