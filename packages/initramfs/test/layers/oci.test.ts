import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { readImageConfig } from "../../src/index.ts";
import { lines, read, save, scratch } from "../support/layers.ts";
import { type Files, makeDockerSave, makeLayout, sha256, tarOf, writeFiles } from "../support/make-oci.ts";
import { makeTar, type MadeEntry } from "../support/make-tar.ts";

const directory = scratch();
let count = 0;
const fresh = (): string => join(directory, `layout-${++count}`);

const oci = (files: Files, more: { reference?: string; platform?: string } = {}) =>
  read([{ kind: "oci", source: writeFiles(fresh(), files), ...more }]);
const image = (...layers: (readonly MadeEntry[])[]) =>
  oci(makeLayout([{ layers: layers.map((entries) => ({ tar: makeTar(entries) })) }]));

const BASE: readonly MadeEntry[] = [
  { name: "bin", type: "2", linkname: "usr/bin" },
  { name: "usr/", type: "5" },
  { name: "usr/bin/", type: "5", mode: 0o711 },
  { name: "usr/bin/tool", data: "one", mode: 0o755 },
  { name: "etc/a", data: "a" },
  { name: "etc/b", data: "b" },
  { name: "etc/d/x", data: "x" },
];

describe("layers over layers", () => {
  test.each<[name: string, upper: readonly MadeEntry[], tree: (base: string[]) => string[]]>([
    ["nothing", [], (base) => base],
    [
      "a file is replaced",
      [{ name: "etc/a", data: "A" }],
      (base) => base.map((line) => line.replace(/a file 644 "a"/, 'a file 644 "A"')),
    ],
    ["a whiteout", [{ name: "etc/.wh.a" }], (base) => base.filter((line) => !line.startsWith("/etc/a "))],
    [
      "a whiteout of a directory",
      [{ name: "etc/.wh.d" }],
      (base) => base.filter((line) => !line.startsWith("/etc/d")),
    ],
    ["a whiteout of what is not there", [{ name: "no/where/.wh.a" }], (base) => base],
    [
      "a whiteout is for lower layers only, when it comes first",
      [{ name: "etc/.wh.a" }, { name: "etc/a", data: "a" }],
      (base) => base,
    ],
    ["and when it comes last", [{ name: "etc/a", data: "a" }, { name: "etc/.wh.a" }], (base) => base],
    [
      "a directory made anew",
      [{ name: "etc/d/y", data: "y" }, { name: "etc/.wh.d" }],
      (base) => base.map((line) => line.replace('/etc/d/x file 644 "x"', '/etc/d/y file 644 "y"')),
    ],
    [
      "an opaque directory, after its new entries",
      [{ name: "etc/", type: "5" }, { name: "etc/new", data: "n" }, { name: "etc/.wh..wh..opq" }],
      (base) => [base[0] as string, "/etc directory 755", '/etc/new file 644 "n"', ...base.slice(6)],
    ],
    [
      "an opaque directory, before them",
      [{ name: "etc/.wh..wh..opq" }, { name: "etc/new", data: "n" }],
      (base) => [base[0] as string, "/etc directory 755", '/etc/new file 644 "n"', ...base.slice(6)],
    ],
    ["an opaque root", [{ name: ".wh..wh..opq" }, { name: "only" }], () => ['/only file 644 ""']],
    [
      "a directory becomes a file",
      [{ name: "etc/d", data: "f" }],
      (base) => [...base.slice(0, 4), '/etc/d file 644 "f"', ...base.slice(6)],
    ],
    [
      "a file becomes a directory",
      [{ name: "etc/a/", type: "5" }, { name: "etc/a/in" }],
      (base) => [...base.slice(0, 2), "/etc/a directory 755", '/etc/a/in file 644 ""', ...base.slice(3)],
    ],
    [
      "a directory hides a link below, as in overlayfs",
      [{ name: "bin/", type: "5" }, { name: "bin/new" }],
      (base) => ["/bin directory 755", '/bin/new file 644 ""', ...base.slice(1)],
    ],
    [
      "also one that is only implied",
      [{ name: "bin/new" }],
      (base) => ["/bin directory 755", '/bin/new file 644 ""', ...base.slice(1)],
    ],
    ["but not one that only takes away", [{ name: "bin/.wh.tool" }], (base) => base],
    [
      "a directory's mode is the uppermost's",
      [{ name: "usr/bin/", type: "5", mode: 0o500 }],
      (base) => base.map((line) => line.replace("711", "500")),
    ],
    [
      "a parent that is only implied keeps it",
      [{ name: "usr/bin/new" }],
      (base) => [...base.slice(0, -1), '/usr/bin/new file 644 ""', base.at(-1) as string],
    ],
    [
      "a hard link to a lower layer",
      [{ name: "usr/bin/alias", type: "1", linkname: "usr/bin/tool" }],
      (base) => [...base.slice(0, -1), '/usr/bin/alias file 755 #1 "one"', '/usr/bin/tool file 755 #1 "one"'],
    ],
    [
      "a hard link to what the layer takes away",
      [{ name: "etc/.wh.a" }, { name: "etc/c", type: "1", linkname: "etc/a" }],
      (base) => [...base.slice(0, 2), ...base.slice(3, 4), '/etc/c file 644 "a"', ...base.slice(4)],
    ],
    [
      "a hard link through a link of the lower layer",
      [{ name: "etc/t", type: "1", linkname: "bin/tool" }],
      (base) => [
        ...base.slice(0, 6),
        '/etc/t file 755 #1 "one"',
        ...base.slice(6, 8),
        '/usr/bin/tool file 755 #1 "one"',
      ],
    ],
    [
      "aufs's bookkeeping",
      [{ name: ".wh..wh.plnk/", type: "5" }, { name: ".wh..wh.plnk/12.34" }, { name: ".wh..wh.aufs" }],
      (base) => base,
    ],
  ])("%s", async (_name, upper, tree) => {
    expect(lines(await image(BASE, upper))).toEqual(tree(lines(await image(BASE))));
  });

  test.each([".wh.", ".wh...", "a/.wh..", ".wh.a/b"])("the whiteout %s is refused", async (name) => {
    await expect(image(BASE, [{ name }])).rejects.toThrow(/is no valid whiteout/);
  });

  test("a whiteout whose name is no UTF-8", async () => {
    const name = Buffer.from("x\xff", "latin1");
    const base = [{ name }, { name: "y" }];
    expect(lines(await image(base, [{ name: Buffer.concat([Buffer.from(".wh."), name]) }]))).toEqual([
      '/y file 644 ""',
    ]);
  });

  test("the order within a layer makes no difference", async () => {
    const upper = [
      { name: "etc/.wh.a" },
      { name: "etc/d/.wh..wh..opq" },
      { name: "etc/d/new" },
      { name: "usr/bin/", type: "5", mode: 0o555 },
      { name: "bin/x" },
      { name: "etc/b/c" },
      { name: "etc/z", type: "1", linkname: "usr/bin/tool" },
    ];
    const expected = lines(await image(BASE, upper));
    let seed = 1;
    for (let round = 0; round < 30; round++) {
      const keys = new Map(upper.map((entry) => [entry, (seed = (seed * 48_271) % 2_147_483_647)]));
      const shuffled = [...upper].sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
      expect(lines(await image(BASE, shuffled))).toEqual(expected);
    }
  });
});

