import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  commandByHand,
  connectQmp,
  describeResult,
  findUefi,
  launch,
  machine as describeMachine,
  probeAccelerator,
  type BootResult,
  type MachineSpec,
  type Vm,
} from "../src/index.ts";
import { directBoot } from "../src/internal/direct-boot.ts";
import { findQemu } from "../src/internal/qemu-binary.ts";
import { bareQemu } from "./support/bare-qemu.ts";
import { bootDisk, bootIso, exitDisk } from "./support/boot-sector.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";
import { processesWith } from "./support/processes.ts";

const exec = promisify(execFile);
const cli = new URL("../src/cli.ts", import.meta.url).pathname;
let guest: Guest;
let scratch: string;
beforeAll(async () => {
  guest = await prepareGuest();
  scratch = await mkdtemp(join(tmpdir(), "qemu-drives-test-"));
  // What is left behind here is ours.
  process.env["TMPDIR"] = join(scratch, "tmp");
  await mkdir(join(scratch, "tmp"));
}, 180_000);
afterAll(async () => {
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
});

async function run(spec: MachineSpec): Promise<{ vm: Vm; text: string; end: BootResult }> {
  const vm = await launch({ accel: "tcg", ...spec }, { deadlines: { total: 120_000 } });
  const end = await vm.wait();
  expect(await processesWith(scratch)).toEqual([]);
  expect(await readdir(join(scratch, "tmp"))).toEqual([]);
  return { vm, text: vm.console.text(), end };
}

const file = async (name: string, content: Uint8Array | string): Promise<string> => {
  const path = join(scratch, name);
  await writeFile(path, content);
  return path;
};

/** What `qemu-img create -f qcow2` does, by QMP. */
async function createQcow2(path: string): Promise<void> {
  const { process: child, monitor } = bareQemu();
  const qmp = await connectQmp(monitor);
  const create = async (options: { driver: string; [option: string]: unknown }): Promise<void> => {
    const done = qmp.next("JOB_STATUS_CHANGE", { where: ({ status }) => status === "concluded" });
    await qmp.execute("blockdev-create", { "job-id": options.driver, options });
    await done;
    expect((await qmp.execute("query-jobs")).map(({ error }) => error)).toEqual([undefined]);
    await qmp.execute("job-dismiss", { id: options.driver });
  };
  await create({ driver: "file", filename: path, size: 0 });
  await qmp.execute("blockdev-add", { driver: "file", "node-name": "image", filename: path });
  await create({ driver: "qcow2", file: "image", size: 1 << 20 });
  await qmp.execute("quit");
  await once(child, "close");
}

describe("the firmware of a PC boots", () => {
  test.each(["virtio", "nvme", "sata", "scsi", "usb"] as const)(
    "a disk on %s",
    async (model) => {
      // A comma and a colon: both mean something to QEMU.
      const path = await file(`nbd:${model},disk`, bootDisk(`booted from ${model}`));
      const { text, end } = await run({ disks: [{ path, model, snapshot: true }], memory: "64M" });
      expect(text).toContain(`booted from ${model}`);
      expect(end.kind).toBe("reboot");
    },
    60_000,
  );

  test("the CD before the disk, the disk before another, and nothing but those", async () => {
    const first = { path: await file("first", bootDisk("the first disk")) };
    const second = { path: await file("second", bootDisk("the second disk")), model: "sata" as const };
    const cdrom = await file("cd.iso", bootIso("the CD"));
    const memory = "64M";
    expect((await run({ disks: [first, second], cdrom, memory })).text).toContain("the CD");
    expect((await run({ disks: [second, first], cdrom, boot: "disk", memory })).text).toContain(
      "the second disk",
    );
    const empty = await file("empty", new Uint8Array(1 << 20));
    const vm = await launch(
      { disks: [{ path: empty }], accel: "tcg", memory },
      { deadlines: { total: 60_000 } },
    );
    await vm.console.expect("No bootable device");
    await vm.kill();
  }, 90_000);
});

test("a guest that ends by isa-debug-exit has a status of its own", async () => {
  const disk = async (status: number): Promise<string> => file(`exit-${status}`, exitDisk(status));
  for (const status of [0, 7, 127]) {
    const { end } = await run({ disks: [{ path: await disk(status) }], memory: "64M", debugExit: true });
    expect(end).toMatchObject({ kind: "exit", status });
    expect(describeResult(end).message).toContain(`The guest ended with status ${status} after`);
  }
  // Of a processor that emulation can't make whole QEMU tells with warnings; they are none of the guest's business.
  for (const status of [0, 5]) {
    const machine = {
      disks: [{ path: await disk(status) }],
      accel: "tcg",
      cpu: "EPYC",
      debugExit: true,
    } as const;
    expect((await run(machine)).end).toMatchObject({ kind: "exit", status });
  }
}, 60_000);

