import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "../../src/index.ts";

/** Makes a cache that shares nothing with the default one but sources; what is built in it disturbs no other test. */
export async function ownCache(cacheDir: string): Promise<string> {
  const cache = kernelCacheDir({ cacheDir });
  await mkdir(cache, { recursive: true });
  for (const name of ["sources", "downloads"]) {
    await mkdir(join(kernelCacheDir(), name), { recursive: true });
    await rm(join(cache, name), { force: true });
    await symlink(join(kernelCacheDir(), name), join(cache, name));
  }
  return cacheDir;
}
