import { isDeepStrictEqual } from "node:util";
import { type CpioDecodedEntry, CpioError, type CpioInput, decodeCpio, encodeCpio } from "../../src/index.ts";
import { chunksOf, indexAll, unpackAll } from "../collect.ts";
import { randomFrom } from "../random.ts";

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

/** A damaged archive for both strict readers, which must come to the same end; tells to which. */
export async function strictRound(seed: number): Promise<string> {
  const random = randomFrom(seed);
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
  const results: unknown[] = [];
  for (const read of [
    () => comparable(decodeCpio(bytes)),
    async () => comparable(await unpackAll(chunksOf(bytes, () => 1 + random.int(200)))),
    () => comparable(indexAll(bytes, () => 1 + random.int(200))),
  ]) {
    try {
      results.push(await read());
    } catch (error) {
      if (!(error instanceof CpioError)) throw error;
      results.push([error.code, error.message, error.offset]);
    }
  }
  const [inMemory, ...others] = results;
  const other = others.find((result) => !isDeepStrictEqual(result, inMemory));
  if (other !== undefined) {
    throw new Error(`The readers differ: ${JSON.stringify(inMemory)} and ${JSON.stringify(other)}`);
  }
  const [first] = results[0] as [unknown];
  return typeof first === "string" ? first : "ok";
}
