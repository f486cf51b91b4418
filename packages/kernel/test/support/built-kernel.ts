import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { buildKernel, kernelCacheDir } from "../../src/index.ts";
import { DEBIAN } from "./debian.ts";

/** A kernel with a module, the one of examples/shell, in the default cache: one build serves all tests of a machine. */
export const MODULAR_KERNEL = {
  source: DEBIAN,
  features: ["base", "quiet", "serial", "screen", "poweroff", "net", "ptys", "virtio", "modules"],
  config: { DUMMY: "m" },
};

/** A small kernel that loads only modules which its build has signed; all kinds of artifacts, and little to compile. */
export const SIGNED_KERNEL = {
  source: DEBIAN,
  features: ["base", "quiet", "serial", "module-signing"],
  config: { CRC_ITU_T: "m" },
  stripModules: true,
};

/** Build directories of finished kernels for x86_64 by gcc, whichever the default cache has; one is built when it has none. */
export async function buildDirectories(): Promise<string[]> {
  const found = await finished();
  if (found.length > 0) return found;
  await buildKernel({ source: DEBIAN });
  return finished();
}

async function finished(): Promise<string[]> {
  const objects = join(kernelCacheDir(), "objects");
  const found: string[] = [];
  for (const name of (await readdir(objects).catch(() => [])).sort()) {
    if (!/^x86_64-[0-9a-f]+$/.test(name)) continue;
    const directory = join(objects, name);
    const whole = Promise.all([access(join(directory, "System.map")), access(join(directory, "vmlinux"))]);
    const is = await whole.then(
      () => true,
      () => false,
    );
    if (is) found.push(directory);
  }
  return found;
}
