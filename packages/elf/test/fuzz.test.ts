import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ElfError,
  type ElfSource,
  findSyscalls,
  openElf,
  readComments,
  readElf,
  readImports,
  readModuleInfo,
  readNotes,
  readSections,
  readVersionNeeds,
} from "../src/index.ts";
import { craftElf } from "./craft.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_126);
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 10_000);
// A thousand rounds take less than a second; a long run is as long as it is asked for.
const TIME = 60_000 + ROUNDS * 4;

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const SAMPLES = [
  ...[62, 20, 40].map((machineCode, index) =>
    craftElf({
      class: index === 0 ? 64 : 32,
      endianness: index === 1 ? "big" : "little",
      machineCode,
      typeCode: 3,
      interpreter: "/lib/ld.so.1",
      dynamic: [
        [1n, "libc.so.6"],
        [1n, "libm.so.6"],
        [29n, "$ORIGIN"],
      ],
      notes: [
        { owner: "GNU", type: 3, desc: text("12345678901234567890") },
        { owner: "FDO", type: 0x407c_0c0a, desc: text('[{"soname":["libz.so.1"]}]\0') },
      ],
      sections: [{ name: ".modinfo", bytes: text("license=GPL\0depends=x\0") }],
    }),
  ),
  new Uint8Array(readFileSync("/bin/true")),
];

const INTERESTING = [0, 1, 2, 3, 4, 8, 0x10, 0x7f, 0x80, 0xff];

/** Where the structures are, not the code: damage elsewhere is never looked at. */
function hotSpots(bytes: Uint8Array): [start: number, length: number][] {
  const elf = openElf(bytes);
  const spots: [number, number][] = [
    [0, 64],
    [52, elf.segments.length * 56 + 12],
    [elf.sectionTable.offset, elf.sectionTable.count * elf.sectionTable.entrySize],
  ];
  for (const { type, offset, fileSize } of elf.segments)
    if (type > 1 && type < 5) spots.push([offset, fileSize]);
  return spots.filter(([, length]) => length > 0);
}

describe("fuzz", () => {
  it(
    `throws nothing but ElfError on damaged files (FUZZ_SEED=${SEED})`,
    () => {
      console.log(`FUZZ_SEED=${SEED} FUZZ_ROUNDS=${ROUNDS}`);
      const random = randomFrom(SEED);
      const spots = SAMPLES.map(hotSpots);
      const outcomes = new Map<string, number>();
      let slowest = 0;
      let mostRead = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const which = random(SAMPLES.length);
        let bytes = (SAMPLES[which] as Uint8Array).slice();
        const places = spots[which] as [number, number][];
        for (let change = random(6); change >= 0; change--) {
          const [start, length] = places[random(places.length)] as [number, number];
          const at = start + random(length);
          bytes[at] = random(2) === 0 ? random(256) : (INTERESTING[random(INTERESTING.length)] as number);
        }
        if (random(8) === 0) bytes = bytes.slice(0, random(bytes.length));
        let read = 0;
        const source: ElfSource = {
          size: bytes.length,
          read(offset, length) {
            if (!(offset >= 0 && length > 0 && offset + length <= bytes.length)) {
              throw new Error(`read of ${length} bytes at ${offset} of ${bytes.length}`);
            }
            read += length;
            return bytes.subarray(offset, offset + length);
          },
        };
        const started = performance.now();
        for (const action of [
          () => readElf(source),
          () => readSections(openElf(source)),
          () => readModuleInfo(openElf(source)),
          () => readComments(openElf(source)),
          () => readNotes(openElf(source)),
          () => readVersionNeeds(openElf(source)),
          () => readImports(openElf(source)),
          () => findSyscalls(openElf(source)),
        ]) {
          let outcome = "ok";
          try {
            action();
          } catch (error) {
            if (!(error instanceof ElfError)) {
              throw new Error(`FUZZ_SEED=${SEED} round ${round}: ${String(error)}`, { cause: error });
            }
            outcome = error.code;
          }
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
        slowest = Math.max(slowest, performance.now() - started);
        mostRead = Math.max(mostRead, read);
      }
      console.log(
        Object.fromEntries(outcomes),
        `slowest ${slowest.toFixed(1)} ms, most read ${mostRead} bytes`,
      );
      for (const outcome of ["ok", "ELF_NOT_ELF", "ELF_TRUNCATED", "ELF_MALFORMED", "ELF_UNSUPPORTED"]) {
        expect(outcomes.get(outcome)).toBeGreaterThan(0);
      }
      // A hang, not a busy machine.
      expect(slowest).toBeLessThan(10_000);
      expect(mostRead).toBeLessThan(32 * 1024 * 1024);
    },
    TIME,
  );
});