describe("where an image comes from", () => {
  const layers = [
    { tar: makeTar([{ name: "a", data: "1" }]), compression: "gzip" },
    { tar: makeTar([{ name: "b", data: "2" }]), compression: "zstd" },
    { tar: makeTar([{ name: "c", data: "3" }]), compression: "none" },
  ] as const;
  const run = {
    Entrypoint: ["/entry"],
    Cmd: ["a", "b"],
    Env: ["PATH=/bin", "X=a=b"],
    WorkingDir: "/srv",
    User: "7:8",
  };
  const tree = ['/a file 644 "1"', '/b file 644 "2"', '/c file 644 "3"'];

  test("a layout in a directory, in a tar, in a compressed tar", async () => {
    const files = makeLayout([{ layers, reference: "box:1", run }]);
    const sources = [
      writeFiles(fresh(), files),
      save(directory, tarOf(files)),
      save(directory, gzipSync(tarOf(files))),
    ];
    for (const source of sources) {
      const stack = await read([{ kind: "oci", source }]);
      expect(lines(stack)).toEqual(tree);
      expect(stack.nodes.map(([, { why }]) => why)).toEqual([
        "layer 1 of box:1",
        "layer 2 of box:1",
        "layer 3 of box:1",
      ]);
      const config = {
        platform: "linux/amd64",
        entrypoint: ["/entry"],
        cmd: ["a", "b"],
        args: ["/entry", "a", "b"],
        env: { PATH: "/bin", X: "a=b" },
        cwd: "/srv",
        user: "7:8",
      };
      expect(stack.layers).toEqual([{ kind: "oci", source, name: "box:1", config }]);
      expect(stack.diagnostics.map(({ message }) => message)).toEqual([
        'The image box:1 is made to run as the user "7:8"; /init runs everything as root',
      ]);
      expect(await readImageConfig({ kind: "oci", source }, { arch: "x86_64" })).toEqual(config);
    }
  });

  test("what docker save wrote, layers that are links included", async () => {
    const files = makeDockerSave({ layers: [...layers, layers[0]], tags: ["box:latest", "box:1"], run });
    const source = save(directory, tarOf(files));
    for (const reference of [undefined, "box", "box:1"]) {
      expect(lines(await read([{ kind: "oci", source, reference }]))).toEqual(tree);
    }
    const first = sha256(layers[0].tar);
    const linked = [...files].map(([name, data]) => ({ name, data }));
    const withLink = makeTar([
      ...linked.filter(({ name }) => !name.startsWith(first)),
      { name: "other/layer.tar", data: layers[0].tar },
      { name: `${first}/layer.tar`, type: "2", linkname: "../other/layer.tar" },
    ]);
    expect(lines(await read([{ kind: "oci", source: save(directory, withLink) }]))).toEqual(tree);
  });

  const platforms = makeLayout(
    ["amd64", "arm64", "riscv64"].map((architecture) => ({
      layers: [{ tar: makeTar([{ name: architecture }]) }],
      architecture,
      ...(architecture === "arm64" ? { variant: "v8" } : {}),
    })),
    { nested: "multi" },
  );
  test.each([
    [undefined, "/amd64"],
    ["linux/arm64", "/arm64"],
    ["linux/arm64/v8", "/arm64"],
    ["linux/riscv64", "/riscv64"],
  ])("the platform %s", async (platform, name) => {
    const stack = await oci(platforms, {
      reference: "multi",
      ...(platform === undefined ? {} : { platform }),
    });
    expect(stack.nodes.map(([path]) => path)).toEqual([name]);
  });

  const two = makeLayout([
    { layers: [layers[0]], reference: "one" },
    { layers: [layers[1]], reference: "two" },
  ]);
  const broken = (change: (files: Files) => void): Files => {
    const files = makeLayout([{ layers, reference: "box" }]);
    change(files);
    return files;
  };
  const replace = (files: Files, from: RegExp, to: string): void => {
    files.set(
      "index.json",
      Buffer.from(
        Buffer.from(files.get("index.json") as Uint8Array)
          .toString()
          .replace(from, to),
      ),
    );
  };
  const blobOf = (tar: Uint8Array): string => `blobs/sha256/${sha256(gzipSync(tar))}`;
  test.each<[name: string, files: Files, more: object, message: RegExp, hint?: RegExp]>([
    ["no image at all", new Map([["x", Buffer.from("")]]), {}, /neither index.json nor manifest.json/],
    ["several images", two, {}, /holds several images/, /Give a reference: "one", "two"/],
    ["an unknown name", two, { reference: "three" }, /no image "three"/, /There are "one", "two"/],
    [
      "a platform that is not there",
      platforms,
      { platform: "linux/s390x" },
      /no image for linux\/s390x/,
      /"linux\/amd64", "linux\/arm64\/v8"/,
    ],
    [
      "a missing blob",
      broken((files) => files.delete(blobOf(layers[0].tar))),
      {},
      /its blob sha256:[0-9a-f]{64} is missing/,
    ],
    [
      "a changed blob",
      broken((files) => files.set(blobOf(layers[0].tar), gzipSync(layers[0].tar, { level: 0 }))),
      {},
      /has \d+ bytes instead of \d+/,
    ],
    [
      "a changed blob of the same size",
      broken((files) => {
        const bytes = Buffer.from(files.get(blobOf(layers[0].tar)) as Uint8Array);
        bytes[9] = 0xff; // gzip's operating system: it decompresses as before
        files.set(blobOf(layers[0].tar), bytes);
      }),
      {},
      /should have the digest sha256:[0-9a-f]{64} has sha256:/,
      /damaged or was tampered with/,
    ],
    [
      "a digest that is a path",
      broken((files) => replace(files, /sha256:[0-9a-f]{64}/, "sha256:../../etc/passwd")),
      {},
      /the invalid digest "sha256:\.\.\/\.\.\/etc\/passwd"/,
    ],
    [
      "an unknown algorithm",
      broken((files) => replace(files, /sha256:[0-9a-f]{64}/, "md5:0123")),
      {},
      /the invalid digest "md5:0123"/,
    ],
    [
      "no JSON",
      broken((files) => files.set("index.json", Buffer.from("{"))),
      {},
      /"index.json" is no valid JSON/,
    ],
    [
      "JSON of another shape",
      broken((files) => files.set("index.json", Buffer.from('{"manifests":{"0":1}}'))),
      {},
      /"index.json.manifests" is not a list/,
    ],
    [
      "a number for a digest",
      broken((files) => replace(files, /"digest":"[^"]*"/, '"digest":7')),
      {},
      /"index.json.manifests\[0\].digest" is not a text/,
    ],
  ])("%s is an error", async (_name, files, more, message, hint) => {
    const source = writeFiles(fresh(), files);
    await expect(read([{ kind: "oci", source, ...more }])).rejects.toMatchObject({
      code: "INITRAMFS_LAYER",
      message: expect.stringMatching(message) as string,
      ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) as string }),
    });
    // The same within a tar.
    await expect(read([{ kind: "oci", source: save(directory, tarOf(files)), ...more }])).rejects.toThrow(
      message,
    );
  });

  test("docker save with layers in the wrong order", async () => {
    const files = makeDockerSave({ layers, tags: ["box:1"] });
    const text = Buffer.from(files.get("manifest.json") as Uint8Array).toString();
    const [manifest] = JSON.parse(text) as [{ Layers: string[] }];
    files.set(
      "manifest.json",
      Buffer.from(JSON.stringify([{ ...manifest, Layers: manifest.Layers.reverse() }])),
    );
    await expect(read([{ kind: "oci", source: save(directory, tarOf(files)) }])).rejects.toThrow(
      /"layer 1 of box:1": what should have/,
    );
  });

  test("a link to a file of this machine is no blob", async () => {
    const files = makeLayout([{ layers, reference: "box" }]);
    const at = writeFiles(fresh(), files);
    mkdirSync(join(directory, "elsewhere"), { recursive: true });
    const blob = join(at, blobOf(layers[0].tar));
    writeFileSync(join(directory, "elsewhere/blob"), gzipSync(layers[0].tar));
    unlinkSync(blob);
    symlinkSync(join(directory, "elsewhere/blob"), blob);
    await expect(read([{ kind: "oci", source: at }])).rejects.toThrow(/is missing/);
    const escape = makeTar([
      { name: "manifest.json", data: JSON.stringify([{ Config: "/etc/passwd", RepoTags: [], Layers: [] }]) },
    ]);
    await expect(read([{ kind: "oci", source: save(directory, escape) }])).rejects.toThrow(
      /"\/etc\/passwd", which is not there/,
    );
  });
});
