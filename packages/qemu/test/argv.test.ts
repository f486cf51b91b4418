import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandArguments, commandByHand, joinInitrd, machine, printable } from "../src/index.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-argv-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const full = machine({
  kernel: "/boot/bzImage",
  initrd: ["/boot/initramfs"],
  cmdline: "console=ttyS0 init='/bin/my sh'",
  memory: "1G",
  cpus: 2,
  nics: [
    {
      kind: "user",
      forwards: [
        { host: 6379, guest: 6379 },
        { protocol: "udp", host: 0, guest: 53 },
      ],
      restrict: true,
    },
    { kind: "tap", ifname: "tap0", model: "e1000" },
    { kind: "stream", path: "/run/a,b.sock", mac: "52:54:00:aa:bb:cc" },
  ],
  ports: ["channel"],
  virtioPorts: ["agent", "results"],
  vga: true,
  pvpanic: true,
  extraArgs: ["-name", "demo"],
});

describe("commandArguments", () => {
  test("everything at once, with inherited descriptors", () => {
    expect(
      commandArguments(full, { accel: "tcg", initrd: "/boot/initramfs", channels: "fds" }).join(" "),
    ).toMatchInlineSnapshot(
      `"-nodefaults -no-user-config -display none -machine q35 -accel tcg -cpu qemu64,+rdrand -m 1024M -smp 2 -kernel /boot/bzImage -initrd /boot/initramfs -append console=ttyS0 init='/bin/my sh' -action reboot=shutdown,shutdown=pause,panic=pause -chardev socket,id=qmp,fd=3 -mon chardev=qmp,mode=control -chardev socket,id=console,fd=4 -serial chardev:console -chardev socket,id=channel,fd=5 -serial chardev:channel -device virtio-serial-pci -chardev socket,id=virtio-agent,fd=10 -device virtserialport,chardev=virtio-agent,name=agent,nr=1 -chardev socket,id=virtio-results,fd=11 -device virtserialport,chardev=virtio-results,name=results,nr=2 -S -device virtio-rng-pci -device VGA -device pvpanic-pci -netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:6379-:6379,hostfwd=udp:127.0.0.1:0-:53 -device virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,romfile= -netdev tap,id=net1,ifname=tap0,script=no,downscript=no -device e1000,netdev=net1,mac=52:54:00:12:34:57,romfile= -netdev stream,id=net2,server=off,addr.type=unix,addr.path=/run/a,,b.sock -device virtio-net-pci,netdev=net2,mac=52:54:00:aa:bb:cc,romfile= -name demo"`,
    );
  });

  test("by hand", () => {
    expect(printable(commandByHand(full, "kvm"))).toMatchInlineSnapshot(
      `"qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -accel kvm -cpu host -m 1024M -smp 2 -kernel /boot/bzImage -initrd /boot/initramfs -append 'console=ttyS0 init='\\''/bin/my sh'\\''' -action reboot=shutdown -serial mon:stdio -serial unix:channel.sock,server=on,wait=off -device virtio-serial-pci -chardev socket,id=virtio-agent,path=agent.virtio.sock,server=on,wait=off -device virtserialport,chardev=virtio-agent,name=agent,nr=1 -chardev socket,id=virtio-results,path=results.virtio.sock,server=on,wait=off -device virtserialport,chardev=virtio-results,name=results,nr=2 -device virtio-rng-pci -device VGA -device pvpanic-pci -netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:6379-:6379,hostfwd=udp:127.0.0.1:0-:53 -device virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,romfile= -netdev tap,id=net1,ifname=tap0,script=no,downscript=no -device e1000,netdev=net1,mac=52:54:00:12:34:57,romfile= -netdev stream,id=net2,server=off,addr.type=unix,addr.path=/run/a,,b.sock -device virtio-net-pci,netdev=net2,mac=52:54:00:aa:bb:cc,romfile= -name demo"`,
    );
  });

  test("the smallest", () => {
    expect(
      printable(commandByHand(machine({ kernel: "bzImage", preset: "lean", rng: false }), "tcg")),
    ).toMatchInlineSnapshot(
      `"qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,i8042=off,smm=off,vmport=off,sata=off,smbus=off,usb=off -accel tcg -cpu qemu64,+rdrand -m 512M -smp 1 -kernel bzImage -action reboot=shutdown -serial mon:stdio"`,
    );
  });

  test("a microvm has its further serial ports on cards", () => {
    const spec = { kernel: "bzImage", preset: "microvm", ports: ["channel"], debugExit: true } as const;
    expect(printable(commandByHand(machine(spec), "kvm"))).toMatchInlineSnapshot(
      `"qemu-system-x86_64 -nodefaults -no-user-config -display none -machine microvm,pcie=on,acpi=on,rtc=on,pit=off,pic=off -accel kvm -cpu host -m 512M -smp 1 -kernel bzImage -action reboot=shutdown -serial mon:stdio -chardev socket,id=channel,path=channel.sock,server=on,wait=off -device pci-serial,chardev=channel -device virtio-rng-pci -device isa-debug-exit,iobase=0xf4,iosize=4"`,
    );
  });

  test("other architectures", () => {
    const spec = { kernel: "Image", ports: ["channel"], pvpanic: true, vga: true, cpus: 9 };
    const byHand = (arch: "arm64" | "riscv64"): string =>
      printable(commandByHand(machine({ ...spec, arch }), "tcg"));
    expect(byHand("arm64")).toMatchInlineSnapshot(
      `"qemu-system-aarch64 -nodefaults -no-user-config -display none -machine virt,gic-version=3 -accel tcg -cpu cortex-a72 -m 512M -smp 9 -kernel Image -action reboot=shutdown -serial mon:stdio -chardev socket,id=channel,path=channel.sock,server=on,wait=off -device pci-serial,chardev=channel -device virtio-rng-pci -device virtio-gpu-pci -device pvpanic-pci"`,
    );
    expect(byHand("riscv64")).toMatchInlineSnapshot(
      `"qemu-system-riscv64 -nodefaults -no-user-config -display none -machine virt -accel tcg -cpu rv64 -m 512M -smp 9 -kernel Image -action reboot=shutdown -serial mon:stdio -chardev socket,id=channel,path=channel.sock,server=on,wait=off -device pci-serial,chardev=channel -device virtio-rng-pci -device virtio-gpu-pci -device pvpanic-pci"`,
    );
    const riscv = machine({ ...spec, arch: "riscv64" });
    expect(commandArguments(riscv, { accel: "tcg", channels: "fds" }).join(" ")).toContain(
      "-chardev socket,id=channel,fd=5 -device pci-serial,chardev=channel",
    );
  });

  test("a boot from the network keeps the card's ROM and puts it first", () => {
    const pxe = machine({ boot: "network", nics: [{ kind: "tap", ifname: "tap0" }] });
    expect(printable(commandByHand(pxe, "tcg"))).toMatchInlineSnapshot(
      `"qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,graphics=off -accel tcg -cpu qemu64,+rdrand -m 512M -smp 1 -boot order=n,strict=on -action reboot=shutdown -serial mon:stdio -device virtio-rng-pci -netdev tap,id=net0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,bootindex=1"`,
    );
  });

  test("cards in switches: inherited descriptors from 10 on; by hand, a group where machines meet", () => {
    const nics = [
      { kind: "switch", network: "lan" },
      { kind: "user", pcap: "user,1.pcap" },
      { kind: "switch", network: "wan", model: "e1000" },
    ] as const;
    const described = machine({ kernel: "k", nics });
    const netdevs = (args: readonly string[]): string =>
      args.filter((_, index) => ["-netdev", "-object"].includes(args[index - 1] ?? "")).join(" ");
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
    expect(netdevs(commandArguments(described, { accel: "tcg", channels: "fds" }))).toMatchInlineSnapshot(
      `"socket,id=net0,fd=10 user,id=net1 filter-dump,id=pcap1,netdev=net1,file=user,,1.pcap socket,id=net2,fd=11"`,
    );
    expect(netdevs(commandByHand(described, "tcg").args)).toMatchInlineSnapshot(
      `"socket,id=net0,mcast=230.0.0.1:14816,localaddr=127.0.0.1 user,id=net1 filter-dump,id=pcap1,netdev=net1,file=user,,1.pcap socket,id=net2,mcast=230.0.0.1:19537,localaddr=127.0.0.1"`,
    );
  });

  test("firmware of one's own", () => {
    expect(commandArguments(machine({ firmware: "my.rom" }), { accel: "tcg", channels: "fds" })).toContain(
      "my.rom",
    );
  });
});

