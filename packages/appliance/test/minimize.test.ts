import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMemory, type Outcome } from "../src/minimize/memory.ts";
import { faultOf, type Trial } from "../src/minimize/trial.ts";
import { reasonIn } from "../src/minimize/why.ts";
import type { RunRecord } from "../src/run/record.ts";
import { ENDED_WELL } from "./support/run-record.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "justenough-minimize-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const outcome = (change: Partial<Outcome>): Outcome => ({
  config: "c1",
  acceptance: "redis",
  ok: false,
  why: "no answer",
  off: ["EPOLL"],
  goes: ["EPOLL"],
  ...change,
});

test("verdicts are found again for the same appliance, also after a line that was cut", async () => {
  const path = join(directory, "verdicts.ndjson");
  const memory = await openMemory(path, "redis");
  await memory.add(outcome({}));
  await appendFile(path, '{"config":"c2","acce');
  const again = await openMemory(path, "redis");
  await again.add(outcome({ config: "c3", ok: true, why: undefined }));
  const third = await openMemory(path, "redis");
  expect(third.find("c1", "redis")?.why).toBe("no answer");
  expect(third.find("c2", "redis")).toBeUndefined();
  expect(third.find("c3", "redis")?.ok).toBe(true);
  expect(third.find("c1", "hello")).toBeUndefined();
  expect((await readFile(path, "utf8")).split("\n").filter((line) => line !== "")).toHaveLength(3);
});

test("a kernel that does not build fails for every appliance", async () => {
  const path = join(directory, "unbuildable.ndjson");
  await (await openMemory(path, "redis")).add(outcome({ unbuildable: true }));
  expect((await openMemory(path, "hello")).find("c1", "hello")?.unbuildable).toBe(true);
});

test("other appliances teach what is likely needed, one's own verdicts do not change the order", async () => {
  const path = join(directory, "odds.ndjson");
  const first = await openMemory(path, "redis");
  const [epoll, vt] = [first.chance("EPOLL"), first.chance("VT")];
  expect(first.chance("BINFMT_ELF")).toBeGreaterThan(0.5);
  const told = await openMemory(path, "redis", {
    used: new Set(["EPOLL"]),
    likely: new Set(["VIRTIO_NET"]),
  });
  expect(told.chance("EPOLL")).toBeGreaterThan(0.5);
  expect(told.chance("VIRTIO_NET")).toBeGreaterThan(0.7);
  for (let turn = 0; turn < 4; turn++) {
    await first.add(outcome({ config: `e${turn}` }));
    await first.add(outcome({ config: `v${turn}`, ok: true, off: ["VT"], goes: ["VT", "INPUT"] }));
    // Which of two it was is not known.
    await first.add(outcome({ config: `b${turn}`, off: ["NET", "PCI"], goes: ["NET", "PCI"] }));
  }
  const own = await openMemory(path, "redis");
  expect([own.chance("EPOLL"), own.chance("VT")]).toEqual([epoll, vt]);
  const other = await openMemory(path, "hello");
  expect(other.chance("EPOLL")).toBeGreaterThan(0.6);
  expect(other.chance("VT")).toBeLessThan(vt);
  expect(other.chance("INPUT")).toBe(other.chance("VT"));
  expect(other.chance("NET")).toBe(epoll);
});

const record = (change: Partial<RunRecord>): RunRecord => ({
  ...ENDED_WELL,
  log: join(directory, "console.log"),
  ...change,
});
const trial = (change: Partial<RunRecord>, output = "Hello\n", refused?: string): Trial => ({
  record: record(change),
  output,
  refused,
});
const EXPECTED = { output: "Hello\n", told: [], notes: ["no network"] };

test("passing is what the kernel that all starts from does", async () => {
  await writeFile(
    join(directory, "console.log"),
    "booting\r\n\u001B[1mVFS: Cannot open root\u001B[0m\r\n\r\n",
  );
  const fault = (one: Trial): Promise<string | undefined> => faultOf(one, EXPECTED);
  expect(await fault(trial({}))).toBeUndefined();
  expect(await fault(trial({ notes: ["no network"] }))).toBeUndefined();
  expect(await fault(trial({ notes: ["/proc cannot be mounted"] }))).toBe("/proc cannot be mounted");
  expect(await fault(trial({}, "Hullo\n"))).toBe('the program printed something else: "Hullo\\n"');
  expect(await fault(trial({ end: { kind: "exited", status: 3 } }, "oh\nno\n"))).toBe(
    "the program ended with 3: no",
  );
  expect(await fault(trial({ end: { kind: "signalled", signal: 11 } }))).toBe(
    "the program ended by signal 11",
  );
  expect(await fault(trial({}, "Hello\n", "the test ended with 1"))).toBe("the test ended with 1");
  const failed = { kind: "failed", message: "The kernel stopped\nmore", timedOut: false } as const;
  expect(await fault(trial({ end: failed }))).toBe(
    "The kernel stopped; last on the console: [1mVFS: Cannot open root[0m",
  );
  const ended = { kind: "failed", message: "The machine was ended by its owner", timedOut: false } as const;
  expect(await fault({ ...trial({ end: ended }, "", "the test ended with 1"), killed: true })).toBe(
    "the test ended with 1",
  );
  expect(await faultOf(trial({}), { ...EXPECTED, told: ["processes"] })).toBe(
    "the report says nothing of processes",
  );
});

test("the reason of an option is the comment above its line", () => {
  const text =
    "# Made for x.\n\n# removing it: no answer\nCONFIG_EPOLL=y\n# CONFIG_VT is not set\nCONFIG_NET=y\n";
  expect(reasonIn(text, "EPOLL", "y")).toBe("removing it: no answer");
  // The spec turns it off, whatever was found.
  expect(reasonIn(text, "EPOLL", "n")).toBeUndefined();
  expect(reasonIn(text, "NET", "y")).toBeUndefined();
  expect(reasonIn(text, "PCI", "y")).toBeUndefined();
});
