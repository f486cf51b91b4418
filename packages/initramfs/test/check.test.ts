import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { checkInitramfs, FileTree } from "../src/index.ts";

function tree(files: Record<string, string | Uint8Array>, mode = 0o755): FileTree {
  const result = new FileTree();
  for (const [path, content] of Object.entries(files)) {
    const bytes = Buffer.from(content as Uint8Array);
    result.add(path, { kind: "file", mode, content: { kind: "bytes", bytes }, why: "test" });
  }
  return result;
}

const codes = (tree: FileTree): string[] =>
  checkInitramfs(tree)
    .filter(({ code }) => code !== "no-console")
    .map(({ code, severity }) => `${severity} ${code}`);

test("tells what would keep the image from booting", () => {
  expect(codes(tree({}))).toEqual(["error init-missing"]);
  expect(codes(tree({ "/init": "#!/bin/sh\n" }, 0o644))).toEqual(["error init-not-executable"]);
  expect(codes(tree({ "/init": "#!/bin/sh\n" }))).toEqual(["error unresolved-interpreter"]);
  expect(codes(tree({ "/init": "echo hello\n" }))).toEqual(["error unresolved-format"]);
  expect(codes(tree({ "/init": readFileSync("/bin/true") }))).toEqual(["error unresolved-loader"]);
  expect(codes(tree({ "/init": readFileSync("/bin/busybox") }))).toEqual([]);
  const busybox = readFileSync("/bin/busybox");
  expect(codes(tree({ "/init": "#!/bin/sh\n", "/bin/sh": busybox }))).toEqual([]);
});

test("warns of programs that would fail when used", () => {
  const init = readFileSync("/bin/busybox");
  const loader = readFileSync("/lib64/ld-linux-x86-64.so.2");
  const image = tree({
    "/init": init,
    "/bin/true": readFileSync("/bin/true"),
    "/lib64/ld-linux-x86-64.so.2": loader,
  });
  expect(codes(image)).toEqual(["warning unresolved-library"]);
  expect(checkInitramfs(image).find(({ code }) => code === "unresolved-library")).toMatchObject({
    path: "/bin/true",
  });
  expect(codes(tree({ "/init": init, "/notes.txt": "a text with a stray x bit" }))).toEqual([]);
  const records = "arg=server\0env=PATH=/opt:/bin\0";
  expect(codes(tree({ "/init": init, "/etc/appliance/init": records }))).toEqual(["warning program-missing"]);
  expect(codes(tree({ "/init": init, "/etc/appliance/init": records, "/opt/server": init }))).toEqual([]);
});
