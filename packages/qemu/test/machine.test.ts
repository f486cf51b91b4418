import { describe, expect, test } from "vitest";
import { machine, type MachineSpec } from "../src/index.ts";

describe("machine", () => {
  test("fills every default and is plain data", () => {
    const description = machine({ kernel: "bzImage", forwards: [{ host: 8080, guest: 80 }] });
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(description).toMatchInlineSnapshot(`
      {
        "accel": "auto",
        "arch": "x86_64",
        "binary": "qemu-system-x86_64",
        "boot": "kernel",
        "cmdline": "",
        "cpus": 1,
        "debugExit": false,
        "disks": [],
        "extraArgs": [],
        "initrd": [],
        "kernel": "bzImage",
        "memoryMiB": 512,
        "nics": [
          {
            "backend": {
              "forwards": [
                {
                  "guest": 80,
                  "host": 8080,
                  "hostAddress": "127.0.0.1",
                  "protocol": "tcp",
                },
              ],
              "kind": "user",
              "restrict": false,
            },
            "mac": "52:54:00:12:34:56",
            "model": "virtio-net-pci",
          },
        ],
        "ports": [],
        "preset": "q35",
        "pvpanic": false,
        "rng": true,
        "shares": [],
        "vga": false,
        "virtioPorts": [],
      }
    `);
  });

  test.each([
    [512, 512],
    ["512M", 512],
    ["2G", 2048],
    ["1 GiB", 1024],
  ])("memory %j is %i MiB", (memory, expected) => {
    expect(machine({ kernel: "k", memory }).memoryMiB).toBe(expected);
  });

  test.each<[MachineSpec, RegExp]>([
    [{}, /network needs a network card/],
    [{ boot: "kernel" }, /needs "kernel"/],
    [{ boot: "firmware" }, /needs "firmware"/],
    [{ kernel: "k", boot: "network" }, /no meaning when boot is "network"/],
    [{ firmware: "f", initrd: ["i"] }, /"initrd" was given without "kernel"/],
    [{ firmware: "f", cmdline: "quiet" }, /"cmdline" was given without "kernel"/],
    [{ kernel: "k", memory: "lots" }, /Memory "lots" is no size/],
    [{ kernel: "k", memory: 0 }, /memory is 0/],
    [{ kernel: "k", cpus: 1.5 }, /cpus is 1.5/],
    [{ kernel: "k", ports: ["channel", "channel"] }, /"channel" is no unique name/],
    [{ kernel: "k", ports: ["a,b"] }, /"a,b" is no unique name/],
    [{ kernel: "k", ports: ["console"] }, /"console" is no unique name/],
    [{ kernel: "k", ports: ["a", "b", "c", "d"] }, /a machine has 3/],
    [{ kernel: "k", virtioPorts: ["a", "a"] }, /Virtio port name "a" is no unique name/],
    [{ kernel: "k", virtioPorts: "abcdefghi".split("") }, /a machine has 8/],
    [{ kernel: "k", nics: [{ kind: "user" }], forwards: [{ host: 1, guest: 1 }] }, /exclude each other/],
    [{ kernel: "k", forwards: [{ host: 70_000, guest: 1 }] }, /host port is 70000/],
    [{ kernel: "k", forwards: [{ host: 1, guest: 0 }] }, /guest port is 0/],
    [{ kernel: "k", forwards: [{ host: 1, guest: 1, hostAddress: "::,x" }] }, /no IPv4 address/],
    [{ kernel: "k", nics: [{ kind: "user", mac: "1:2" }] }, /no MAC address/],
    [{ kernel: "k", nics: [{ kind: "switch", network: "a,b" }] }, /Network name "a,b" is not made of/],
    [{ kernel: "k", nics: [{ kind: "user", model: "e1000,x=y" }] }, /no name of a network card/],
  ])("refuses %j", (spec, message) => {
    expect(() => machine(spec)).toThrow(
      expect.objectContaining({ code: "QEMU_SPEC_INVALID", message: expect.stringMatching(message) }),
    );
  });

  test.each<[MachineSpec, RegExp]>([
    [{ arch: "arm64", kernel: "Image", preset: "lean" }, /"lean" is a PC, and the architecture is "arm64"/],
    [{ arch: "riscv64", kernel: "Image", debugExit: true }, /isa-debug-exit is a PC's/],
    [{ preset: "microvm", firmware: "f" }, /A microvm has no BIOS, and boot is "firmware"/],
    [{ preset: "microvm", kernel: "k", vga: true }, /A microvm has no screen/],
    [{ preset: "microvm", kernel: "k", cdrom: "c" }, /A microvm has no CD drive/],
    [{ preset: "microvm", kernel: "k", accel: "tcg" }, /A microvm is for KVM, and accel is "tcg"/],
    [
      { arch: "riscv64", nics: [{ kind: "tap", ifname: "tap0" }] },
      /"riscv64" machine has no firmware of its own that boots from the network/,
    ],
  ])("refuses what a machine lacks: %j", (spec, message) => {
    expect(() => machine(spec)).toThrow(
      expect.objectContaining({ code: "QEMU_SPEC_INVALID", message: expect.stringMatching(message) }),
    );
  });
});
