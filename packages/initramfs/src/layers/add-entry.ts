import { setImmediate } from "node:timers/promises";

import { checkAborted } from "../context.ts";
import { quoteName } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import type { ByteSource } from "./byte-source.ts";
import { entryPath, linkTarget } from "./entry-path.ts";
import type { LayerContext } from "./layer.ts";
import { layerError } from "./layer-error.ts";
import { type Directory, find, isDirectory, type Leaf, put } from "./root.ts";
import { readTar, type TarEntry } from "./tar.ts";

const U32 = 0xffff_ffff;

/** Where entries go, and what is said of them. */
export interface EntryTarget {
  readonly root: Directory;
  readonly archive: string;
  readonly why: string;
  readonly source: ByteSource;
  /** What hard links may lead to beside the archive's own files. */
  readonly below?: Directory | undefined;
}

/**
 * Puts all entries of the archive into the tree, but those that `skip` has dealt with. Now and then others get their
 * turn: otherwise nobody could give up.
 */
export async function addEntries(
  target: EntryTarget,
  context: LayerContext,
  skip: (entry: TarEntry) => boolean = () => false,
): Promise<void> {
  let count = 0;
  for (const entry of readTar(target.source, target.archive)) {
    if (++count % 1000 === 0) await setImmediate();
    checkAborted(context.signal);
    if (!skip(entry)) addEntry(entry, target, context);
  }
}

/** Checks an entry and puts it into the tree. What cannot be in an image is an error that names the entry. */
function addEntry(entry: TarEntry, target: EntryTarget, context: LayerContext): void {
  const { archive, root, why } = target;
  context.budget.entry(archive);
  const parts = entryPath(entry.name, archive);
  if (entry.type === "hardlink") {
    put(root, parts, hardLink(entry, target), archive);
    return;
  }
  const node = toNode(entry, why, target, context);
  put(root, parts, node.kind === "directory" ? node : { node, file: {} }, archive);
}

function toNode(
  entry: TarEntry,
  why: string,
  { archive, source }: EntryTarget,
  context: LayerContext,
): TreeNode {
  const { mode, name, size, offset } = entry;
  const common = { why, ...attributes(entry, archive, context.keepTimes) };
  switch (entry.type) {
    case "directory":
    case "fifo":
      return { kind: entry.type, mode, ...common };
    case "symlink":
      return { kind: "link", to: linkTarget(entry.linkname, name, archive), ...common };
    case "character":
    case "block": {
      const { major, minor } = entry;
      // 12 and 20 bits: include/linux/kdev_t.h.
      if (!(major >= 0 && major < 1 << 12 && minor >= 0 && minor < 1 << 20)) {
        throw layerError(archive, name, `is a device with the impossible number ${major}:${minor}`);
      }
      return { kind: "device", type: entry.type, mode, major, minor, ...common };
    }
    default:
      if (size > U32) throw layerError(archive, name, "is larger than cpio can hold, 4 GiB");
      context.budget.bytes(size, archive);
      return { kind: "file", mode, content: source.content(offset, size), ...common };
  }
}

function attributes({ uid, gid, mtime, xattrs, name }: TarEntry, archive: string, keepTimes: boolean) {
  for (const id of [uid, gid]) {
    if (!(id >= 0 && id < U32))
      throw layerError(archive, name, `belongs to the impossible user or group ${id}`);
  }
  return {
    ...(uid === 0 ? {} : { uid }),
    ...(gid === 0 ? {} : { gid }),
    ...(keepTimes ? { mtime: Math.min(U32, Math.max(0, mtime)) } : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
}

/** One more name for a file of this archive or, for a layer of an image, of those below as they were. */
function hardLink({ name, linkname }: TarEntry, { archive, root, below }: EntryTarget): Leaf {
  let parts: string[];
  try {
    parts = entryPath(linkname, archive);
  } catch (error) {
    throw layerError(
      archive,
      name,
      `is a hard link to ${quoteName(linkname)}, which is no name within the archive`,
      {
        cause: error,
      },
    );
  }
  const found = find(root, parts) ?? (below === undefined ? undefined : find(below, parts));
  if (found === undefined)
    throw layerError(archive, name, `is a hard link to ${quoteName(linkname)}, which is not there`);
  if (isDirectory(found))
    throw layerError(archive, name, `is a hard link to ${quoteName(linkname)}, which is a directory`);
  // cpio has no hard links of symbolic links; a second one is the same to everybody.
  return found.node.kind === "link" ? { node: found.node, file: {} } : found;
}