test("a microvm is refused where KVM is not proved; its machine boots a distribution's kernel", async () => {
  const disk = await file("microvm.img", Buffer.concat([Buffer.from("a microvm"), Buffer.alloc(1 << 20)]));
  const machine = describeMachine({
    preset: "microvm",
    kernel: guest.kernel,
    initrd: [guest.initrd],
    cmdline: "console=ttyS0 do=devices",
    disks: [{ path: disk, snapshot: true }],
    pvpanic: true,
  });
  const verdict = await probeAccelerator({ preset: "microvm" });
  if (!verdict.usable)
    await expect(launch(machine)).rejects.toMatchObject({
      code: "QEMU_KVM_UNUSABLE",
      message: `A microvm needs KVM, which can't be used: ${verdict.reason}`,
    });
  // By hand it runs under emulation too, where the clock's frequency must be told.
  const boot = await directBoot(machine, "tcg", await findQemu(machine.binary), undefined);
  const { binary, args } = commandByHand(machine, "tcg", boot);
  const { stdout } = await exec(binary, [...args], { timeout: 120_000 });
  expect(stdout).toContain("guest: vda says a microvm");
  expect(stdout).toContain("reboot: Power down");
}, 150_000);

test("the line of a dry run boots the same machine by hand, with shares of both kinds", async () => {
  const generic = await prepareGuest("amd64");
  try {
    for (const name of ["read", "write", "both, really"]) {
      await mkdir(join(scratch, name));
      await writeFile(join(scratch, name, "note"), `read me ${name}`);
    }
    const disk = await file("by-hand.img", Buffer.concat([Buffer.from("by hand"), Buffer.alloc(1 << 20)]));
    const args = [generic.kernel, generic.initrd, "--append", "console=ttyS0 do=devices", "--accel", "tcg"]
      .concat(["--memory", "384M", "--disk", `${disk},snapshot`, "--share", join(scratch, "read")])
      .concat(["--share", `${join(scratch, "write")},rw,9p`])
      .concat(["--share", `${join(scratch, "both,, really")},virtiofs,rw,tag=shared`, "--dry-run"]);
    const { stdout: line } = await exec(process.execPath, [cli, ...args]);
    const byHand = join(scratch, "by hand");
    await mkdir(byHand);
    const { stdout } = await exec("sh", ["-c", line], { cwd: byHand, timeout: 120_000 });
    const said = stdout.split(/\r?\n/).filter((text) => text.startsWith("guest: "));
    expect(said).toEqual([
      "guest: do=devices",
      "guest: vda says by hand",
      "guest: vda written",
      "guest: read says read me read",
      "guest: read not written",
      "guest: write says read me write",
      "guest: write written",
      "guest: share says read me both, really",
    ]);
    expect(await readdir(join(scratch, "read"))).toEqual(["note"]);
    for (const name of ["write", "both, really"])
      expect(await readFile(join(scratch, name, "answer"), "utf8")).toBe("from the guest\n");
    expect(await processesWith(scratch)).toEqual([]);
  } finally {
    // The daemon's lock, which launch() removes and a line for the shell leaves.
    await rm("/var/run/virtiofsd/shared.sock.pid", { force: true });
    await generic.remove();
  }
}, 240_000);

test("the UEFI of arm64 tries the CD before the disk", async () => {
  const path = await file("nothing.img", new Uint8Array(1 << 20));
  await using vm = await launch({
    arch: "arm64",
    firmware: "uefi",
    disks: [{ path, readOnly: true }],
    cdrom: path,
  });
  await vm.console.expect(/Boot0001 "UEFI QEMU QEMU CD-ROM[^]*Boot0002 "UEFI Misc Device"/, {
    timeout: 60_000,
  });
}, 90_000);

const FAKE_DAEMON = `#!/bin/sh
case $1 in
  --help) echo "--shared-dir <DIR> --readonly" ;;
  *) echo "called with: $*" >&2; exit 1 ;;
esac
`;

