import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { createVirtioPort } from "../src/virtio-port.ts";
import { collect } from "./support/collect.ts";

const MIB = 1 << 20;

test("the guest waits for the reader, until QEMU has ended: then all that is left is taken", async () => {
  const [ours, guest] = duplexPair();
  let seen = 0;
  const port = createVirtioPort("results", ours, () => (seen += 1));
  const written: number[] = [];
  for (let i = 0; i < 64; i += 1) guest.write(Buffer.alloc(MIB / 8, i), () => written.push(i));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen).toBeLessThan(16);
  expect(written.length).toBeLessThan(16);
  guest.end();
  const all = collect(port.readable);
  port.drain();
  await new Promise((resolve) => setTimeout(resolve, 50));
  ours.destroy();
  const bytes = Buffer.concat(await all);
  expect(bytes.length).toBe(8 * MIB);
  expect([bytes[0], bytes.at(-1)]).toEqual([0, 63]);
});

test("a further reader goes on where the one before has been, and ends it", async () => {
  const [ours, guest] = duplexPair();
  const port = createVirtioPort("results", ours, () => undefined);
  const first = port.readable[Symbol.asyncIterator]();
  guest.write("one");
  expect(Buffer.from((await first.next()).value ?? []).toString()).toBe("one");
  const pending = first.next();
  const second = port.readable[Symbol.asyncIterator]();
  const next = second.next();
  expect(await pending).toEqual({ done: true, value: undefined });
  guest.write("two");
  expect(Buffer.from((await next).value ?? []).toString()).toBe("two");
  await port.write("hello");
  expect(String(guest.read())).toBe("hello");
  ours.destroy();
  expect((await second.next()).done).toBe(true);
});
