import { createHash } from "node:crypto";
import type { PxeBundle } from "../bundle-files.ts";
import type { VirtualFile } from "../virtual-files.ts";

/**
 * Give the files of a bundle names of their own, the same for the same paths, so that many bundles are served
 * side by side.
 */
export function publishBundle(
  files: Map<string, VirtualFile>,
  bundle: PxeBundle,
): { kernel: string; initrd: string[] } {
  const paths = JSON.stringify([bundle.kernel, bundle.initrd]);
  const place = `b/${createHash("sha256").update(paths).digest("hex").slice(0, 16)}`;
  const kernel = `${place}/kernel`;
  files.set(kernel, { kind: "path", path: bundle.kernel, role: "kernel" });
  const initrd = bundle.initrd.map((path, index) => {
    const name = `${place}/initrd/${index}`;
    files.set(name, { kind: "path", path, role: "initrd" });
    return name;
  });
  if (bundle.manifest !== undefined) {
    files.set(`${place}/manifest.json`, { kind: "path", path: bundle.manifest });
  }
  return { kernel, initrd };
}
