import type { Diagnostic } from "../diagnostic.ts";
import { compareNames } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import { decodeCapabilities } from "./capabilities.ts";

export const CAPABILITY = "security.capability";

/** What an initramfs cannot hold: the newc format has no extended attributes. */
export function lostAttributes(entries: readonly (readonly [path: string, node: TreeNode])[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const others = new Map<string, string[]>();
  for (const [path, { xattrs }] of entries) {
    for (const [name, value] of xattrs ?? []) {
      if (name === CAPABILITY) diagnostics.push(lostCapabilities(path, value));
      else others.set(name, [...(others.get(name) ?? []), path]);
    }
  }
  for (const [name, paths] of [...others].sort(([a], [b]) => compareNames(a, b))) {
    const more = paths.length === 1 ? "" : ` and ${paths.length - 1} others`;
    diagnostics.push({
      code: "lost-xattr",
      severity: "note",
      path: paths[0],
      message: `The extended attribute "${name}" of ${paths[0]}${more} is lost: an initramfs has none`,
    });
  }
  return diagnostics;
}

function lostCapabilities(path: string, value: Uint8Array): Diagnostic {
  const names = decodeCapabilities(value)?.permitted.join(", ") ?? "in an unknown format";
  return {
    code: "lost-capabilities",
    severity: "warning",
    path,
    message: `The file capabilities of ${path} (${names}) are lost: an initramfs has none`,
    hint: "It works for root only; for others set them at boot (setcap), or the setuid bit",
  };
}
