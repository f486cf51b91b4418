import { expect, test } from "vitest";
import { benches } from "../src/internal/benches.ts";

test("the first free place is given away, whoever waits gets one that is left, and what was made is found there", async () => {
  const places = benches(["a", "b"]);
  const [one, two] = [await places.take(undefined), await places.take(undefined)];
  expect([one.place, two.place]).toEqual(["a", "b"]);
  const controller = new AbortController();
  const waiting = [places.take(controller.signal), places.take(undefined)];
  controller.abort(new Error("not wanted any more"));
  await expect(waiting[0]).rejects.toThrow("not wanted any more");
  two.leave("a kernel");
  const three = await waiting[1];
  expect(three?.place).toBe("b");
  three?.leave("another");
  // It has left already.
  two.leave("a third");
  expect([places.takeMade("a third"), places.takeMade("another")?.place]).toEqual([undefined, "b"]);
  one.leave();
  expect((await places.take(undefined)).place).toBe("a");
});
