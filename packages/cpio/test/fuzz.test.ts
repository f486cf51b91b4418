import { describe, expect, it } from "vitest";
import { type CpioDecodedEntry, CpioError, type CpioInput, decodeCpio, encodeCpio } from "../src/index.ts";
import { chunksOf, indexAll, unpackAll } from "./collect.ts";
import { FUZZ_SEED, randomFrom } from "./random.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 10_000);

const ENTRIES: CpioInput[] = [
  { type: "directory", name: "dir" },
  { type: "file", name: "dir/file", data: "some data that is not short" },
  { type: "link", name: "dir/link", linkTo: "dir/file" },
  { type: "symlink", name: "symlink", target: "dir/file" },
  { type: "character", name: "console", rdev: { major: 5, minor: 1 } },
];
const SAMPLES = (["newc", "crc"] as const).map((format) => {
  const archive = encodeCpio(ENTRIES, { format, blockSize: 4 });
  return Buffer.concat([archive, Buffer.alloc(16), archive]);
});
const DIGITS = Buffer.from("0123456789ABCDEFabcdef");

function comparable(entries: readonly CpioDecodedEntry[]): object[] {
  return entries.map(({ data, ...header }) =>
    Object.assign(header, { data: Buffer.from(data).toString("hex") }),
  );
}

describe("fuzz", () => {
  it(`throws nothing but CpioError on damaged archives (FUZZ_SEED=${FUZZ_SEED})`, async () => {
    console.log(`FUZZ_SEED=${FUZZ_SEED} FUZZ_ROUNDS=${ROUNDS}`);
    const outcomes = new Map<string, number>();
    let slowest = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = randomFrom(FUZZ_SEED + round);
      let bytes = Buffer.from(random.pick(SAMPLES));
      for (let change = random.int(5); change >= 0; change--) {
        // Digits for digits keep a header readable, so that its numbers are what is wrong.
        bytes[random.int(bytes.length)] = random.int(3) > 0 ? random.pick([...DIGITS]) : random.int(256);
      }
      if (random.int(6) === 0) bytes = bytes.subarray(0, random.int(bytes.length));
      if (random.int(10) === 0) {
        const at = random.int(bytes.length);
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.int(bytes.length))]);
      }
      const message = `FUZZ_SEED=${FUZZ_SEED + round} FUZZ_ROUNDS=1`;
      const started = performance.now();
      const results: unknown[] = [];
      for (const read of [
        () => comparable(decodeCpio(bytes)),
        async () => comparable(await unpackAll(chunksOf(bytes, () => 1 + random.int(200)))),
        () => comparable(indexAll(bytes, () => 1 + random.int(200))),
      ]) {
        try {
          results.push(await read());
        } catch (error) {
          if (!(error instanceof CpioError))
            throw new Error(`${message}: ${String(error)}`, { cause: error });
          results.push([error.code, error.message, error.offset]);
        }
      }
      // All readers come to the same end.
      expect(results[1], message).toEqual(results[0]);
      expect(results[2], message).toEqual(results[0]);
      slowest = Math.max(slowest, performance.now() - started);
      const [first] = results[0] as [unknown];
      const outcome = typeof first === "string" ? first : "ok";
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    console.log(Object.fromEntries(outcomes), `slowest ${slowest.toFixed(1)} ms`);
    const wanted = ["ok", "CPIO_HEADER", "CPIO_NAME", "CPIO_TRUNCATED", "CPIO_FOREIGN", "CPIO_CHECKSUM"];
    for (const outcome of wanted) expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
    // A hang, not a busy machine.
    expect(slowest).toBeLessThan(10_000);
  }, 60_000);
});
