/** The same image, bit for bit, whoever builds it, wherever and with whatever Node. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { root } from "@justenough-dev/tools/workspace";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { pinnedNode } from "../lib/pinned-node.ts";

const cli = join(root, "packages/initramfs/src/cli.ts");
// Two file systems, whose readdir() orders differ, and two orders of creation.
const scratch = [tmpdir(), "/dev/shm"].map((base) => mkdtempSync(join(base, "justenough-same-")));
const NAMES = Array.from({ length: 40 }, (_, index) => `${index % 2 === 0 ? "ä" : "Z"}${(index * 7) % 40}`);
const trees = scratch.map((directory, index) => {
  const tree = join(directory, "tree");
  for (const name of index === 0 ? NAMES : [...NAMES].reverse()) {
    mkdirSync(join(tree, name), { recursive: true });
    writeFileSync(join(tree, name, "file"), name.repeat(9000));
    symlinkSync("file", join(tree, name, "link"));
  }
  return tree;
});
afterAll(() => {
  for (const directory of scratch) rmSync(directory, { recursive: true, force: true });
});

interface Builder {
  readonly node?: string;
  readonly tree?: 0 | 1;
  readonly umask?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** So many processors, as `taskset` takes them. */
  readonly processors?: string;
  readonly reversed?: boolean;
}

let count = 0;

async function build(compression: string, builder: Builder): Promise<string> {
  const { tree = 0, umask = "022", processors, env = {}, reversed = false } = builder;
  const node = builder.node === undefined ? process.execPath : await pinnedNode(builder.node);
  const output = join(scratch[tree] as string, `image-${++count}`);
  const parts = [
    ["-p", "bash"],
    ["-p", "ls"],
    ["-p", "ldd"],
    ["-f", `/data=${trees[tree]}`],
    ["--facet", "terminfo"],
    ["--facet", "tz=Europe/Berlin"],
    ["--link", "/usr/here=there"],
  ];
  if (reversed) parts.reverse();
  const pack = ["pack", "-o", output, "--compression", compression, ...parts.flat(), "--", "bash"];
  const command = [...(processors === undefined ? [] : ["taskset", "-c", processors]), node, cli, ...pack];
  await execa("sh", ["-c", `umask ${umask}; exec "$@"`, "sh", ...command], { env });
  const hash = createHash("sha256").update(readFileSync(output)).digest("hex");
  rmSync(output);
  return hash;
}

const TURKISH = { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", TZ: "Pacific/Kiritimati" };
const BUILDERS: readonly (readonly [string, Builder])[] = [
  ["lists, readdir() and file system are others", { reversed: true, tree: 1 }],
  ["umask, locale and time zone are others", { umask: "077", env: TURKISH }],
  ["there is one processor", { processors: "0", env: { UV_THREADPOOL_SIZE: "1" } }],
  ["there are many threads", { env: { UV_THREADPOOL_SIZE: "16" } }],
  ["Node is version 22", { node: "22.18.0" }],
  ["Node is version 26", { node: "26.10.0" }],
];

describe.each(["none", "gzip", "zstd", "lz4"])("%s: the image is the same when", (compression) => {
  let expected: string;
  beforeAll(async () => {
    expected = await build(compression, {});
  });

  test.each(BUILDERS)("%s", async (_, builder) => {
    expect(await build(compression, builder)).toBe(expected);
  });
});
