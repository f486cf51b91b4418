import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { bytesOf, lines, read, save, scratch } from "../support/layers.ts";
import { debPackage } from "../support/deb-package.ts";
import { makeTar } from "../support/make-tar.ts";

const directory = scratch();

function build(name: string, compression: string, more: { arch?: string; postinst?: boolean } = {}): string {
  const root = join(directory, `${name}-${compression}`);
  mkdirSync(join(root, "DEBIAN"), { recursive: true });
  mkdirSync(join(root, "bin"));
  writeFileSync(
    join(root, "DEBIAN/control"),
    `Package: ${name}
Version: 1:1.35.0-4+b1
Architecture: ${more.arch ?? "amd64"}
Maintainer: Nobody <nobody@example.org>
Description: for a test
`,
  );
  if (more.postinst === true)
    writeFileSync(join(root, "DEBIAN/postinst"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  writeFileSync(join(root, "bin/tool"), "tool", { mode: 0o755 });
  symlinkSync("tool", join(root, "bin/alias"));
  const deb = join(directory, `${name}-${compression}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", root, deb], {
    stdio: "pipe",
  });
  return deb;
}

test.each(["xz", "gzip", "zstd", "none"])("a package that dpkg-deb built, %s", async (compression) => {
  const source = build("tool", compression);
  const stack = await read([{ kind: "deb", source }]);
  expect(lines(stack)).toEqual(["/bin directory 755", "/bin/alias -> tool", '/bin/tool file 755 "tool"']);
  expect(stack.nodes[0]?.[1].why).toBe("package tool 1:1.35.0-4+b1");
  expect(stack.layers).toEqual([{ kind: "deb", source, name: "package tool 1:1.35.0-4+b1" }]);
  expect(stack.diagnostics).toEqual([]);
});

test("says that scripts are not run, and when the package is for another machine", async () => {
  const { diagnostics } = await read([
    { kind: "deb", source: build("other", "xz", { arch: "arm64", postinst: true }) },
  ]);
  expect(diagnostics.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    "note: The maintainer scripts of package other 1:1.35.0-4+b1 (postinst) are not run",
    "warning: The package other 1:1.35.0-4+b1 is for arm64, the image for amd64",
  ]);
});

test("a package over a system whose /bin is a link", async () => {
  const system = makeTar([
    { name: "bin", type: "2", linkname: "usr/bin" },
    { name: "usr/bin/sh", data: "sh" },
  ]);
  const layers = [
    { kind: "tar", source: save(directory, system) },
    { kind: "deb", source: build("over", "xz") },
  ] as const;
  expect(lines(await read(layers))).toEqual([
    "/bin -> usr/bin",
    "/usr directory 755",
    "/usr/bin directory 755",
    "/usr/bin/alias -> tool",
    '/usr/bin/sh file 644 "sh"',
    '/usr/bin/tool file 755 "tool"',
  ]);
});

test("packages of the distribution, one over the other, are what dpkg-deb unpacks", async () => {
  // The last has hard links.
  const packages = ["base-files", "busybox-static", "perl-base"];
  const out = join(directory, "unpacked");
  const layers = packages.map((name) => {
    const source = debPackage(name);
    execFileSync("dpkg-deb", ["-x", source, out]);
    return { kind: "deb", source } as const;
  });
  const { nodes } = await read(layers);
  const found = execFileSync("find", [".", "-mindepth", "1", "-printf", "/%P %y %m:%l\n"], {
    cwd: out,
    encoding: "utf8",
  });
  const letters = { file: "f", directory: "d", link: "l" };
  const ours = nodes.map(([path, node]) =>
    [
      path,
      letters[node.kind as "file"],
      node.kind === "link" ? `777:${node.to}` : "mode" in node ? `${node.mode.toString(8)}:` : "",
    ].join(" "),
  );
  expect(ours.sort()).toEqual(found.trimEnd().split("\n").sort());
  for (const [path, node] of nodes) {
    if (node.kind === "file")
      expect(bytesOf(node.content).equals(readFileSync(join(out, path))), path).toBe(true);
  }
});

test.each([
  ["no ar", "hello", /it is no ar archive/],
  [
    "an ar of something else",
    "!<arch>\nx               0           0     0     644     0         `\n",
    /no Debian package of format 2/,
  ],
  [
    "a cut one",
    "!<arch>\ndebian-binary   0           0     0     644     900       `\n2.0\n",
    /cut off or no ar archive/,
  ],
  [
    "a size that is none",
    "!<arch>\ndebian-binary   0           0     0     644     -4        `\n2.0\n",
    /cut off or no ar archive/,
  ],
  [
    "no control",
    "!<arch>\ndebian-binary   0           0     0     644     4         `\n2.0\n",
    /it has no control.tar/,
  ],
])("%s is refused", async (_name, bytes, message) => {
  await expect(read([{ kind: "deb", source: save(directory, bytes, "x.deb") }])).rejects.toMatchObject({
    code: "INITRAMFS_LAYER",
    message: expect.stringMatching(message) as string,
  });
});
