import { expect, test } from "vitest";

import { lines, read, save, scratch } from "../support/layers.ts";
import { makeTar, type MadeEntry } from "../support/make-tar.ts";

const directory = scratch();
const stack = (...layers: (readonly MadeEntry[])[]) =>
  read(layers.map((entries) => ({ kind: "tar", source: save(directory, makeTar(entries)) })));

test("what a later layer has below a link lands where the link leads", async () => {
  const base = [
    { name: "bin", type: "2", linkname: "usr/bin" },
    { name: "usr/bin/", type: "5", mode: 0o711 },
    { name: "usr/bin/old" },
  ];
  const merged = ["/bin -> usr/bin", "/usr directory 755", "/usr/bin directory 711"];
  for (const upper of [[{ name: "bin/new" }], [{ name: "bin/", type: "5" }, { name: "bin/new" }]]) {
    expect(lines(await stack(base, upper))).toEqual([
      ...merged,
      '/usr/bin/new file 644 ""',
      '/usr/bin/old file 644 ""',
    ]);
  }
  // A link to nothing gives way.
  expect(lines(await stack([{ name: "l", type: "2", linkname: "none" }], [{ name: "l/x" }]))).toEqual([
    "/l directory 755",
    '/l/x file 644 ""',
  ]);
});

test("a link in place of a directory with something in it is told", async () => {
  const { diagnostics, nodes } = await stack(
    [{ name: "bin/sh" }, { name: "empty/", type: "5" }],
    [
      { name: "bin", type: "2", linkname: "usr/bin" },
      { name: "empty", type: "2", linkname: "bin" },
    ],
  );
  expect(nodes.map(([path]) => path)).toEqual(["/bin", "/empty"]);
  expect(diagnostics.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^The link "\/bin" \(file-\d+\.tar\) takes the place of a directory of the layers before/,
    ),
  ]);
});

test("whiteouts are names like others in a plain tar", async () => {
  expect(lines(await stack([{ name: "a" }], [{ name: ".wh.a" }]))).toEqual([
    '/.wh.a file 644 ""',
    '/a file 644 ""',
  ]);
});

test("a file of several names keeps those that are not replaced", async () => {
  const base = ["a", "b", "c"].map((name): MadeEntry =>
    name === "a" ? { name, data: "x" } : { name, type: "1", linkname: "a" },
  );
  expect(lines(await stack(base, [{ name: "a", data: "y" }]))).toEqual([
    '/a file 644 "y"',
    '/b file 644 #1 "x"',
    '/c file 644 #1 "x"',
  ]);
  expect(lines(await stack(base, [{ name: "a" }, { name: "b" }]))).toEqual([
    '/a file 644 ""',
    '/b file 644 ""',
    '/c file 644 "x"',
  ]);
});

/** A model of merging without any cleverness: paths, later over earlier. */
function model(layers: readonly (readonly MadeEntry[])[]): string[] {
  const tree = new Map<string, string>();
  for (const { name, type, data } of layers.flat() as { name: string; type?: string; data?: string }[]) {
    const path = `/${name.replace(/\/$/, "")}`;
    for (let parent = path.lastIndexOf("/"); parent > 0; parent = path.lastIndexOf("/", parent - 1)) {
      tree.set(path.slice(0, parent), "directory 755");
    }
    if (type !== "5") for (const other of tree.keys()) if (other.startsWith(`${path}/`)) tree.delete(other);
    tree.set(path, type === "5" ? "directory 755" : `file 644 ${JSON.stringify(data)}`);
  }
  return [...tree].map(([path, words]) => `${path} ${words}`).sort();
}

test("random layers come out as the model says, whatever the order within each", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? 261_126);
  console.log(`FUZZ_SEED=${seed}`);
  let state = seed + 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 60; round++) {
    const layers = Array.from({ length: 1 + random(4) }, (_, layer) => {
      const kinds = new Map<string, MadeEntry>();
      for (let n = random(12); n > 0; n--) {
        const path = Array.from({ length: 1 + random(3) }, () => "abc"[random(3)] as string).join("/");
        // Within a layer a path is one thing only, so that the order cannot matter.
        const taken = [...kinds.keys()];
        const parentIsFile = taken.some(
          (other) => path.startsWith(`${other}/`) && kinds.get(other)?.type !== "5",
        );
        const hasChildren = taken.some((other) => other.startsWith(`${path}/`));
        if (parentIsFile || kinds.has(path)) continue;
        const isDirectory = hasChildren || random(3) === 0;
        kinds.set(path, isDirectory ? { name: `${path}/`, type: "5" } : { name: path, data: `${layer}` });
      }
      return [...kinds.values()];
    });
    const expected = model(layers);
    expect(lines(await stack(...layers)), `seed ${seed}`).toEqual(expected);
    const shuffled = layers.map((entries) => {
      const keys = new Map(entries.map((entry) => [entry, random(1 << 20)]));
      return [...entries].sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
    });
    expect(lines(await stack(...shuffled)), `seed ${seed}`).toEqual(expected);
  }
});