describe("printable", () => {
  test("a shell reads back the very same words", async () => {
    const command = {
      binary: "printf",
      args: [String.raw`%s\n`, "a b", "it's", `"$HOME" \`id\``, "*", "", "ünï", "k=v,w"],
    };
    const { stdout } = await promisify(execFile)("sh", ["-c", printable(command)]);
    expect(stdout.split("\n").slice(0, -1)).toEqual(command.args.slice(1));
  });

  test("joins the initrd's parts as launch does: each at a multiple of four", async () => {
    const odd = join(scratch, "it's odd.cpio");
    await writeFile(odd, "12345");
    const parts = [odd, new Uint8Array([1, 2, 3]), odd, new Uint8Array(4).fill(7)];
    const command = commandByHand(machine({ kernel: "k", initrd: parts }), "tcg");
    await promisify(execFile)("sh", ["-c", printable({ ...command, binary: "true" })], { cwd: scratch });
    const own = join(scratch, "joined");
    await joinInitrd(parts, own);
    const expected = Buffer.from("12345\0\0\0\u0001\u0002\u0003\u000012345\0\0\0\u0007\u0007\u0007\u0007");
    expect(await readFile(own)).toEqual(expected);
    expect(await readFile(join(scratch, "initrd.joined"))).toEqual(expected);
  });
});
