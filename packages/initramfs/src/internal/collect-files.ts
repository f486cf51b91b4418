import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join as joinHost, resolve as resolveHost } from "node:path";

import { InitramfsError } from "../error.ts";
import type { ContentSpec, FileSpec } from "../spec.ts";
import type { FileTree, TreeNode } from "../tree.ts";
import { lookupHost, readError } from "./host-view.ts";
import { copiedMode } from "./modes.ts";
import { comparePaths, join, userImagePath } from "./paths.ts";
import { addUsrMerge } from "./usr-merge.ts";
import type { FileView } from "./view.ts";

const WHY = "named in the specification";

/** Adds what the user named: links first, because paths of the others may lead through them. */
export function addUserFiles(tree: FileTree, view: FileView, spec: ContentSpec): void {
  const nodes: [path: string, node: TreeNode][] = [];
  for (const { target, to } of spec.links ?? []) {
    if (to === "" || Buffer.byteLength(to) > 4095) {
      throw new InitramfsError(
        "INITRAMFS_INVALID_OPTION",
        `The link "${target}" needs 1 to 4095 bytes to point to`,
      );
    }
    nodes.push([userImagePath(target, "link's target"), { kind: "link", to, why: WHY }]);
  }
  addSorted(tree, view, nodes.splice(0));
  for (const { target, mode = 0o755 } of spec.directories ?? []) {
    nodes.push([
      userImagePath(target, "directory"),
      { kind: "directory", mode: checkMode(mode, target), why: WHY },
    ]);
  }
  for (const node of spec.nodes ?? []) nodes.push([userImagePath(node.target, "node"), toNode(node)]);
  for (const file of spec.files ?? []) nodes.push(...toFiles(file));
  addSorted(tree, view, nodes);
}

function addSorted(tree: FileTree, view: FileView, nodes: [path: string, node: TreeNode][]): void {
  for (const [path, node] of nodes.sort(([a], [b]) => comparePaths(a, b))) {
    addUsrMerge(tree, view, path.slice(0, path.lastIndexOf("/")));
    tree.add(path, node);
  }
}

function toNode(spec: NonNullable<ContentSpec["nodes"]>[number]): TreeNode {
  const mode = checkMode(spec.mode ?? 0o600, spec.target);
  if (spec.type === "fifo") return { kind: "fifo", mode, why: WHY };
  const { type, major, minor } = spec;
  if (major === undefined || minor === undefined) {
    throw new InitramfsError(
      "INITRAMFS_INVALID_OPTION",
      `The device "${spec.target}" needs "major" and "minor"`,
    );
  }
  return { kind: "device", type, mode, major, minor, why: WHY };
}

function* toFiles(spec: FileSpec): Generator<[path: string, node: TreeNode]> {
  const target = userImagePath(spec.target, "file's target");
  const { source, content, mode } = spec;
  if ((source === undefined) === (content === undefined)) {
    throw new InitramfsError(
      "INITRAMFS_INVALID_OPTION",
      `The file "${target}" needs either "source" or "content"`,
    );
  }
  if (mode !== undefined) checkMode(mode, target);
  if (content !== undefined) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    yield [target, { kind: "file", mode: mode ?? 0o644, content: { kind: "bytes", bytes }, why: WHY }];
  } else if (source !== undefined) {
    yield* copy(resolveHost(source), target, mode);
  }
}

/** The source itself may be a link and is followed; links inside a directory are kept as they are. */
function* copy(source: string, target: string, mode: number | undefined): Generator<[string, TreeNode]> {
  let stats;
  try {
    stats = statSync(source, { throwIfNoEntry: false });
  } catch (error) {
    throw readError(source, error);
  }
  if (stats === undefined) {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `The file "${source}" for "${target}" does not exist`);
  }
  if (stats.isDirectory()) {
    yield [target, { kind: "directory", mode: mode ?? copiedMode(stats.mode & 0o7777), why: WHY }];
    yield* copyDirectory(source, target);
  } else if (stats.isFile()) {
    yield [target, fileNode(source, stats.size, mode ?? copiedMode(stats.mode & 0o7777), WHY)];
  } else {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `"${source}" is neither a file nor a directory`);
  }
}

function* copyDirectory(source: string, target: string): Generator<[string, TreeNode]> {
  for (const name of readdirSync(source).sort()) {
    const from = joinHost(source, name);
    const to = join(target, name);
    const node = lookupHost(from);
    const why = `part of the directory ${source}`;
    if (node === undefined) continue;
    switch (node.kind) {
      case "file":
        yield [to, fileNode(from, node.size, copiedMode(node.mode), why)];
        break;
      case "link":
        yield [to, { kind: "link", to: readlinkSync(from), why }];
        break;
      case "directory":
        yield [to, { kind: "directory", mode: copiedMode(node.mode), why }];
        yield* copyDirectory(from, to);
        break;
      case "other":
        throw new InitramfsError(
          "INITRAMFS_INVALID_OPTION",
          `"${from}" is ${node.what}, which cannot be copied`,
          {
            hint: "Name devices and pipes under nodes",
          },
        );
    }
  }
}

function fileNode(path: string, size: number, mode: number, why: string): TreeNode {
  return { kind: "file", mode, content: { kind: "host", path, size }, why };
}

function checkMode(mode: number, target: string): number {
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return mode;
  throw new InitramfsError(
    "INITRAMFS_INVALID_OPTION",
    `The mode ${mode} of "${target}" is not within 0 and 07777`,
  );
}
