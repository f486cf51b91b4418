import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

import {
  type FileContent,
  type LayerSpec,
  type LayerStack,
  readLayers,
  type TreeNode,
} from "../../src/index.ts";
import { readHostRange } from "../../src/internal/host-view.ts";

/** A directory of the test file's own, removed after it. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "initramfs-layers-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let count = 0;

export function save(directory: string, bytes: Uint8Array | string, name = `file-${++count}.tar`): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

export function read(
  layers: readonly LayerSpec[],
  more: { keepLayerTimes?: boolean } = {},
): Promise<LayerStack> {
  return readLayers({ layers, arch: "x86_64", ...more }, {});
}

export function bytesOf(content: FileContent): Buffer {
  return content.kind === "bytes"
    ? Buffer.from(content.bytes)
    : Buffer.from(readHostRange(content.path, content.offset ?? 0, content.size));
}

/** A tree as lines that can be compared: `path kind …`. */
export function lines({ nodes }: Pick<LayerStack, "nodes">): string[] {
  return nodes.map(([path, node]) => `${path} ${words(node)}`);
}

function words(node: TreeNode): string {
  const owner = node.uid === undefined && node.gid === undefined ? "" : ` ${node.uid ?? 0}:${node.gid ?? 0}`;
  const inode = node.inode === undefined ? "" : ` #${node.inode}`;
  switch (node.kind) {
    case "link":
      return `-> ${node.to}${owner}`;
    case "file":
      return `file ${node.mode.toString(8)}${owner}${inode} ${JSON.stringify(bytesOf(node.content).toString().slice(0, 40))}`;
    case "device":
      return `${node.type} ${node.mode.toString(8)}${owner} ${node.major}:${node.minor}${inode}`;
    default:
      return `${node.kind} ${node.mode.toString(8)}${owner}${inode}`;
  }
}
