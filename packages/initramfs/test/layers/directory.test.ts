import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";

import { expect, test } from "vitest";

import { lines, read, scratch } from "../support/layers.ts";

const directory = scratch();

test("a directory as it is: modes, hard links, nodes, links that lead out, strange names", async () => {
  const root = join(directory, "root");
  mkdirSync(join(root, "sub"), { recursive: true, mode: 0o750 });
  chmodSync(join(root, "sub"), 0o2750);
  writeFileSync(join(root, "a"), "x");
  chmodSync(join(root, "a"), 0o4711);
  linkSync(join(root, "a"), join(root, "sub/b"));
  symlinkSync("/etc", join(root, "etc"));
  writeFileSync(Buffer.from(`${root}/\xff`, "latin1"), "latin1");
  execFileSync("mkfifo", ["-m", "600", join(root, "pipe")]);
  const server = createServer().listen(join(root, "socket"));
  await once(server, "listening");
  chmodSync(join(root, "socket"), 0o777);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    execFileSync("mknod", ["-m", "640", join(root, "disk"), "b", "259", "70000"]);
    execFileSync("chown", ["-h", "12:34", join(root, "disk")]);
  }
  try {
    const owner = isRoot ? "" : ` ${process.getuid?.()}:${process.getgid?.()}`;
    expect(lines(await read([{ kind: "directory", source: root }]))).toEqual([
      `/a file 4711${owner} #1 "x"`,
      ...(isRoot ? ["/disk block 640 12:34 259:70000"] : []),
      `/etc -> /etc${owner}`,
      `/pipe fifo 600${owner}`,
      `/socket socket 777${owner}`,
      `/sub directory 2750${owner}`,
      `/sub/b file 4711${owner} #1 "x"`,
      `/\udcff file 644${owner} "latin1"`,
    ]);
  } finally {
    server.close();
  }
});

test("what is mounted in it stays outside, and that is said", async () => {
  const script = `mount -t tmpfs none "$1" && mkdir "$1/sub" "$1/sub/m" && mount -t tmpfs none "$1/sub/m" && touch "$1/sub/m/x" "$1/y" && exec "$2" --input-type=module -e "$3"`;
  const root = join(directory, "mounts");
  mkdirSync(root);
  const program = `
    import { readLayers } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
    const stack = await readLayers({ layers: [{ kind: "directory", source: ${JSON.stringify(root)} }], arch: "x86_64" }, {});
    console.log(JSON.stringify([stack.nodes.map(([path]) => path), stack.diagnostics.map(({ message }) => message)]));`;
  const asRoot = process.getuid?.() === 0 ? [] : ["-r"];
  const out = execFileSync(
    "unshare",
    [...asRoot, "-m", "sh", "-c", script, "sh", root, process.execPath, program],
    { encoding: "utf8" },
  );
  expect(JSON.parse(out)).toEqual([
    ["/sub", "/sub/m", "/y"],
    [`Something is mounted at "/sub/m" of ${root}; the image has an empty directory there`],
  ]);
});

test.each([
  ["/no/such", /Cannot read "\/no\/such"/],
  ["/etc/hostname", /is no directory/],
])("%s is an error", async (source, message) => {
  await expect(read([{ kind: "directory", source }])).rejects.toThrow(message);
});
