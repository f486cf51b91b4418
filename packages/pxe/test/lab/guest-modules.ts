/** Kernel modules of the network card for the lab's guest: the distribution's kernel has none built in. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { cloudKernel } from "./guest.ts";

const run = promisify(execFile);

/** In the order in which they are loaded. */
export const NETWORK_MODULES = [
  "virtio_ring",
  "virtio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "failover",
  "net_failover",
  "virtio_net",
] as const;

/** The directory of the modules that fit `cloudKernel()`, kept beside it. */
export async function networkModules(): Promise<string> {
  const kernel = await cloudKernel();
  const kept = `${kernel}.network`;
  if ((await readdir(kept).catch(() => [])).length === NETWORK_MODULES.length) return kept;
  const work = await mkdtemp(`${kept}-`);
  try {
    await run("apt-get", ["download", basename(kernel)], { cwd: work });
    const [deb = ""] = await readdir(work);
    await run("dpkg", ["-x", deb, "tree"], { cwd: work });
    const all = await readdir(join(work, "tree"), { recursive: true });
    await mkdir(join(work, "modules"));
    for (const name of NETWORK_MODULES) {
      const file = all.find((path) => new RegExp(`/${name}\\.ko(\\.xz)?$`).test(path));
      if (file === undefined) throw new Error(`${deb} holds no module ${name}`);
      const path = join(work, "tree", file);
      const options = { encoding: "buffer", maxBuffer: 1 << 24 } as const;
      const bytes = path.endsWith(".xz")
        ? (await run("xz", ["-dc", path], options)).stdout
        : await readFile(path);
      await writeFile(join(work, "modules", `${name}.ko`), bytes);
    }
    await rm(kept, { recursive: true, force: true });
    await rename(join(work, "modules"), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}
