import type { Diagnostic } from "./diagnostic.ts";
import { InitramfsError } from "./error.ts";
import { readHostRange } from "./internal/host-view.ts";
import { basename, comparePaths, dirname, imagePath } from "./internal/paths.ts";
import type { LayerInfo } from "./layers/layer.ts";
import type { LayerStack } from "./layers/read-layers.ts";
import type { FileView, ViewNode } from "./internal/view.ts";

/** The bytes of a file: given, or read from this machine when the image is written. */
export type FileContent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly kind: "host";
      readonly path: string;
      readonly size: number;
      /** Where it begins, for a file within an archive. Default: it is the whole file. */
      readonly offset?: number | undefined;
    };

/** What any file of the image may have. */
export interface NodeAttributes {
  /** In words, what it is there for. */
  readonly why: string;
  /** Default 0. */
  readonly uid?: number | undefined;
  /** Default 0. */
  readonly gid?: number | undefined;
  /** Seconds since 1970, default 0. */
  readonly mtime?: number | undefined;
  /** Nodes that share a number are hard links: names of one file, equal in all but `why`. */
  readonly inode?: number | undefined;
  /** Extended attributes of an archive. An initramfs cannot hold them; they are kept to be told of. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** One file of the image. */
export type TreeNode = NodeAttributes &
  (
    | { readonly kind: "file"; readonly mode: number; readonly content: FileContent }
    | { readonly kind: "directory"; readonly mode: number }
    | { readonly kind: "link"; readonly to: string }
    | {
        readonly kind: "device";
        readonly type: "character" | "block";
        readonly mode: number;
        readonly major: number;
        readonly minor: number;
      }
    | { readonly kind: "fifo" | "socket"; readonly mode: number }
  );

const MAX_LINKS = 40;

/**
 * The image's files in memory, before they are written. Paths are absolute; a path that leads through a link
 * of the tree lands where the link points, so that `/bin/x` and `/usr/bin/x` are one file where `/bin` is a link.
 * Directories on the way to a file need not be added.
 *
 * @example
 * ```ts
 * import { FileTree } from "@justenough/initramfs";
 * const tree = new FileTree();
 * tree.add("/bin", { kind: "link", to: "usr/bin", why: "usr-merge" });
 * tree.add("/bin/tool", { kind: "file", mode: 0o755, content: { kind: "bytes", bytes: new Uint8Array() }, why: "me" });
 * console.log(tree.entries().map(([path]) => path)); // [ '/bin', '/usr', '/usr/bin', '/usr/bin/tool' ]
 * ```
 */
export class FileTree {
  readonly #nodes = new Map<string, TreeNode>();
  /** Paths that come from layers, which whatever is added may replace. */
  readonly #fromLayers = new Set<string>();
  readonly #layerNodes = new Map<string, TreeNode>();
  /** Directories that must exist for the nodes below them, with one of those nodes. */
  readonly #parents = new Map<string, string>();

  /** The layers that the tree starts from, and what was found in them. */
  readonly layers: readonly LayerInfo[];
  readonly layerDiagnostics: readonly Diagnostic[];
  /** The root directory itself, if a layer has it; else it gets the kernel's mode, which is 01777 in a tmpfs. */
  readonly root: LayerStack["root"];

