import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  commandArguments,
  commandByHand,
  findUefi,
  gdbCommand,
  launch,
  machine,
  printable,
  type MachineSpec,
} from "../src/index.ts";
import { fromDescriptor } from "../src/uefi.ts";
import { bootDisk } from "./support/boot-sector.ts";

const uefi = {
  code: { path: "/usr/share/OVMF/OVMF_CODE_4M.fd", format: "raw" },
  vars: { path: "/usr/share/OVMF/OVMF_VARS_4M.fd", format: "raw" },
};
const everything: MachineSpec = {
  firmware: "uefi",
  disks: [
    { path: "/srv/a,b.qcow2", snapshot: true },
    { path: "nbd:not-a-protocol", readOnly: true, model: "nvme" },
    { path: "c.img", model: "sata" },
    { path: "d.img", model: "scsi" },
    { path: "e.img", model: "usb", format: "qcow2" },
  ],
  cdrom: "install.iso",
  shares: [
    { path: "/src,1", tag: "src" },
    { path: "/out", tag: "out", readOnly: false },
    { path: "/big,tree", tag: "big", kind: "virtiofs" },
  ],
  gdb: "gdb.sock",
  rng: false,
};

describe("arguments", () => {
  test("of every device at once, by hand", () => {
    const virtiofsd = { path: "/usr/libexec/virtiofsd", kind: "rust", readOnly: true } as const;
    const command = commandByHand(machine(everything), "tcg", { uefi, virtiofsd });
    const line = printable(command).replace(/--sandbox \w+/, "--sandbox …");
    expect(line).toMatchInlineSnapshot(
      `"rm -f big.sock; /usr/libexec/virtiofsd --socket-path big.sock --shared-dir /big,tree --sandbox … --readonly & until [ -S big.sock ]; do sleep 0.1; done; qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,graphics=off -accel tcg -cpu qemu64,+rdrand -m 512M -object memory-backend-memfd,id=memory,size=512M,share=on -machine memory-backend=memory -smp 1 -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd -boot strict=on -action reboot=shutdown -serial mon:stdio -S -device ahci,id=sata -device virtio-scsi-pci,id=scsi -device qemu-xhci,id=usb -drive if=none,id=disk0,format=qcow2,snapshot=on,file=/srv/a,,b.qcow2 -device virtio-blk-pci,drive=disk0,bootindex=2 -drive if=none,id=disk1,format=raw,readonly=on,file=./nbd:not-a-protocol -device nvme,drive=disk1,bootindex=3,serial=disk1 -drive if=none,id=disk2,format=raw,file=c.img -device ide-hd,drive=disk2,bootindex=4,bus=sata.0 -drive if=none,id=disk3,format=raw,file=d.img -device scsi-hd,drive=disk3,bootindex=5,bus=scsi.0 -drive if=none,id=disk4,format=qcow2,file=e.img -device usb-storage,drive=disk4,bootindex=6,bus=usb.0 -drive if=none,id=cdrom,format=raw,readonly=on,file=install.iso -device ide-cd,bus=sata.1,drive=cdrom,bootindex=1 -fsdev local,id=share0,security_model=none,multidevs=remap,readonly=on,path=/src,,1 -device virtio-9p-pci,fsdev=share0,mount_tag=src -fsdev local,id=share1,security_model=none,multidevs=remap,path=/out -device virtio-9p-pci,fsdev=share1,mount_tag=out -chardev socket,id=share2,path=big.sock -device vhost-user-fs-pci,chardev=share2,tag=big -gdb unix:gdb.sock,server=on,wait=off"`,
    );
  });

  test("of every device at once, with inherited descriptors", () => {
    const description = machine({ ...everything, arch: "arm64", boot: "disk" });
    const args = commandArguments(description, {
      accel: "tcg",
      channels: "fds",
      uefi,
      socketDirectory: "/run/1",
    });
    expect(args.join(" ")).toMatchInlineSnapshot(
      `"-nodefaults -no-user-config -display none -machine virt -accel tcg -cpu cortex-a72 -m 512M -object memory-backend-memfd,id=memory,size=512M,share=on -machine memory-backend=memory -smp 1 -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd -boot strict=on -action reboot=shutdown,shutdown=pause,panic=pause -chardev socket,id=qmp,fd=3 -mon chardev=qmp,mode=control -chardev socket,id=console,fd=4 -serial chardev:console -S -device ahci,id=sata -device virtio-scsi-pci,id=scsi -device qemu-xhci,id=usb -drive if=none,id=disk0,format=qcow2,snapshot=on,file=/srv/a,,b.qcow2 -device virtio-blk-pci,drive=disk0,bootindex=1 -drive if=none,id=disk1,format=raw,readonly=on,file=./nbd:not-a-protocol -device nvme,drive=disk1,bootindex=2,serial=disk1 -drive if=none,id=disk2,format=raw,file=c.img -device ide-hd,drive=disk2,bootindex=3,bus=sata.0 -drive if=none,id=disk3,format=raw,file=d.img -device scsi-hd,drive=disk3,bootindex=4,bus=scsi.0 -drive if=none,id=disk4,format=qcow2,file=e.img -device usb-storage,drive=disk4,bootindex=5,bus=usb.0 -drive if=none,id=cdrom,format=raw,readonly=on,file=install.iso -device scsi-cd,bus=scsi.0,drive=cdrom,bootindex=6 -fsdev local,id=share0,security_model=none,multidevs=remap,readonly=on,path=/src,,1 -device virtio-9p-pci,fsdev=share0,mount_tag=src -fsdev local,id=share1,security_model=none,multidevs=remap,path=/out -device virtio-9p-pci,fsdev=share1,mount_tag=out -chardev socket,id=share2,path=/run/1/big.sock -device vhost-user-fs-pci,chardev=share2,tag=big -gdb unix:gdb.sock,server=on,wait=off"`,
    );
  });

  test("of a virtiofsd that came with QEMU", () => {
    const shares = [{ path: "/a,b", tag: "a", kind: "virtiofs", readOnly: false }] as const;
    const virtiofsd = { path: "/usr/lib/qemu/virtiofsd", kind: "c", readOnly: false } as const;
    expect(commandByHand(machine({ kernel: "k", shares }), "tcg", { virtiofsd }).daemons).toEqual([
      {
        command: [
          "/usr/lib/qemu/virtiofsd",
          "--socket-path=a.sock",
          "-o",
          String.raw`source=/a\,b`,
          "-o",
          "sandbox=chroot",
          "-f",
        ],
        socket: "a.sock",
      },
    ]);
  });

  test.each<[MachineSpec, MachineSpec["boot"]]>([
    [{ kernel: "k", disks: [{ path: "d" }], cdrom: "c" }, "kernel"],
    [{ disks: [{ path: "d" }], cdrom: "c", firmware: "f" }, "cdrom"],
    [{ disks: [{ path: "d" }], forwards: [{ host: 1, guest: 1 }] }, "disk"],
    [{ firmware: "uefi", forwards: [{ host: 1, guest: 1 }] }, "network"],
    [{ firmware: "uefi" }, "firmware"],
  ])("%j boots from its %s", (spec, boot) => {
    expect(machine(spec).boot).toBe(boot);
  });

  test.each<[MachineSpec, RegExp]>([
    [{ boot: "disk" }, /needs "disks"/],
    [{ boot: "cdrom" }, /needs "cdrom"/],
    [{ disks: [{ path: "" }] }, /no path/],
    [{ disks: [{ path: "a", readOnly: true, snapshot: true }] }, /both readOnly and a snapshot/],
    [{ disks: [{ path: "a", readOnly: true, model: "sata" }] }, /SATA has no such disks/],
    [
      { disks: Array.from({ length: 6 }, () => ({ path: "a", model: "sata" })), cdrom: "c" },
      /7 drives .* 6 ports/,
    ],
    [{ kernel: "k", shares: [{ path: "", tag: "a" }] }, /"a" has no path/],
    [{ kernel: "k", shares: [{ path: "/", tag: "a,b" }] }, /"a,b" of a share is no unique name/],
    [{ kernel: "k", shares: [{ path: "/", tag: "a".repeat(32) }] }, /at most 31/],
    [
      {
        kernel: "k",
        shares: [
          { path: "/1", tag: "a" },
          { path: "/2", tag: "a" },
        ],
      },
      /no unique name/,
    ],
    [{ kernel: "k", gdb: 0 }, /gdb's port is 0/],
    [{ arch: "riscv64", disks: [{ path: "a" }] }, /no firmware of its own that boots from the disk/],
  ])("refuses %j", (spec, message) => {
    expect(() => machine(spec)).toThrow(
      expect.objectContaining({ code: "QEMU_SPEC_INVALID", message: expect.stringMatching(message) }),
    );
  });
});

describe("UEFI", () => {
  const descriptor = (changes: object): string =>
    JSON.stringify({
      "interface-types": ["uefi"],
      mapping: {
        device: "flash",
        executable: { filename: "/code", format: "qcow2" },
        "nvram-template": { filename: "/vars", format: "raw" },
      },
      targets: [{ architecture: "x86_64", machines: ["pc-i440fx-*", "pc-q35-*"] }],
      features: ["acpi-s3"],
      ...changes,
    });

  test("is the one that a descriptor of the distribution tells of", async () => {
    expect(fromDescriptor(descriptor({}), "x86_64")).toEqual({
      code: { path: "/code", format: "qcow2" },
      vars: { path: "/vars", format: "raw" },
    });
    expect((await findUefi("x86_64")).code.path).toBe("/usr/share/OVMF/OVMF_CODE_4M.fd");
    expect((await findUefi("arm64")).code.path).toBe("/usr/share/AAVMF/AAVMF_CODE.fd");
  });

  test.each([
    "",
    "null",
    "[1]",
    '"uefi"',
    "{",
    '{"interface-types":5}',
    descriptor({ "interface-types": ["bios"] }),
    descriptor({ mapping: { device: "memory", filename: "/code" } }),
    descriptor({ mapping: { device: "flash", mode: "stateless", executable: { filename: "/code" } } }),
    descriptor({ targets: [{ architecture: "aarch64", machines: ["virt-*"] }] }),
    descriptor({ targets: {} }),
    descriptor({ features: ["requires-smm", "secure-boot"] }),
  ])("is not what %s describes", (text) => {
    expect(fromDescriptor(text, "x86_64")).toBeUndefined();
  });

  test("is asked for by its package where it is missing", async () => {
    await expect(launch({ arch: "riscv64", firmware: "uefi" })).rejects.toMatchObject({
      code: "QEMU_FIRMWARE_MISSING",
      hint: "Install it: apt-get install qemu-efi-riscv64 (Debian, Ubuntu)",
    });
    expect(() => commandByHand(machine({ firmware: "uefi" }), "tcg")).toThrow(/where that is was not told/);
  });
});

describe("a debugger", () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "qemu-gdb-test-"));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test("has the machine's first instruction, and lets it go", async () => {
    const path = join(scratch, "disk");
    const gdb = join(scratch, "gdb,sock");
    await writeFile(path, bootDisk("running now"));
    await using vm = await launch(
      { disks: [{ path }], gdb, memory: "64M", accel: "tcg" },
      { deadlines: { total: 60_000 } },
    );
    expect(await vm.qmp.execute("query-status")).toMatchObject({ running: false, status: "prelaunch" });
    expect(gdbCommand(vm.machine).slice(1)).toEqual(["vmlinux", "-ex", `target remote ${gdb}`]);
    const debuggerSide = connect(gdb);
    // gdb's remote protocol: why do you stand still, then: continue.
    debuggerSide.write("$?#3f");
    const answer = await new Promise<Buffer>((resolve) => debuggerSide.once("data", resolve));
    expect(answer.toString("latin1")).toMatch(/^\+\$T05/);
    expect(vm.console.bytes().length).toBe(0);
    debuggerSide.write("+$c#63");
    expect((await vm.wait()).kind).toBe("reboot");
    debuggerSide.destroy();
    expect(vm.console.text()).toContain("running now");
  }, 60_000);
});