describe("virtiofsd", () => {
  test("leaves nothing when QEMU does not start, and says what it can't do", async () => {
    const share = { path: scratch, tag: "all", kind: "virtiofs" } as const;
    const firmware = "bios-256k.bin";
    const shares = [{ ...share, readOnly: false }];
    await expect(launch({ firmware, shares, extraArgs: ["-nonsense"] })).rejects.toMatchObject({
      code: "QEMU_START_FAILED",
    });
    await expect(launch({ firmware, shares: [share] })).rejects.toMatchObject({
      code: "QEMU_VIRTIOFS_UNUSABLE",
      message: expect.stringMatching(/can't share read-only, which share "all" is to be$/),
    });
    // The daemon of today: what it is called with, when it can share read-only.
    const daemon = await file("virtiofsd", FAKE_DAEMON);
    await chmod(daemon, 0o755);
    const path = process.env["PATH"];
    process.env["PATH"] = `${scratch}:${path}`;
    try {
      await expect(launch({ firmware, shares: [share] })).rejects.toMatchObject({
        code: "QEMU_VIRTIOFS_UNUSABLE",
        message: expect.stringMatching(
          /called with: --socket-path \S+\/all\.sock --shared-dir \S+ --sandbox \w+ --readonly$/,
        ),
      });
    } finally {
      process.env["PATH"] = path;
      await rm(daemon);
    }
    const notes = await file("note", "no directory");
    await expect(
      launch({ firmware, shares: [{ ...share, path: notes, readOnly: false }] }),
    ).rejects.toMatchObject({
      code: "QEMU_FILE_UNREADABLE",
      message: expect.stringMatching(/^Cannot read share ".*note": it is no directory$/),
    });
    expect(await processesWith(scratch)).toEqual([]);
    expect(await readdir(join(scratch, "tmp"))).toEqual([]);
  });
});

describe("a kernel of Debian, by UEFI", () => {
  test("reads and writes disks and a share; what is read-only or a snapshot stays as it was", async () => {
    const blank = (text: string): Buffer =>
      Buffer.concat([Buffer.from(text), Buffer.alloc((1 << 20) - text.length)]);
    const raw = await file("raw.img", blank("raw"));
    const snapshot = await file("snapshot.img", blank("snapshot"));
    const readOnly = await file("read-only.img", blank("read-only"));
    const nvme = await file("nvme.img", blank("nvme"));
    const qcow2 = join(scratch, "disk.qcow2");
    await createQcow2(qcow2);
    const shared = join(scratch, "shared, of course");
    await mkdir(shared);
    await writeFile(join(shared, "note"), "read me");
    const { text, end, vm } = await run({
      kernel: guest.kernel,
      initrd: [guest.initrd],
      cmdline: "console=ttyS0 do=devices",
      firmware: "uefi",
      memory: "384M",
      disks: [
        { path: raw },
        { path: snapshot, snapshot: true },
        { path: readOnly, readOnly: true },
        { path: qcow2 },
        { path: nvme, model: "nvme" },
      ],
      shares: [{ path: shared, tag: "shared", kind: "virtiofs", readOnly: false }],
    });
    expect(end).toMatchObject({ kind: "poweroff" });
    const said = text.split(/\r?\n/).filter((line) => line.startsWith("guest: "));
    expect(said).toEqual([
      "guest: do=devices",
      "guest: started by UEFI",
      "guest: vda says raw",
      "guest: vda written",
      "guest: vdb says snapshot",
      "guest: vdb written",
      "guest: vdc says read-only",
      "guest: vdc not written",
      "guest: vdd says ",
      "guest: vdd written",
      "guest: nvme0n1 says nvme",
      "guest: nvme0n1 written",
      "guest: share says read me",
    ]);
    const start = async (path: string): Promise<string> => (await readFile(path, "latin1")).slice(0, 16);
    expect(await Promise.all([raw, snapshot, readOnly, nvme].map(start))).toEqual([
      "from the guest  ",
      "snapshot".padEnd(16, "\0"),
      "read-only".padEnd(16, "\0"),
      "from the guest  ",
    ]);
    // The format's own header is still there, and what was written is somewhere behind it.
    const image = await readFile(qcow2, "latin1");
    expect(image.startsWith("QFI\u00FB") && image.includes("from the guest  ")).toBe(true);
    expect(await readFile(join(shared, "answer"), "utf8")).toBe("from the guest\n");
    expect(vm.printable).toContain("virtiofsd --socket-path=shared.sock");
    const locks = await readdir("/var/run/virtiofsd");
    expect(locks.filter((name) => name.includes(scratch.replaceAll("/", ".")))).toEqual([]);
  }, 150_000);

  test("from a disk with an EFI system partition", async () => {
    const { vars } = await findUefi("x86_64");
    const template = await readFile(vars.path);
    const esp = await file("esp.img", new Uint8Array(96 << 20));
    const startup = await file("startup.nsh", "\\linux.efi initrd=\\initrd console=ttyS0 do=devices\r\n");
    await exec("mformat", ["-i", esp, "-F", "::"]);
    await exec("mcopy", ["-i", esp, guest.kernel, "::linux.efi"]);
    await exec("mcopy", ["-i", esp, guest.initrd, "::initrd"]);
    await exec("mcopy", ["-i", esp, startup, "::startup.nsh"]);
    const vm = await launch(
      { firmware: "uefi", disks: [{ path: esp, readOnly: true }], accel: "tcg" },
      { deadlines: { total: 120_000 } },
    );
    // The shell waits for five seconds, or for a key.
    await vm.console.expect("Mapping table");
    await vm.console.write("\r");
    const end = await vm.wait();
    const text = vm.console.text();
    expect(text).toContain("guest: started by UEFI");
    expect(text).toContain("guest: vda not written");
    expect(end.kind).toBe("poweroff");
    // What the firmware has written into its variables is not in everybody's template.
    expect(await readFile(vars.path)).toEqual(template);
  }, 150_000);
});
