import { boardOf } from "./board.ts";
import { completeDisks, type Disk, type DiskSpec } from "./disks.ts";
import { completeShares, type Share, type ShareSpec } from "./shares.ts";
import { invalid } from "./internal/invalid.ts";

/** The guest's; another one than the host's is emulated. */
export type Arch = "x86_64" | "arm64" | "riscv64";

/** `auto` uses KVM only after it has run a probe guest, `kvm` insists on it, `tcg` is emulation. */
export type AccelChoice = "auto" | "kvm" | "tcg";

/** A TCP or UDP port of the host that leads into the guest through QEMU's user network. */
export interface Forward {
  readonly protocol: "tcp" | "udp";
  /** Address on the host, default `127.0.0.1`. */
  readonly hostAddress: string;
  /** 0 lets the system choose; `vm.forwards` tells which port it became. */
  readonly host: number;
  readonly guest: number;
}

/** How a network card is connected. `name` becomes part of QEMU's ids. */
export type NicBackend =
  | { readonly kind: "user"; readonly forwards: readonly Forward[]; readonly restrict: boolean }
  | { readonly kind: "tap"; readonly ifname: string }
  | { readonly kind: "stream"; readonly path: string }
  | { readonly kind: "switch"; readonly network: string };

export interface Nic {
  readonly model: string;
  readonly mac: string;
  readonly pcap?: string;
  readonly backend: NicBackend;
}

export interface MachineSpec {
  readonly arch?: Arch | undefined;
  /**
   * `q35` is QEMU's standard PC. `lean` leaves out keyboard, SMM, VMware port, SATA, SMBus and USB, which saves
   * a distribution's kernel their probing. `microvm` has next to nothing but PCI Express, starts a kernel directly, and is
   * for KVM alone: under emulation `lean` is the faster one. Other architectures have QEMU's `virt` alone.
   */
  readonly preset?: "q35" | "lean" | "microvm" | undefined;
  /**
   * Kernel image to boot directly: a bzImage, or a vmlinux with a PVH entry; an Image for arm64 and riscv64. Of a bzImage
   * with CONFIG_PVH the vmlinux inside is booted, unless there is a screen or a `firmware`.
   */
  readonly kernel?: string | undefined;
  /** Parts of the initramfs (paths or bytes), joined so that each starts at a multiple of four bytes. */
  readonly initrd?: readonly (string | Uint8Array)[] | undefined;
  /** The kernel's. An emulated PC also gets `no_timer_check tsc_early_khz=` before it: see the README. */
  readonly cmdline?: string | undefined;
  /**
   * Default: the first that there is of `kernel`, `cdrom`, `disk` (they are tried in their order), `firmware` (an image of
   * your own), `network` (the firmware's PXE client).
   */
  readonly boot?: "kernel" | "cdrom" | "disk" | "network" | "firmware" | undefined;
  /**
   * ROM image, or `"uefi"` for the EDK2 that the distribution has (packages `ovmf`, `qemu-efi-aarch64`); what the guest
   * writes into its variables is gone with the machine. Default: qboot for a kernel that boots directly without a screen,
   * where QEMU has it, else SeaBIOS.
   */
  readonly firmware?: string | undefined;
  readonly disks?: readonly DiskSpec[] | undefined;
  /** ISO image in a drive: SATA on a PC, SCSI elsewhere. */
  readonly cdrom?: string | undefined;
  /** Directories of the host, read-only unless told otherwise. */
  readonly shares?: readonly ShareSpec[] | undefined;
  /** MiB as a number, or `"512M"`, `"2G"`. Default 512 MiB. */
  readonly memory?: number | string | undefined;
  readonly cpus?: number | undefined;
  readonly accel?: AccelChoice | undefined;
  /** QEMU's `-cpu`. Default: `host` with KVM; without, `qemu64,+rdrand`, `cortex-a72` or `rv64`. */
  readonly cpu?: string | undefined;
  /** Shorthand for one user network card with these forwards. Not together with `nics`. */
  readonly forwards?: readonly ForwardSpec[] | undefined;
  readonly nics?: readonly NicSpec[] | undefined;
  /**
   * Names of serial ports after the console, up to three; what Linux calls them is told by {@link serialDevices}. On arm64
   * and riscv64, whose boards have one port alone, they are 16550s on PCI cards: CONFIG_SERIAL_8250_PCI.
   */
  readonly ports?: readonly string[] | undefined;
  /**
   * Names of virtio-serial ports, up to eight: far faster than serial ports, for a guest with CONFIG_VIRTIO_CONSOLE. There
   * /sys/class/virtio-ports tells them by name.
   */
  readonly virtioPorts?: readonly string[] | undefined;
  /** A screen, needed for pictures: a VGA card, or virtio's on arm64 and riscv64. */
  readonly vga?: boolean | undefined;
  /** A pvpanic device, through which a guest with CONFIG_PVPANIC_PCI reports its panic. */
  readonly pvpanic?: boolean | undefined;
  /**
   * A PC's isa-debug-exit device at port 0xf4: a guest that writes N there, 0 to 127, ends the machine at once, with the
   * result `exit` and that status. For kernels of one's own and unit tests of them.
   */
  readonly debugExit?: boolean | undefined;
  /** A virtio entropy source (default true): without one a guest may block for a second in getrandom(2). */
  readonly rng?: boolean | undefined;
  /**
   * A TCP port of this host, or the path of a Unix socket, where QEMU waits for gdb; the guest's first instruction waits
   * for gdb's `continue`: {@link gdbCommand}.
   */
  readonly gdb?: number | string | undefined;
  /** The QEMU binary. Default: the architecture's, such as `qemu-system-x86_64`, from PATH. */
  readonly binary?: string | undefined;
  /** Further arguments for QEMU, last on the line. */
  readonly extraArgs?: readonly string[] | undefined;
}

