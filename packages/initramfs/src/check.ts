import type { Diagnostic } from "./diagnostic.ts";
import { checkRoot } from "./internal/check-root.ts";
import { initRecords } from "./internal/init-record-file.ts";
import { lostAttributes } from "./layers/lost-attributes.ts";
import type { FileTree } from "./tree.ts";

/**
 * Tells before booting what would fail in the guest: /init absent or not executable, programs whose
 * interpreter, loader or libraries are not in the image, a program to be run that is not there; and what the
 * layers had that an image cannot hold. An `error` is something that the kernel would stop at; a `warning` concerns a file that may never be used.
 *
 * @example
 * ```ts
 * import { checkInitramfs, FileTree } from "@justenough/initramfs";
 * console.log(checkInitramfs(new FileTree())[0]?.message); // There is no /init in the image
 * ```
 */
export function checkInitramfs(tree: FileTree): Diagnostic[] {
  const view = tree.view();
  const restored = initRecords(view, "capability").map((record) => record.slice(record.indexOf(":") + 1));
  return [...checkRoot(view), ...tree.layerDiagnostics, ...lostAttributes(tree.entries(), new Set(restored))];
}
