import { basename } from "node:path";
import type { Arch, Machine } from "./machine.ts";

/** What Linux calls the serial ports of a machine, in /dev and in `console=`. */
export interface SerialDevices {
  readonly console: string;
  /** Those after the console, in the order of `ports`. */
  readonly ports: readonly string[];
}

/** What QEMU's machine of an architecture has. */
export interface Board {
  readonly binary: string;
  /** Debian's package of that binary. */
  readonly package: string;
  /** QEMU's `-cpu` under emulation: the cheapest that runs a distribution's programs. */
  readonly cpu: string;
  readonly vga: string;
  /** The board's own serial ports: the console, then these many more. Others are cards (PCI, 16550). */
  readonly morePorts: number;
  readonly serial: SerialDevices;
  /** What a kernel needs for its console there. */
  readonly consoleSymbol: string;
  /** QEMU, before it learnt to tell of it, ends with 0 when the guest powers off (hw/misc/sifive_test.c, exit()). */
  readonly exitsAtPowerOff: boolean;
}

const BOARDS: Readonly<Record<Arch, Board>> = {
  // TCG's cheapest model lacks only RDRAND, which seeds the guest's entropy.
  x86_64: {
    binary: "qemu-system-x86_64",
    package: "qemu-system-x86",
    cpu: "qemu64,+rdrand",
    vga: "VGA",
    morePorts: 3,
    serial: { console: "ttyS0", ports: ["ttyS1", "ttyS2", "ttyS3"] },
    consoleSymbol: "CONFIG_SERIAL_8250_CONSOLE",
    exitsAtPowerOff: false,
  },
  // "max" emulates pointer authentication, at several times the price.
  arm64: {
    binary: "qemu-system-aarch64",
    package: "qemu-system-arm",
    cpu: "cortex-a72",
    vga: "virtio-gpu-pci",
    morePorts: 0,
    serial: { console: "ttyAMA0", ports: ["ttyS0", "ttyS1", "ttyS2"] },
    consoleSymbol: "CONFIG_SERIAL_AMBA_PL011_CONSOLE",
    exitsAtPowerOff: false,
  },
  riscv64: {
    binary: "qemu-system-riscv64",
    package: "qemu-system-misc",
    cpu: "rv64",
    vga: "virtio-gpu-pci",
    morePorts: 0,
    serial: { console: "ttyS0", ports: ["ttyS1", "ttyS2", "ttyS3"] },
    consoleSymbol: "CONFIG_SERIAL_8250_CONSOLE",
    exitsAtPowerOff: true,
  },
};

export function boardOf(arch: Arch): Board {
  return BOARDS[arch];
}

/**
 * The names of a machine's serial ports in Linux. On arm64 the console is no 16550, so that the first card is.
 *
 * @example
 * ```ts
 * import { serialDevices } from "@justenough/qemu";
 * console.log(`console=${serialDevices("arm64").console}`); // console=ttyAMA0
 * ```
 */
export function serialDevices(arch: Arch): SerialDevices {
  return boardOf(arch).serial;
}

/** The board whose QEMU has that name, or a path that ends in it. */
export function boardOfBinary(binary: string): Board | undefined {
  return Object.values(BOARDS).find((board) => board.binary === basename(binary));
}

/** With PCI Express and ACPI, so that it has the same cards and ways to switch off as a q35. */
const MICROVM = "microvm,pcie=on,acpi=on,rtc=on,pit=off,pic=off";
const LEAN = ",i8042=off,smm=off,vmport=off,sata=off,smbus=off,usb=off";

/** QEMU's `-machine` for a description; the probe guest must run on the same. */
export function machineType({
  arch,
  preset,
  cpus,
}: Pick<Machine, "arch" | "preset"> & { readonly cpus?: number }): string {
  if (preset === "microvm") return MICROVM;
  if (arch === "x86_64") return preset === "lean" ? `q35${LEAN}` : "q35";
  // The second version of Arm's interrupt controller, virt's default, has room for eight processors.
  return arch === "arm64" && (cpus ?? 1) > 8 ? "virt,gic-version=3" : "virt";
}

/** How many serial ports after the console are the board's own. */
export function ownPorts({ arch, preset }: Pick<Machine, "arch" | "preset">): number {
  return preset === "microvm" ? 0 : boardOf(arch).morePorts;
}

/** QEMU's `-cpu` when the description names none. `host` is what KVM is for. */
export function defaultCpu(accel: "kvm" | "tcg", arch: Arch = "x86_64"): string {
  return accel === "kvm" ? "host" : boardOf(arch).cpu;
}