export interface ForwardSpec {
  readonly protocol?: "tcp" | "udp" | undefined;
  readonly hostAddress?: string | undefined;
  readonly host: number;
  readonly guest: number;
}

export type NicSpec = {
  /** QEMU device model, default `virtio-net-pci`. */
  readonly model?: string | undefined;
  readonly mac?: string | undefined;
  /** File to which QEMU writes all that the card sends and receives, in pcap's format. */
  readonly pcap?: string | undefined;
} & (
  | {
      readonly kind: "user";
      readonly forwards?: readonly ForwardSpec[] | undefined;
      readonly restrict?: boolean | undefined;
    }
  | { readonly kind: "tap"; readonly ifname: string }
  | { readonly kind: "stream"; readonly path: string }
  /** A card in a network of that name, which `launch` is given: `createSwitch` of `@justenough/qemu/net`. */
  | { readonly kind: "switch"; readonly network: string }
);

/** A complete description: plain data, no defaults left open. JSON-serialisable as long as the initrd parts are paths. */
export interface Machine {
  readonly arch: Arch;
  readonly binary: string;
  readonly preset: "q35" | "lean" | "microvm" | "virt";
  readonly boot: "kernel" | "cdrom" | "disk" | "network" | "firmware";
  readonly kernel?: string;
  readonly initrd: readonly (string | Uint8Array)[];
  readonly cmdline: string;
  readonly firmware?: string;
  readonly disks: readonly Disk[];
  readonly cdrom?: string;
  readonly shares: readonly Share[];
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly accel: AccelChoice;
  readonly cpu?: string;
  readonly nics: readonly Nic[];
  readonly ports: readonly string[];
  readonly virtioPorts: readonly string[];
  readonly vga: boolean;
  readonly pvpanic: boolean;
  readonly debugExit: boolean;
  readonly rng: boolean;
  readonly gdb?: number | string;
  readonly extraArgs: readonly string[];
}

/** QEMU's PC has four serial ports, and kernels are built for four: the console and three more. */
const MAX_PORTS = 3;
const MAX_VIRTIO_PORTS = 8;

/**
 * Completes and checks a machine description. Pure: touches no file.
 *
 * @throws QemuError `QEMU_SPEC_INVALID`
 * @example
 * ```ts
 * import { machine } from "@justenough/qemu";
 * console.log(machine({ kernel: "bzImage", memory: "1G", forwards: [{ host: 6379, guest: 6379 }] }).memoryMiB); // 1024
 * ```
 */
