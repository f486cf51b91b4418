/** Random archives: sequences of entries that get in each other's way, and damaged bytes. */
import type { Random } from "../random.ts";
import type { Corner, KernelCase } from "./kernel-case.ts";
import { COMPRESSIONS, member } from "./members.ts";
import {
  BLK,
  CHR,
  DIR,
  entry,
  FIFO,
  join,
  LNK,
  padded,
  REG,
  SOCK,
  sumOf,
  trailer,
  zeros,
} from "./segment.ts";

const NAMES = [
  "a",
  "b",
  "c",
  "a/b",
  "a/c",
  "b/a",
  "c/a/b",
  "a/",
  "b/.",
  "c/..",
  "a/../b",
  "./c",
  "a//b",
  "l",
  "l/a",
  "m/b",
  "l/",
  "m",
];
const TARGETS = ["a", "b", "..", "l", "m", "a/", "./b", "c/../a", "", "none"];
const TYPES = [REG, REG, REG, REG, DIR, DIR, DIR, LNK, LNK, CHR, BLK, FIFO, SOCK, 0];

function randomEntry(c: Corner, random: Random): Uint8Array {
  const type = random.pick(TYPES);
  const permissions = random.pick([0o644, 0o755, 0o700, 0o4755, 0o2755, 0o1777, 0]);
  const name = random.pick(NAMES);
  const isSummed = random.int(8) === 0;
  const data =
    type === LNK
      ? random.pick([...TARGETS, `/${c.dir}/b`])
      : type === REG && random.int(3) > 0
        ? "x".repeat(random.int(12))
        : random.int(30) === 0
          ? "odd"
          : "";
  return c.entry({
    name,
    nuls: random.int(10) === 0 ? random.pick([2, 5, 9, 5000]) : 1,
    mode: type | permissions,
    data,
    ino: random.int(4),
    nlink: random.pick([1, 1, 2, 3]),
    uid: random.pick([0, 0, 7, 0xffff_ffff]),
    gid: random.pick([0, 8, 0xffff_ffff]),
    mtime: 1000 + random.int(50),
    rmajor: 1,
    rminor: 1 + random.int(3),
    upperCase: random.int(2) === 0,
    ...(isSummed ? { magic: "070702", checksum: type === REG ? sumOf(data) : random.int(9) } : {}),
  });
}

/** How a part of a random archive gets compressed. */
export type Pack = (archive: Uint8Array, random: Random) => Uint8Array;

const packForReal: Pack = (archive, random) => padded(member(random.pick(COMPRESSIONS), archive));

/** A sequence of entries, trailers, zeros and compressed members. */
export function randomArchive(c: Corner, random: Random, pack: Pack = packForReal): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = 3 + random.int(20); left > 0; left--) {
    const kind = random.int(25);
    if (kind === 0) parts.push(trailer());
    // Names of no length are skipped, like those of more than 4096 bytes.
    else if (kind === 3) parts.push(entry({ name: "", nuls: 0 }));
    else if (kind === 1) parts.push(zeros(4 * random.int(8)));
    else if (kind === 2) {
      const archive = join(
        randomEntry(c, random),
        randomEntry(c, random),
        random.int(2) === 0 ? trailer() : "",
      );
      parts.push(pack(archive, random));
    } else parts.push(randomEntry(c, random));
  }
  return join(...parts);
}

/** Entries that are all right by themselves, in an order that nobody thought of. */
export function sequenceCase(random: Random): KernelCase {
  return { name: `sequence ${random.seed}`, make: (c) => randomArchive(c, random) };
}

/** Bytes changed, mostly to ones that mean something, and the end cut off. */
export function damage(archive: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(archive);
  for (let count = 1 + random.int(3); count > 0 && bytes.length > 0; count--) {
    const at = random.int(bytes.length);
    bytes[at] = random.pick([0x30, 0x31, 0x46, 0x66, 0, 0x2f, random.int(256)]);
  }
  return random.int(4) === 0 ? bytes.subarray(0, random.int(bytes.length)) : bytes;
}

/** An archive that was damaged. */
export function damagedCase(random: Random): KernelCase {
  return {
    name: `damaged ${random.seed}`,
    make: (c) =>
      damage(join(...Array.from({ length: 2 + random.int(6) }, () => randomEntry(c, random))), random),
  };
}
