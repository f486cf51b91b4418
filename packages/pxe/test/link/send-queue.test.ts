import { expect, test } from "vitest";
import { sendQueue } from "../../src/link/send-queue.ts";
import { mutator } from "../fuzz.ts";

test("whatever was given and is not confirmed can be had again, from any place", () => {
  const random = mutator();
  const queue = sendQueue(1);
  let all = Buffer.alloc(0);
  let confirmed = 0;
  for (let round = 0; round < 2000; round++) {
    if (random.below(3) > 0) {
      const bytes = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
      queue.push(bytes);
      all = Buffer.concat([all, bytes]);
    }
    if (random.below(3) === 0) {
      confirmed += random.below(all.length - confirmed + 1);
      queue.release(1 + confirmed);
    }
    expect(queue.length).toBe(all.length - confirmed);
    const from = confirmed + random.below(all.length - confirmed + 1);
    const length = random.below(all.length - from + 1);
    const got = Buffer.concat(queue.parts(1 + from, length));
    if (!got.equals(all.subarray(from, from + length))) expect.fail(`seed ${random.seed}, round ${round}`);
  }
});