  constructor({ root, nodes, layers, diagnostics }: LayerStack = { nodes: [], layers: [], diagnostics: [] }) {
    this.root = root;
    this.layers = layers;
    this.layerDiagnostics = diagnostics;
    for (const [path, node] of nodes) {
      this.#nodes.set(path, node);
      this.#fromLayers.add(path);
      this.#layerNodes.set(path, node);
      const parent = dirname(path);
      // They come sorted, and with all directories.
      if (parent !== "/" && !this.#parents.has(parent)) this.#parents.set(parent, path);
    }
  }

  /** Whether what stands at a path comes from a layer, so that adding something else replaces it. */
  isFromLayer(path: string): boolean {
    return this.#fromLayers.has(this.place(path));
  }

  /** Whether a layer has just this at a path, be it that it was added once more. */
  isAsInLayer(path: string): boolean {
    const at = this.place(path);
    const node = this.#nodes.get(at);
    const below = this.#layerNodes.get(at);
    return node !== undefined && below !== undefined && (node === below || sameNode(below, node));
  }

  /** Where a path lands in this tree; its last component is not followed. */
  place(path: string): string {
    const canonical = imagePath(path);
    let at = "";
    let links = 0;
    const pending = canonical.split("/").filter(Boolean).reverse();
    while (pending.length > 0) {
      const part = pending.pop() as string;
      if (part === "." || part === "") continue;
      if (part === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = `${at}/${part}`;
      const node = this.#nodes.get(next);
      if (node?.kind !== "link" || pending.length === 0) {
        at = next;
        continue;
      }
      if (++links > MAX_LINKS) {
        throw new InitramfsError(
          "INITRAMFS_COLLISION",
          `The links on the way to "${path}" in the image are a loop`,
        );
      }
      if (node.to.startsWith("/")) at = "";
      pending.push(...node.to.split("/").reverse());
    }
    return at === "" ? "/" : at;
  }

  /**
   * Adds a node. Adding the same again is fine; something different at the same path is an error. What comes
   * from a layer is replaced, but for a directory with something in it, which only another directory replaces.
   */
  add(path: string, node: TreeNode): void {
    const at = this.place(path);
    const existing = this.#fromLayers.has(at) ? undefined : this.#nodes.get(at);
    if (existing !== undefined) {
      if (!sameNode(existing, node)) throw collision(at, existing, node);
      return;
    }
    const child = this.#parents.get(at);
    if (child !== undefined && node.kind !== "directory") {
      throw new InitramfsError(
        "INITRAMFS_COLLISION",
        `"${at}" in the image would be both a ${node.kind} (${node.why}) and the directory of "${child}"`,
      );
    }
    for (let parent = dirname(at), below = at; parent !== "/"; below = parent, parent = dirname(parent)) {
      const other = this.#nodes.get(parent);
      if (other !== undefined && other.kind !== "directory") {
        throw new InitramfsError(
          "INITRAMFS_COLLISION",
          `"${below}" (${node.why}) cannot be in the image, because "${parent}" is a ${other.kind} there (${other.why})`,
        );
      }
      // Which child is named must not depend on the order of adding.
      const named = this.#parents.get(parent);
      if (named === undefined || comparePaths(at, named) < 0) this.#parents.set(parent, at);
    }
    this.#nodes.set(at, node);
    this.#fromLayers.delete(at);
  }

  /** The node at a path, links on the way followed, the last component not. */
  get(path: string): TreeNode | undefined {
    const at = this.place(path);
    const child = this.#parents.get(at);
    return this.#nodes.get(at) ?? (child === undefined ? undefined : parentNode(child));
  }

  /** All nodes with the directories above them: sorted by bytes, every directory before what it holds. */
  entries(): [path: string, node: TreeNode][] {
    const all = new Map<string, TreeNode>();
    for (const [path, child] of this.#parents) all.set(path, parentNode(child));
    for (const [path, node] of this.#nodes) all.set(path, node);
    return [...all].sort(([a], [b]) => comparePaths(a, b));
  }

  /** The tree as a root file system that can be searched. */
  view(): FileView {
    const nodes = new Map(this.entries());
    let children: ReadonlyMap<string, readonly string[]> | undefined;
    return {
      lookup: (path) => {
        if (path === "/") return { kind: "directory", mode: 0o755 };
        const node = nodes.get(path);
        return node === undefined ? undefined : viewNode(node);
      },
      read(path, offset, length) {
        const node = nodes.get(path);
        if (node?.kind !== "file")
          throw new InitramfsError("INITRAMFS_READ", `"${path}" is no file in the image`);
        return node.content.kind === "bytes"
          ? node.content.bytes.subarray(offset, offset + length)
          : readHostRange(node.content.path, (node.content.offset ?? 0) + offset, length);
      },
      list: (path) => {
        children ??= childrenOf(nodes.keys());
        return children.get(path) ?? [];
      },
    };
  }
}

export function contentSize(content: FileContent): number {
  return content.kind === "bytes" ? content.bytes.length : content.size;
}

function childrenOf(paths: Iterable<string>): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const path of paths) {
    const names = children.get(dirname(path));
    if (names === undefined) children.set(dirname(path), [basename(path)]);
    else names.push(basename(path));
  }
  return children;
}

function parentNode(child: string): TreeNode {
  return { kind: "directory", mode: 0o755, why: `directory of ${child}` };
}

function viewNode(node: TreeNode): ViewNode {
  switch (node.kind) {
    case "file":
      return { kind: "file", mode: node.mode, size: contentSize(node.content) };
    case "directory":
    case "link":
      return node;
    case "device":
      return { kind: "other", what: "a device", mode: node.mode };
    default:
      return { kind: "other", what: node.kind === "fifo" ? "a named pipe" : "a socket", mode: node.mode };
  }
}

/** Everything but the reason. */
function sameNode(a: TreeNode, b: TreeNode): boolean {
  if (a.kind === "file" && b.kind === "file") {
    const owned = (a.uid ?? 0) === (b.uid ?? 0) && (a.gid ?? 0) === (b.gid ?? 0);
    return a.mode === b.mode && owned && sameContent(a.content, b.content);
  }
  return JSON.stringify({ ...a, why: "" }) === JSON.stringify({ ...b, why: "" });
}

function sameContent(a: FileContent, b: FileContent): boolean {
  if (a.kind === "host" && b.kind === "host" && a.path === b.path && a.offset === b.offset) return true;
  return contentSize(a) === contentSize(b) && Buffer.compare(wholeContent(a), wholeContent(b)) === 0;
}

function wholeContent(content: FileContent): Uint8Array {
  return content.kind === "bytes"
    ? content.bytes
    : readHostRange(content.path, content.offset ?? 0, content.size);
}

function collision(path: string, a: TreeNode, b: TreeNode): InitramfsError {
  const words = (node: TreeNode): string => {
    const mode = "mode" in node ? ` of mode 0${node.mode.toString(8)}` : "";
    const from = node.kind === "file" && node.content.kind === "host" ? ` from "${node.content.path}"` : "";
    return `a ${node.kind}${mode}${from}${node.kind === "link" ? ` to "${node.to}"` : ""} (${node.why})`;
  };
  return new InitramfsError(
    "INITRAMFS_COLLISION",
    `"${path}" in the image is asked for twice: as ${words(a)} and as ${words(b)}`,
  );
}
