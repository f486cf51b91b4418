import { type KernelInode } from "@justenough/cpio";

import { readImage } from "../../image/read-image.ts";
import { decodeName } from "../names.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { printable, readableSize } from "./printable.ts";

interface Branch {
  readonly name: string;
  readonly inode: KernelInode;
  /** Of all that is below, each file once. */
  readonly size: number;
  readonly children: readonly Branch[];
}

/** `initramfs tree`: what the guest sees; with --size where the bytes are, the largest first. */
export function treeCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, { size: { type: "boolean" } });
  const [archive] = exactly(positionals, ["ARCHIVE"]) as [string];
  const bySize = values.size === true;
  const root = grow("/", readImage(archive).tree.root, new Set(), bySize);
  if (values.json === true) io.stdout.write(`${JSON.stringify(toJson(root))}\n`);
  else {
    const lines: string[] = [];
    draw(root, "", "", bySize ? root.size : undefined, lines);
    io.stdout.write(`${lines.join("\n")}\n`);
  }
  return Promise.resolve(0);
}

function grow(name: string, inode: KernelInode, seen: Set<KernelInode>, bySize: boolean): Branch {
  const children = [...(inode.entries ?? [])]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => grow(decodeName(Buffer.from(key, "latin1")), child, seen, bySize));
  if (bySize) children.sort((a, b) => b.size - a.size);
  const own = inode.type === "file" && !seen.has(inode) ? inode.size : 0;
  seen.add(inode);
  return { name, inode, size: children.reduce((sum, { size }) => sum + size, own), children };
}

/** With a total, what is less than a hundredth of it is summed up. */
function draw(
  branch: Branch,
  prefix: string,
  edge: string,
  total: number | undefined,
  lines: string[],
): void {
  const { name, inode, size, children } = branch;
  const arrow = inode.target === undefined ? "" : ` -> ${printable(inode.target)}`;
  const front = total === undefined ? "" : `${readableSize(size).padStart(8)}  `;
  lines.push(`${front}${prefix}${edge}${printable(name)}${arrow}`);
  const below = edge === "" ? prefix : prefix + (edge === "└── " ? "    " : "│   ");
  const shown = total === undefined ? children : children.filter((child) => child.size * 100 >= total);
  for (const [index, child] of shown.entries()) {
    const isLast = index === shown.length - 1 && shown.length === children.length;
    draw(child, below, isLast ? "└── " : "├── ", total, lines);
  }
  const rest = children.slice(shown.length);
  if (rest.length === 0) return;
  const sum = rest.reduce((all, child) => all + child.size, 0);
  lines.push(`${readableSize(sum).padStart(8)}  ${below}└── … ${rest.length} more`);
}

function toJson({ name, inode, size, children }: Branch): unknown {
  const { type, target } = inode;
  return {
    name,
    type,
    size,
    ...(target === undefined ? {} : { to: target }),
    ...(type === "directory" ? { children: children.map(toJson) } : {}),
  };
}
