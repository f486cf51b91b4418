import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCpio } from "@justenough/cpio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentSegment, machine, snapshot, type MachineSpec, type Snapshot, type Vm } from "../src/index.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";

let guest: Guest;
let cacheDir: string;
let spec: MachineSpec;

beforeAll(async () => {
  guest = await prepareGuest();
  cacheDir = await mkdtemp(join(tmpdir(), "qemu-snapshot-test-"));
  const initrd = [guest.initrd, await agentSegment()];
  const cmdline = "console=ttyS0 rdinit=/agent";
  spec = { kernel: guest.kernel, initrd, cmdline, ports: ["agent"], memory: "256M" };
}, 180_000);

afterAll(async () => {
  await guest.remove();
  await rm(cacheDir, { recursive: true, force: true });
});

async function ask(vm: Vm, command: string): Promise<string> {
  const agent = await vm.agent();
  const { code, stdout, stderr } = await agent.exec(["/bin/busybox", "sh", "-c", command]);
  expect(code, Buffer.from(stderr).toString()).toBe(0);
  return Buffer.from(stdout).toString("utf8").trim();
}

test("copies of a booted guest go on where it was, each with random numbers and a time of its own", async () => {
  const prepare = async (vm: Vm): Promise<void> => {
    await ask(vm, "echo kept > /tmp/mark");
    await ask(vm, "/bin/busybox date -s '2001-01-01 00:00:00'");
  };
  // Left by a process that was killed: no process has such a number.
  const left = join(cacheDir, "qemu/snapshots/0123.part-99999999-abc");
  await mkdir(left, { recursive: true });
  const booted = await snapshot(spec, { cacheDir, name: "marked", prepare });
  expect(booted.cached).toBe(false);
  const command =
    "/bin/busybox cat /tmp/mark; /bin/busybox od -An -N16 -tx1 /dev/urandom; /bin/busybox date +%s; echo own > /tmp/mark";
  const both = await Promise.all([booted.clone(), booted.clone()]);
  const told: string[][] = [];
  try {
    for (const vm of both) told.push((await ask(vm, command)).split("\n"));
  } finally {
    await Promise.all(both.map((vm) => vm.kill()));
  }
  const [[mark, random, time], [otherMark, otherRandom]] = told as [string[], string[]];
  expect([mark, otherMark]).toEqual(["kept", "kept"]);
  expect(random).toMatch(/^( [0-9a-f]{2}){16}$/);
  expect(random).not.toBe(otherRandom);
  expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60);
  expect(await both[0].wait()).toMatchObject({ kind: "killed", clone: booted.key });

  // What a copy wrote is in no other one, and the snapshot is found again.
  const again = await snapshot(spec, { cacheDir, name: "marked", prepare });
  expect(again).toMatchObject({ cached: true, key: booted.key });
  await using third = await again.clone();
  expect(await ask(third, "/bin/busybox cat /tmp/mark")).toBe("kept");
  expect(await readdir(join(cacheDir, "qemu/snapshots"))).toEqual([booted.key]);
}, 180_000);

test("a file that was written anew is another, whatever its size and date; what is gone from the cache is made again", async () => {
  const root = join(cacheDir, "qemu/snapshots");
  const extra = join(cacheDir, "extra.cpio");
  const cpio = (content: string): Uint8Array =>
    encodeCpio([{ type: "file", name: "extra", mode: 0o644, data: Buffer.from(content) }], { blockSize: 4 });
  const dated = { ...spec, initrd: [...(spec.initrd ?? []), extra] };
  const make = async (content: string): Promise<Snapshot> => {
    await writeFile(extra, cpio(content));
    // As builds do that are to be reproducible.
    await utimes(extra, 1, 1);
    return snapshot(dated, { cacheDir, name: "dated" });
  };
  const [one, two] = [await make("one"), await make("two")];
  expect([two.cached, two.key === one.key]).toEqual([false, false]);
  await rm(join(root, two.key), { recursive: true });
  await using vm = await two.clone();
  expect(await ask(vm, "/bin/busybox cat /extra")).toBe("two");
  expect(await readdir(root)).toContain(two.key);
  // So is what a full disk or a crash has left of one.
  await truncate(join(root, two.key, "state"), 0);
  await using another = await two.clone();
  expect(await ask(another, "/bin/busybox cat /extra")).toBe("two");
}, 180_000);

test("a preparation that fails keeps nothing, and what can't be copied is refused", async () => {
  const failing = snapshot(spec, {
    cacheDir,
    name: "failing",
    prepare: () => Promise.reject(new Error("no")),
  });
  await expect(failing).rejects.toThrow("no");
  expect((await readdir(join(cacheDir, "qemu/snapshots"))).filter((name) => name.includes("part"))).toEqual(
    [],
  );
  const panics = snapshot({ ...spec, cmdline: "console=ttyS0 rdinit=/none" }, { cacheDir });
  await expect(panics).rejects.toMatchObject({
    code: "QEMU_AGENT_LOST",
    message: expect.stringMatching(
      /^The guest's agent has not answered\. The kernel panicked: .* found no \/init/,
    ),
  });
  const refused = async (change: MachineSpec): Promise<void> => {
    const request = snapshot(machine({ ...spec, ...change }), { cacheDir });
    await expect(request).rejects.toMatchObject({ code: "QEMU_SPEC_INVALID" });
  };
  await refused({ ports: [] });
  await refused({ shares: [{ path: "/tmp", tag: "tmp" }] });
  await refused({ disks: [{ path: "disk.img" }] });
  await refused({ gdb: 1234 });
});