export function machine(spec: MachineSpec): Machine {
  const arch = spec.arch ?? "x86_64";
  const boot = spec.boot ?? defaultBoot(spec);
  checkBoot(spec, boot);
  if (arch !== "x86_64") checkVirt(spec, arch, boot);
  if (spec.preset === "microvm") checkMicrovm(spec, boot);
  if (spec.nics !== undefined && spec.forwards !== undefined && spec.forwards.length > 0) {
    throw invalid(
      `"forwards" and "nics" exclude each other`,
      `Put the forwards into the network card of kind "user"`,
    );
  }
  const nicSpecs: readonly NicSpec[] =
    spec.nics ?? (spec.forwards === undefined ? [] : [{ kind: "user", forwards: spec.forwards }]);
  if (boot === "network" && nicSpecs.length === 0) {
    throw invalid(`A boot from the network needs a network card`, `Add nics: [{ kind: "tap", ifname: "…" }]`);
  }
  const ports = spec.ports ?? [];
  if (ports.length > MAX_PORTS)
    throw invalid(`${ports.length} extra serial ports were asked for, a machine has ${MAX_PORTS}`);
  checkNames("Serial", ports);
  const virtioPorts = spec.virtioPorts ?? [];
  if (virtioPorts.length > MAX_VIRTIO_PORTS)
    throw invalid(`${virtioPorts.length} virtio ports were asked for, a machine has ${MAX_VIRTIO_PORTS}`);
  checkNames("Virtio", virtioPorts);
  return {
    arch,
    binary: spec.binary ?? boardOf(arch).binary,
    preset: arch === "x86_64" ? (spec.preset ?? "q35") : "virt",
    boot,
    ...(spec.kernel === undefined ? {} : { kernel: spec.kernel }),
    initrd: spec.initrd ?? [],
    cmdline: spec.cmdline ?? "",
    ...(spec.firmware === undefined ? {} : { firmware: spec.firmware }),
    disks: completeDisks(spec.disks ?? [], spec.cdrom !== undefined && arch === "x86_64"),
    ...(spec.cdrom === undefined ? {} : { cdrom: spec.cdrom }),
    shares: completeShares(spec.shares ?? []),
    memoryMiB: parseMemory(spec.memory ?? 512),
    cpus: integer("cpus", spec.cpus ?? 1, 1, 255),
    accel: spec.accel ?? "auto",
    ...(spec.cpu === undefined ? {} : { cpu: spec.cpu }),
    nics: nicSpecs.map((nic, index) => completeNic(nic, index)),
    ports,
    virtioPorts,
    vga: spec.vga ?? false,
    pvpanic: spec.pvpanic ?? false,
    debugExit: spec.debugExit ?? false,
    rng: spec.rng ?? true,
    ...(spec.gdb === undefined ? {} : { gdb: completeGdb(spec.gdb) }),
    extraArgs: spec.extraArgs ?? [],
  };
}

function defaultBoot(spec: MachineSpec): Machine["boot"] {
  if (spec.kernel !== undefined) return "kernel";
  if (spec.cdrom !== undefined) return "cdrom";
  if ((spec.disks ?? []).length > 0) return "disk";
  // A UEFI has a network client too.
  const hasNic = (spec.nics ?? spec.forwards ?? []).length > 0;
  return spec.firmware === undefined || (spec.firmware === "uefi" && hasNic) ? "network" : "firmware";
}

function checkNames(kind: "Serial" | "Virtio", names: readonly string[]): void {
  const bad = names.find(
    (name, index) => !/^[a-z][a-z0-9-]*$/.test(name) || name === "console" || names.indexOf(name) !== index,
  );
  if (bad !== undefined)
    throw invalid(`${kind} port name "${bad}" is no unique name of lower-case letters, digits and "-"`);
}

function checkBoot(spec: MachineSpec, boot: Machine["boot"]): void {
  if (boot === "kernel" && spec.kernel === undefined) throw invalid(`A direct boot needs "kernel"`);
  if (boot === "firmware" && spec.firmware === undefined)
    throw invalid(`A boot by firmware needs "firmware"`);
  if (boot === "disk" && (spec.disks ?? []).length === 0) throw invalid(`A boot from a disk needs "disks"`);
  if (boot === "cdrom" && spec.cdrom === undefined) throw invalid(`A boot from a CD needs "cdrom"`);
  if (spec.kernel !== undefined) {
    if (boot !== "kernel") throw invalid(`"kernel" has no meaning when boot is "${boot}"`);
    return;
  }
  if ((spec.initrd ?? []).length > 0) throw invalid(`"initrd" was given without "kernel"`);
  if (spec.cmdline !== undefined && spec.cmdline !== "")
    throw invalid(`"cmdline" was given without "kernel"`);
}

