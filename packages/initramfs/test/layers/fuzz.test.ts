import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { expect, test } from "vitest";

import { InitramfsError, type LayerSpec, readLayers } from "../../src/index.ts";
import { imagePath } from "../../src/internal/paths.ts";
import { bytesOf, save, scratch } from "../support/layers.ts";
import { makeLayout, tarOf } from "../support/make-oci.ts";
import { makeTar } from "../support/make-tar.ts";

const directory = scratch();
const SEED = Number(process.env["FUZZ_SEED"] ?? 261_126);
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 300);
console.log(`FUZZ_SEED=${SEED} FUZZ_ROUNDS=${ROUNDS}`);

function generator(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TAR = makeTar([
  { name: "bin", type: "2", linkname: "usr/bin" },
  { name: "bin/a", data: "x".repeat(700), pax: { uid: "70000", "SCHILY.xattr.user.x": "1", mtime: "1.5" } },
  { name: "b", type: "1", linkname: "usr/bin/a" },
  { name: "dev/null", type: "3", major: 1, minor: 3 },
  { name: "long", type: "L", data: `${"l".repeat(150)}\0` },
  { name: "x", data: "y" },
  { name: "d/.wh.e" },
  { name: "d/.wh..wh..opq" },
]);

function deb(): Buffer {
  const root = join(directory, "deb");
  mkdirSync(join(root, "DEBIAN"), { recursive: true });
  writeFileSync(
    join(root, "DEBIAN/control"),
    "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: a\n",
  );
  writeFileSync(join(root, "file"), "content");
  execFileSync("dpkg-deb", ["-Znone", "--build", root, join(directory, "a.deb")], { stdio: "pipe" });
  return readFileSync(join(directory, "a.deb"));
}

const LIST =
  "dir /dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\nslink /a b 0777 0 0\nfile /f /etc/passwd 0644 0 0 /g\n";

const SAMPLES: readonly [name: string, kind: LayerSpec["kind"], bytes: Buffer][] = [
  ["tar", "tar", TAR],
  ["tar.gz", "tar", gzipSync(TAR)],
  ["tar.zst", "tar", zstdCompressSync(TAR)],
  ["deb", "deb", deb()],
  ["oci", "oci", tarOf(makeLayout([{ layers: [{ tar: TAR, compression: "none" }], reference: "a" }]))],
  ["list", "list", Buffer.from(LIST)],
];

/** Changes bytes, cuts, doubles parts. Checksums of tar headers are made right again: else they alone would be tried. */
function damage(bytes: Buffer, random: (below: number) => number, isTar: boolean): Buffer {
  let damaged: Buffer = Buffer.from(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(damaged.length);
    const what = random(12);
    if (what === 0) damaged = damaged.subarray(0, at + 1);
    else if (what === 1) damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(random(at + 1))]);
    else damaged[at] = [0, 0xff, 0x2f, 0x2e, 0x37, random(256)][random(6)] as number;
  }
  if (!isTar) return damaged;
  for (let at = 0; at + 512 <= damaged.length; at += 512) {
    if (damaged.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    damaged.fill(" ", at + 148, at + 156);
    const sum = damaged.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    damaged.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return damaged;
}

test.each(SAMPLES)(
  "damaged %s gives a tree that Linux can have, or this package's error",
  async (name, kind, bytes) => {
    const random = generator(SEED);
    let trees = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = damage(bytes, random, name === "tar" || name === "deb" || name === "oci");
      const source = save(directory, damaged, `damaged.${name}`);
      const where = `FUZZ_SEED=${SEED}, round ${round}`;
      try {
        const { nodes } = await readLayers(
          { layers: [{ kind, source }], arch: "x86_64", layerLimits: { bytes: 1 << 20 } },
          {},
        );
        trees++;
        const kinds = new Map(nodes.map(([path, node]) => [path, node.kind]));
        expect(kinds.size, where).toBe(nodes.length);
        for (const [path, node] of nodes) {
          expect(imagePath(path), where).toBe(path);
          const parent = path.slice(0, path.lastIndexOf("/"));
          if (parent !== "") expect(kinds.get(parent), where).toBe("directory");
          if (node.kind === "file") expect(bytesOf(node.content).length, where).toBeLessThanOrEqual(1 << 20);
          if (node.kind === "file" && node.content.kind === "host" && kind !== "list")
            expect(node.content.path, where).toBe(source);
        }
      } catch (error) {
        if (error instanceof InitramfsError) continue;
        throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (name !== "tar.gz" && name !== "tar.zst" && name !== "oci") expect(trees).toBeGreaterThan(0);
  },
);
