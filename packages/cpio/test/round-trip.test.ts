import { describe, expect, it } from "vitest";
import { type CpioInput, type CpioType, decodeCpio, encodeCpio, type PackOptions } from "../src/index.ts";
import { chunksOf, packAll, packAllSync, unpackAll } from "./collect.ts";
import { FUZZ_SEED, type Random, randomFrom } from "./random.ts";
import { gnuCpio } from "./tree.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 300);
const UINT32 = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function randomName(random: Random, index: number): Uint8Array {
  const length = random.pick([1, 2, 3, 4, 5, 30, 255, 1000, 4090]);
  // Names are unique through their number, and free of NUL.
  return Buffer.concat([random.bytes(length).map((byte) => byte || 0x2f), Buffer.from(String(index))]);
}

function randomEntries(random: Random): CpioInput[] {
  const entries: CpioInput[] = [];
  const linkable: Uint8Array[] = [];
  for (let count = 1 + random.int(12); count > 0; count--) {
    const name = randomName(random, count);
    if (linkable.length > 0 && random.int(4) === 0) {
      entries.push({ type: "link", name, linkTo: random.pick(linkable) });
      continue;
    }
    const type = random.pick<CpioType>([
      "file",
      "file",
      "directory",
      "symlink",
      "character",
      "block",
      "fifo",
    ]);
    const number = (): number => (random.int(2) === 0 ? random.pick(UINT32) : random.int(0x1_0000_0000));
    const common = { name, mode: random.int(0o10000), uid: number(), gid: number(), mtime: number() };
    if (type === "file") {
      const data = random.bytes(random.pick([0, 1, 2, 3, 4, 5, 1000, 40_000]));
      const pieces = [...chunksOf(data, () => 1 + random.int(20_000))];
      const open = (): Uint8Array[] => pieces;
      entries.push({ ...common, type, data: random.int(2) === 0 ? data : { size: data.length, open } });
    } else if (type === "symlink") {
      entries.push({ ...common, type, target: randomName(random, 0) });
    } else if (type === "character" || type === "block") {
      entries.push({ ...common, type, rdev: { major: number(), minor: number() } });
    } else {
      entries.push({ ...common, type });
    }
    if (type !== "directory" && type !== "symlink") linkable.push(name);
  }
  return entries;
}

/** What reading must give, derived from the inputs without the writer's help. */
function expected(entries: readonly CpioInput[]): object[] {
  const byName = new Map<string, object>();
  const hex = (bytes: string | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString("hex");
  const namesOf = (name: string): number =>
    1 + entries.filter((entry) => entry.type === "link" && hex(entry.linkTo) === name).length;
  return entries.map((entry) => {
    if (entry.type === "link") {
      return { ...byName.get(hex(entry.linkTo)), name: hex(entry.name), data: "", size: 0 };
    }
    const { type, name, mode = -1, uid, gid, mtime } = entry;
    const source = type === "file" ? (entry.data ?? new Uint8Array(0)) : new Uint8Array(0);
    const bytes =
      source instanceof Uint8Array
        ? source
        : Buffer.concat([...((source as { open(): unknown }).open() as Uint8Array[])]);
    const result = {
      name: hex(name),
      type,
      mode,
      uid,
      gid,
      mtime,
      nlink: type === "directory" ? 2 : type === "symlink" ? 1 : namesOf(hex(name)),
      rdev: type === "character" || type === "block" ? entry.rdev : { major: 0, minor: 0 },
      data: hex(bytes),
      size: type === "symlink" ? (entry.target as Uint8Array).length : bytes.length,
      target: type === "symlink" ? hex(entry.target) : "",
    };
    byName.set(hex(name), result);
    return result;
  });
}

function observed(entries: ReturnType<typeof decodeCpio>): object[] {
  const hex = (bytes: Uint8Array = new Uint8Array(0)): string => Buffer.from(bytes).toString("hex");
  return entries.map((entry) => {
    const { nameBytes, type, mode, uid, gid, mtime, nlink, rdev, data, size, targetBytes } = entry;
    const rest = { type, mode: mode & 0o7777, uid, gid, mtime, nlink, rdev, size };
    return { name: hex(nameBytes), ...rest, data: hex(data), target: hex(targetBytes) };
  });
}

describe("round trip", () => {
  it(`gives back what was written (FUZZ_SEED=${FUZZ_SEED})`, async () => {
    console.log(`FUZZ_SEED=${FUZZ_SEED} FUZZ_ROUNDS=${ROUNDS}`);
    for (let round = 0; round < ROUNDS; round++) {
      const random = randomFrom(FUZZ_SEED + round);
      const entries = randomEntries(random);
      const options: PackOptions = {
        format: random.pick(["newc", "crc"]),
        firstInode: random.pick([0, 1, 721]),
        blockSize: random.pick([4, 512, 4096]),
        trailer: random.int(3) > 0,
        dataAlign: random.pick([4, 4, 512, 4096]),
      };
      const archive = encodeCpio(entries, options);
      const message = `FUZZ_SEED=${FUZZ_SEED + round} FUZZ_ROUNDS=1`;
      expect(archive.length % (options.blockSize ?? 512), message).toBe(0);
      expect((await packAll(entries, options)).equals(archive), message).toBe(true);
      expect(packAllSync(entries, options).equals(archive), message).toBe(true);
      const decoded = decodeCpio(archive);
      expect(observed(decoded), message).toEqual(expected(entries));
      const size = random.pick([1, 7, 110, 4096]);
      const streamed = await unpackAll(chunksOf(archive, size));
      expect(observed(streamed), message).toEqual(expected(entries));
      expect(streamed.map(({ linkKey }) => linkKey)).toEqual(decoded.map(({ linkKey }) => linkKey));
    }
  }, 60_000);

  it("is what GNU cpio reads", () => {
    for (let round = 0; round < 20; round++) {
      const random = randomFrom(FUZZ_SEED + round);
      const entries = randomEntries(random).filter(({ type }) => type !== "link");
      const archive = encodeCpio(entries, {
        format: random.pick(["newc", "crc"]),
        dataAlign: random.pick([4, 4096]),
      });
      const listing = gnuCpio(["-t"], { input: archive });
      const names = entries.flatMap(({ name }) => [name as Uint8Array, Buffer.from("\n")]);
      expect(listing.equals(Buffer.concat(names)), `FUZZ_SEED=${FUZZ_SEED + round}`).toBe(true);
    }
  });
});