function checkMicrovm(spec: MachineSpec, boot: Machine["boot"]): void {
  const hint = `Use preset: "lean"`;
  if (boot !== "kernel") throw invalid(`A microvm has no BIOS, and boot is "${boot}"`, hint);
  if (spec.vga === true) throw invalid(`A microvm has no screen`, hint);
  if (spec.cdrom !== undefined) throw invalid(`A microvm has no CD drive`, hint);
  if (spec.accel === "tcg") throw invalid(`A microvm is for KVM, and accel is "tcg"`, hint);
}

// What only the PC has.
function checkVirt(spec: MachineSpec, arch: Arch, boot: Machine["boot"]): void {
  if (spec.preset !== undefined)
    throw invalid(`"${spec.preset}" is a PC, and the architecture is "${arch}"`, `Leave out "preset"`);
  if (spec.debugExit === true)
    throw invalid(`isa-debug-exit is a PC's, and the architecture is "${arch}"`, `Leave out "debugExit"`);
  if (["network", "disk", "cdrom"].includes(boot) && spec.firmware === undefined)
    throw invalid(
      `An "${arch}" machine has no firmware of its own that boots from the ${boot}`,
      `Give "kernel", or add firmware: "uefi"`,
    );
}

function completeGdb(gdb: number | string): number | string {
  if (gdb === "") throw invalid(`The path of gdb's socket is empty`);
  return typeof gdb === "string" ? gdb : integer("gdb's port", gdb, 1, 65_535);
}

function completeNic(nic: NicSpec, index: number): Nic {
  const mac = nic.mac ?? `52:54:00:12:34:${(0x56 + index).toString(16).padStart(2, "0")}`;
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac))
    throw invalid(`"${mac}" is no MAC address like 52:54:00:12:34:56`);
  const model = nic.model ?? "virtio-net-pci";
  if (!/^[\w.-]+$/.test(model)) throw invalid(`"${model}" is no name of a network card model`);
  return { model, mac, ...(nic.pcap === undefined ? {} : { pcap: nic.pcap }), backend: completeBackend(nic) };
}

function completeBackend(nic: NicSpec): NicBackend {
  if (nic.kind === "tap") return { kind: "tap", ifname: nic.ifname };
  if (nic.kind === "stream") return { kind: "stream", path: nic.path };
  if (nic.kind === "switch") {
    if (/^[a-z][a-z0-9-]*$/.test(nic.network)) return { kind: "switch", network: nic.network };
    throw invalid(`Network name "${nic.network}" is not made of lower-case letters, digits and "-"`);
  }
  return {
    kind: "user",
    forwards: (nic.forwards ?? []).map(completeForward),
    restrict: nic.restrict ?? false,
  };
}

function completeForward(forward: ForwardSpec): Forward {
  const hostAddress = forward.hostAddress ?? "127.0.0.1";
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(hostAddress))
    throw invalid(`Host address "${hostAddress}" of a forward is no IPv4 address`);
  return {
    protocol: forward.protocol ?? "tcp",
    hostAddress,
    host: integer("host port", forward.host, 0, 65_535),
    guest: integer("guest port", forward.guest, 1, 65_535),
  };
}

function parseMemory(memory: number | string): number {
  if (typeof memory === "number") return integer("memory", memory, 1, 1 << 24);
  const match = /^(\d+)\s*([MG])(?:iB)?$/i.exec(memory);
  if (match === null) throw invalid(`Memory "${memory}" is no size like "512M" or "2G"`);
  return integer("memory", Number(match[1]) * (match[2]?.toUpperCase() === "G" ? 1024 : 1), 1, 1 << 24);
}

function integer(what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`${what} is ${value}, wanted is a whole number from ${min} to ${max}`);
}
