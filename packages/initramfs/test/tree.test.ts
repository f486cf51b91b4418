import { describe, expect, test } from "vitest";

import { FileTree, type TreeNode } from "../src/index.ts";

const file = (text: string, why = "test"): TreeNode => ({
  kind: "file",
  mode: 0o644,
  content: { kind: "bytes", bytes: Buffer.from(text) },
  why,
});
const link = (to: string): TreeNode => ({ kind: "link", to, why: "test" });

describe("FileTree", () => {
  test("sorts by bytes, parents first, and invents parents", () => {
    const tree = new FileTree();
    for (const path of ["/b/x", "/b-c", "/b.d/é", "/b.d/z", "/a/b/c"]) tree.add(path, file(path));
    const names = tree.entries().map(([path]) => path);
    expect(names).toEqual(["/a", "/a/b", "/a/b/c", "/b", "/b-c", "/b.d", "/b.d/z", "/b.d/é", "/b/x"]);
    expect(tree.get("/a/b")).toEqual({ kind: "directory", mode: 0o755, why: "directory of /a/b/c" });
  });

  test("gives an invented parent the same reason in any order", () => {
    const paths = ["/d/c", "/d/a", "/d/b"];
    const whys = [paths, [...paths].reverse()].map((order) => {
      const tree = new FileTree();
      for (const path of order) tree.add(path, file("x"));
      return tree.get("/d")?.why;
    });
    expect(whys).toEqual(["directory of /d/a", "directory of /d/a"]);
  });

  test("follows links on the way, also relative and absolute ones, and stops at loops", () => {
    const tree = new FileTree();
    tree.add("/bin", link("usr/bin"));
    tree.add("/usr/lib/x", link("../../opt/./y"));
    tree.add("/abs", link("/bin"));
    expect(tree.place("/bin/sh")).toBe("/usr/bin/sh");
    expect(tree.place("/usr/lib/x/z")).toBe("/opt/y/z");
    expect(tree.place("/abs/sh")).toBe("/usr/bin/sh");
    expect(tree.place("/bin")).toBe("/bin");
    tree.add("/l", link("m"));
    tree.add("/m", link("l"));
    expect(() => tree.place("/l/x")).toThrow(/are a loop/);
  });

  test("takes the same twice, and nothing that contradicts", () => {
    const tree = new FileTree();
    tree.add("/etc/a", file("one", "first"));
    tree.add("/etc/a", file("one", "second"));
    expect(tree.get("/etc/a")?.why).toBe("first");
    expect(() => tree.add("/etc/a", file("two", "third"))).toThrow(
      /"\/etc\/a" in the image is asked for twice/,
    );
    expect(() => tree.add("/etc", link("x"))).toThrow(/both a link \(test\) and the directory of "\/etc\/a"/);
    expect(() => tree.add("/etc/a/b", file("x"))).toThrow(/because "\/etc\/a" is a file there/);
  });
});
