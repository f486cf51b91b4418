import { dirname, imagePath, join } from "./paths.ts";

/** What stands at a path, links not followed. */
export type ViewNode =
  | { readonly kind: "file"; readonly mode: number; readonly size: number }
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "link"; readonly to: string }
  | { readonly kind: "other"; readonly what: string; readonly mode: number };

/**
 * A file system that is only looked at: the machine's own, a sysroot, or the image being built. The same
 * search runs over all of them, so that what it finds on the host can be proved for the image.
 */
export interface FileView {
  /** The node at a canonical path of which no parent is a link. */
  lookup(path: string): ViewNode | undefined;
  /** Bytes of a file, fewer at its end. */
  read(path: string, offset: number, length: number): Uint8Array;
  /** Names in a directory, sorted. */
  list(path: string): readonly string[];
}

/** Where a path leads. */
export interface Resolved {
  /** The canonical path without any link. */
  readonly path: string;
  readonly node: ViewNode;
  /** The links on the way, in the order of passing. */
  readonly links: readonly { readonly path: string; readonly to: string }[];
}

/** Linux gives up after so many, MAXSYMLINKS of include/linux/namei.h. */
const MAX_LINKS = 40;

/** Follows every link, component by component, as the kernel would do with the view as its root. */
export function resolve(view: FileView, path: string): Resolved | undefined {
  const links: { path: string; to: string }[] = [];
  const pending = path.split("/").reverse();
  let at = "/";
  let node: ViewNode | undefined = view.lookup("/");
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, part);
    node = view.lookup(next);
    if (node === undefined) return undefined;
    if (node.kind === "link") {
      links.push({ path: next, to: node.to });
      if (links.length > MAX_LINKS) return undefined;
      if (node.to.startsWith("/")) at = "/";
      pending.push(...node.to.split("/").reverse());
      continue;
    }
    at = next;
  }
  node = view.lookup(at);
  return node === undefined ? undefined : { path: at, node, links };
}

/** Like {@link resolve}, for regular files only. */
export function resolveFile(
  view: FileView,
  path: string,
): (Resolved & { readonly size: number }) | undefined {
  const found = resolve(view, imagePath(path));
  return found?.node.kind === "file" ? { ...found, size: found.node.size } : undefined;
}

/** A small text file, `undefined` if there is none. */
export function readText(view: FileView, path: string, limit = 1 << 20): string | undefined {
  const found = resolveFile(view, path);
  if (found === undefined) return undefined;
  return new TextDecoder().decode(view.read(found.path, 0, Math.min(found.size, limit)));
}
