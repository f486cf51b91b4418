import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { findStub, inspectUki, prepareUki, readPe, streamSection, UkiError } from "../src/index.ts";
import { craftBzImage, craftPe, text } from "./support/craft-pe.ts";
import { gather } from "./support/gather.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_129);
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 10_000);

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

const INTERESTING = [0, 1, 2, 4, 8, 0x10, 0x40, 0x7f, 0x80, 0xff];
const kernel = craftBzImage("6.1.0-test");
const initrd = text("initrd");

test(
  `damaged files give a result or a UkiError (FUZZ_SEED=${SEED})`,
  async () => {
    console.log(`FUZZ_SEED=${SEED} FUZZ_ROUNDS=${ROUNDS}`);
    const stub = await readFile(await findStub("x64"));
    // All of the real one that is read as more than content, for speed.
    const real = Uint8Array.from(
      await gather((await prepareUki({ kernel, stub, initrd: [initrd] })).stream()),
    );
    const samples = [
      craftPe(),
      craftPe({ plus: false, machine: 0x14c }),
      craftPe({ certificates: { offset: 1024, size: 8 } }),
      craftBzImage("6.1"),
      Uint8Array.from(stub),
      real,
    ];
    const random = randomFrom(SEED);
    const outcomes = new Map<string, number>();
    let slowest = 0;
    const attempt = async (round: number, action: () => Promise<unknown>): Promise<void> => {
      const started = performance.now();
      let outcome = "ok";
      try {
        await action();
      } catch (error) {
        // Nothing here is a file, or changes.
        if (!(error instanceof UkiError) || error.code.startsWith("UKI_FILE"))
          throw new Error(`FUZZ_SEED=${SEED} round ${round}: ${String(error)}`, { cause: error });
        outcome = error.code;
      }
      slowest = Math.max(slowest, performance.now() - started);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    for (let round = 0; round < ROUNDS; round++) {
      let bytes = (samples[random(samples.length)] as Uint8Array).slice();
      // Where the headers are: damage elsewhere is content.
      const hot = new DataView(bytes.buffer).getUint32(0x3c, true);
      for (let change = random(3); change >= 0; change--) {
        const where = random(16);
        const at = where === 0 ? random(bytes.length) : where === 1 ? random(64) : hot + random(0x280);
        if (at < bytes.length)
          bytes[at] = random(2) === 0 ? random(256) : (INTERESTING[random(INTERESTING.length)] as number);
      }
      if (random(8) === 0) bytes = bytes.slice(0, random(bytes.length));
      await attempt(round, () => inspectUki(bytes));
      await attempt(round, async () => {
        for (const { name } of (await readPe(bytes)).sections.slice(0, 20))
          for await (const _ of streamSection(bytes, name));
      });
      await attempt(round, () => prepareUki({ kernel: bytes, stub, initrd: [initrd] }));
      await attempt(round, async () => {
        const uki = await prepareUki({ kernel, stub: bytes, initrd: [initrd] });
        const image = await gather(uki.stream());
        const { sections } = await readPe(image);
        // What was accepted is written as it should be.
        const ok =
          image.length === uki.size &&
          JSON.stringify(sections) === JSON.stringify(uki.sections) &&
          (await gather(streamSection(image, ".linux"))).equals(kernel) &&
          (await gather(streamSection(image, ".initrd"))).equals(initrd);
        if (!ok) throw new Error("a wrong image");
      });
    }
    console.log(Object.fromEntries(outcomes), `slowest ${slowest.toFixed(1)} ms`);
    for (const outcome of ["ok", "UKI_NOT_PE", "UKI_TRUNCATED", "UKI_MALFORMED", "UKI_UNSUPPORTED"])
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
    for (const outcome of ["UKI_STUB_UNSUITABLE", "UKI_KERNEL_UNSUITABLE", "UKI_NO_ROOM"])
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
    // A hang, not a busy machine.
    expect(slowest).toBeLessThan(10_000);
  },
  60_000 + ROUNDS * 20,
);
