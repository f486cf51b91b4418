/** What is kept of machines' queues: on disk, by one server at a time, and within bounds. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBootDesk, type BootDesk } from "../src/boots/boot-desk.ts";
import { machineBook, policyOf } from "../src/index.ts";
import { fixedPolicy } from "../src/policy/policy-holder.ts";

const MAC = "52:54:00:00:00:01";
const OTHER = "52:54:00:00:00:02";
const BUNDLE = { kernel: "/k", initrd: [], cmdline: "" };
const PLAN = {
  run: "one",
  plan: { target: { kind: "bundle", bundle: BUNDLE }, cmdline: "", params: {} },
  timeoutMs: 60_000,
  fallback: "next",
} as const;
let directory = "";
let journal: string | undefined;
let desks: BootDesk[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-desk-"));
  journal = join(directory, "state", "eth0.queues");
  desks = [];
});
afterEach(async () => {
  await Promise.all(desks.map((desk) => desk.close()));
  await rm(directory, { recursive: true });
});

async function open(tracked = false): Promise<BootDesk> {
  const site = { address: "10.77.0.1", httpPort: 8080, tftpPort: 69, binaries: {} };
  const policy = fixedPolicy(policyOf({ kind: "bundle", bundle: BUNDLE }));
  const files = new Map();
  const emit = (): void => undefined;
  const desk = await openBootDesk({
    policy,
    book: machineBook(),
    files,
    site,
    own: undefined,
    journal,
    tracked,
    emit,
  });
  desks.push(desk);
  return desk;
}
const scriptOf = (desk: BootDesk, mac: string, client: string): Promise<string> =>
  desk.script({ via: "http", client, query: new URLSearchParams({ mac }) });

test("what is queued belongs to one server at a time", async () => {
  const first = await open();
  const second = await open();
  await first.replaceQueue(MAC, [PLAN]);
  const refused = { code: "PXE_STATE_FAILED", message: expect.stringContaining("Another server") };
  await expect(second.replaceQueue(OTHER, [PLAN])).rejects.toMatchObject(refused);
  expect(second.queue(OTHER).plans).toEqual([]);
  await expect(open()).rejects.toMatchObject(refused);
  await first.close();
  // What the other has left is taken over before anything is written.
  await second.replaceQueue(OTHER, [PLAN]);
  expect([second.queue(MAC).plans, second.queue(OTHER).plans]).toEqual([[PLAN], [PLAN]]);
  await second.close();
  expect((await open()).queued()).toBe(2);
});

test("a change that cannot be written is none, the next that can is, and the server can be closed in between", async () => {
  const desk = await open();
  const place = dirname(journal ?? "");
  await writeFile(place, "a file where the directory should be");
  await expect(desk.replaceQueue(MAC, [PLAN])).rejects.toMatchObject({
    code: "PXE_STATE_FAILED",
    message: expect.stringMatching(/eth0\.queues": \w+/),
    hint: expect.stringContaining("--state"),
  });
  expect(desk.queue(MAC).plans).toEqual([]);
  await (await open().catch(() => undefined))?.close();
  await rm(place);
  await desk.replaceQueue(MAC, [PLAN]);
  expect(await readFile(journal ?? "", "utf8")).toContain('"run":"one"');

  journal = join(directory, "other", "eth0.queues");
  const never = await open();
  await mkdir(journal, { recursive: true });
  await expect(never.replaceQueue(MAC, [PLAN])).rejects.toThrow();
  await never.close();
});

test("boots of whoever says that it is 5000 machines are not remembered for ever, plans that wait are", async () => {
  journal = undefined;
  const desk = await open(true);
  await desk.replaceQueue(MAC, [PLAN]);
  const first = await scriptOf(desk, OTHER, "10.77.0.8");
  const tokenOf = (script: string): string => / je\.token=(\w+)/.exec(script)?.[1] ?? "";
  const runOf = (script: string): string => / je\.run=(\S+)/.exec(script)?.[1] ?? "";
  expect(desk.uploader(runOf(first), tokenOf(first))?.mac).toBe(OTHER);
  let last = "";
  for (let number = 0; number < 5000; number++) {
    const pair = (value: number): string => value.toString(16).padStart(2, "0");
    last = await scriptOf(desk, `02:00:00:00:${pair(number >> 8)}:${pair(number & 255)}`, "10.77.0.9");
  }
  expect(desk.uploader(runOf(first), tokenOf(first))).toBeUndefined();
  expect(desk.uploader(runOf(last), tokenOf(last))?.mac).toBe("02:00:00:00:13:87");
  expect(desk.queue(MAC).plans).toEqual([PLAN]);
});
