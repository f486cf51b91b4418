import { statSync } from "node:fs";
import { basename, resolve as resolveHost } from "node:path";

import { InitramfsError } from "../error.ts";
import { readError } from "../internal/host-view.ts";
import { decodeName, quoteName } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import { fileSource } from "./byte-source.ts";
import { entryPath, linkTarget } from "./entry-path.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { type Environment, type ListEntry, parseListLine } from "./list-line.ts";
import { newDirectory, put } from "./root.ts";

/** Reads a list in the format of the kernel's usr/gen_init_cpio.c. Locations are relative to the working directory. */
export function readListLayer(
  path: string,
  context: LayerContext,
  env: Environment = process.env,
): ReadLayer {
  const name = basename(path);
  const source = fileSource(path);
  const lines = decodeName(source.read(0, source.size)).split("\n");
  const root = newDirectory();
  for (const [index, line] of lines.entries()) {
    const where = `${name}:${index + 1}`;
    const entry = parseListLine(line, () => where, env);
    if (entry === undefined) continue;
    const node = toNode(entry, where, context);
    const made = node.kind === "directory" ? node : { node, file: {} };
    for (const one of entry.names) {
      context.budget.entry(where);
      put(root, entryPath(one, where), made, where);
    }
  }
  return { root, info: { kind: "list", source: path, name }, diagnostics: [] };
}

function toNode(entry: ListEntry, where: string, context: LayerContext): TreeNode {
  const { mode, uid, gid } = entry;
  const common = { why: where, ...(uid === 0 ? {} : { uid }), ...(gid === 0 ? {} : { gid }) };
  switch (entry.kind) {
    case "file":
      return { kind: "file", mode, content: hostContent(entry.location, where, context), ...common };
    case "link":
      return { kind: "link", to: linkTarget(entry.to, entry.names[0], where), ...common };
    case "device": {
      const { type, major, minor } = entry;
      return { kind: "device", type, mode, major, minor, ...common };
    }
    default:
      return { kind: entry.kind, mode, ...common };
  }
}

function hostContent(path: string, where: string, context: LayerContext) {
  let stats;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw readError(path, error);
  }
  if (stats?.isFile() !== true) {
    const problem = stats === undefined ? "does not exist" : "is no regular file";
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `${where}: the file ${quoteName(path)} ${problem}`);
  }
  context.budget.bytes(stats.size, where);
  return { kind: "host", path: resolveHost(path), size: stats.size } as const;
}
