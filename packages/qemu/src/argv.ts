import { boardOf, defaultCpu, machineType, ownPorts } from "./board.ts";
import type { Machine, Nic } from "./machine.ts";
import { driveArguments } from "./disks.ts";
import { gdbArguments } from "./gdb.ts";
import { invalid } from "./internal/invalid.ts";
import { fileOption, optionValue } from "./internal/option-value.ts";
import { memoryArguments, type MemoryFile } from "./internal/memory.ts";
import { shareArguments, type Share } from "./shares.ts";
import type { Uefi } from "./uefi.ts";
import { virtiofsdCommand, type Virtiofsd } from "./internal/virtiofsd.ts";
import { initrdLayout, type InitrdPiece } from "./initrd.ts";
import { hashText } from "./internal/random.ts";

/** How the machine is connected to whoever runs it. */
export interface Wiring {
  readonly accel: "kvm" | "tcg";
  /** In place of the machine's: the same kernel, unpacked. */
  readonly kernel?: string | undefined;
  /** In place of the machine's: the same, with what only this host knows. */
  readonly cmdline?: string | undefined;
  /** In place of QEMU's own, where the machine names none. */
  readonly firmware?: string | undefined;
  /** What `firmware: "uefi"` is on this host: {@link findUefi}. */
  readonly uefi?: Uefi | undefined;
  /** Where the daemons of virtiofs listen, by default the working directory. */
  readonly socketDirectory?: string | undefined;
  /** The one initrd file, when there is one. */
  readonly initrd?: string | undefined;
  /** The file that is the guest's memory, when the machine is to become a snapshot or comes from one. */
  readonly memory?: MemoryFile | undefined;
  /**
   * `fds`: QMP on file descriptor 3, the console on 4, the further ports from 5 on, from 10 on virtio ports and then the
   * cards in a switch, all inherited sockets, and the guest stands still at its end until it is told to quit. `terminal`: for a run by
   * hand: the console on the terminal, further ports on Unix sockets in the working directory, a network that is a
   * multicast group on the loopback interface, where machines run by hand that have its name meet.
   */
  readonly channels: "fds" | "terminal";
}

/** A command line, and the file that must be made first. Plain data. */
export interface Command {
  readonly binary: string;
  readonly args: readonly string[];
  /** The initrd file to be put together before, from these pieces. */
  readonly prepare?: { readonly path: string; readonly pieces: readonly InitrdPiece[] };
  /** Daemons that must listen on their sockets before. */
  readonly daemons?: readonly { readonly command: readonly string[]; readonly socket: string }[];
}

/** File descriptors of the `fds` wiring. */
export const QMP_FD = 3;
export const CONSOLE_FD = 4;
export const FIRST_PORT_FD = 5;
/** After the most serial ports that a machine has, and after the guard's own. */
export const FIRST_VIRTIO_FD = 10;

/** Cards in a switch come after the virtio ports. */
export function firstNetworkFd({ virtioPorts: names }: Machine): number {
  return FIRST_VIRTIO_FD + names.length;
}

/**
 * The machine as QEMU arguments. Pure; the same description gives the same arguments.
 *
 * @example
 * ```ts
 * import { commandArguments, machine } from "@justenough/qemu";
 * console.log(commandArguments(machine({ kernel: "bzImage" }), { accel: "tcg", channels: "terminal" }).join(" "));
 * ```
 */
export function commandArguments(machine: Machine, wiring: Wiring): string[] {
  const byHand = wiring.channels === "terminal";
  // Tells SeaBIOS, and through it iPXE, to talk on the serial line; a kernel's own console needs no firmware's words.
  const firmwareConsole =
    ["network", "disk", "cdrom"].includes(machine.boot) && machine.arch === "x86_64" ? ",graphics=off" : "";
  return [
    ["-nodefaults", "-no-user-config", "-display", "none"],
    [
      "-machine",
      `${machineType(machine)}${firmwareConsole}`,
      "-accel",
      wiring.accel,
      "-cpu",
      machine.cpu ?? defaultCpu(wiring.accel, machine.arch),
    ],
    memoryArguments(machine.memoryMiB, machine.shares, wiring.memory),
    wiring.memory?.copy === true ? ["-incoming", "defer"] : [],
    ["-smp", String(machine.cpus)],
    bootArguments(machine, wiring),
    // A reset ends the run, a panic stops the guest where it is; standing still after the end keeps the last picture.
    ["-action", byHand ? "reboot=shutdown" : "reboot=shutdown,shutdown=pause,panic=pause"],
    byHand ? terminalChannels(machine) : fdChannels(machine),
    driveArguments(machine),
    shareArguments(machine.shares, (share) => shareSocket(share, wiring.socketDirectory)),
    machine.rng ? ["-device", "virtio-rng-pci"] : [],
    machine.vga ? ["-device", boardOf(machine.arch).vga] : [],
    machine.pvpanic ? ["-device", "pvpanic-pci"] : [],
    machine.debugExit ? ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"] : [],
    ...machine.nics.map((nic, index) => nicArguments(machine, nic, index, byHand)),
    gdbArguments(machine.gdb),
    machine.extraArgs,
  ].flat();
}

/** What a machine gets of the host it runs on. */
export type HostParts = Pick<Wiring, "kernel" | "cmdline" | "firmware" | "uefi"> & {
  readonly virtiofsd?: Virtiofsd | undefined;
};

/**
 * The command to run the same machine by hand, with the console on the terminal.
 * Give it to {@link printable} to get a line that can be pasted.
 */
export function commandByHand(machine: Machine, accel: "kvm" | "tcg", boot: HostParts = {}): Command {
  const layout = initrdLayout(machine.initrd);
  const initrd =
    layout.kind === "file" ? layout.path : layout.kind === "joined" ? "initrd.joined" : undefined;
  return {
    binary: machine.binary,
    args: commandArguments(machine, { ...boot, accel, initrd, channels: "terminal" }),
    ...(layout.kind === "joined" ? { prepare: { path: "initrd.joined", pieces: layout.pieces } } : {}),
    ...daemonsByHand(machine, boot.virtiofsd),
  };
}

/** A command as one line for a POSIX shell, every word quoted that needs it. */
export function printable(command: Command): string {
  const words = (list: readonly string[]): string => list.map(shellQuote).join(" ");
  const daemons = (command.daemons ?? []).map(
    (daemon) =>
      `rm -f ${shellQuote(daemon.socket)}; ${words(daemon.command)} & until [ -S ${shellQuote(daemon.socket)} ]; do sleep 0.1; done; `,
  );
  const line = `${daemons.join("")}${words([command.binary, ...command.args])}`;
  if (command.prepare === undefined) return line;
  const steps = command.prepare.pieces.map((piece) => {
    // Each part starts at a multiple of four bytes; the padding depends on the file's size, so the shell works it out.
    const pad = (size: string): string => `head -c $(( -(${size}) & 3 )) /dev/zero`;
    if (typeof piece === "string")
      return `cat ${shellQuote(piece)}; ${pad(`$(wc -c < ${shellQuote(piece)})`)}`;
    return `echo ${Buffer.from(piece).toString("base64")} | base64 -d; ${pad(String(piece.length))}`;
  });
  return `{ ${steps.join("; ")}; } > ${shellQuote(command.prepare.path)} && ${line}`;
}

function daemonsByHand({ shares }: Machine, virtiofsd: Virtiofsd | undefined): Pick<Command, "daemons"> {
  if (virtiofsd === undefined) return {};
  const daemons = shares
    .filter(({ kind }) => kind === "virtiofs")
    .map((share) => {
      const socket = shareSocket(share);
      return { command: virtiofsdCommand(virtiofsd, share, socket), socket };
    });
  return { daemons };
}

/** Where the daemon of a share listens. */
export function shareSocket({ tag }: Share, directory?: string): string {
  return directory === undefined ? `${tag}.sock` : `${directory}/${tag}.sock`;
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function bootArguments(machine: Machine, wiring: Wiring): string[] {
  const firmware = firmwareArguments(machine, wiring);
  if (machine.boot === "network") return [...firmware, "-boot", "order=n,strict=on"];
  if (machine.boot === "disk" || machine.boot === "cdrom") return [...firmware, "-boot", "strict=on"];
  if (machine.kernel === undefined) return firmware;
  const cmdline = wiring.cmdline ?? machine.cmdline;
  return [
    firmware,
    ["-kernel", wiring.kernel ?? machine.kernel],
    wiring.initrd === undefined ? [] : ["-initrd", wiring.initrd],
    cmdline === "" ? [] : ["-append", cmdline],
  ].flat();
}

function firmwareArguments(machine: Machine, { firmware, uefi }: Wiring): string[] {
  const bios = machine.firmware ?? firmware;
  if (bios === undefined) return [];
  if (bios !== "uefi") return ["-bios", bios];
  if (uefi === undefined)
    throw invalid(`firmware is "uefi", and where that is was not told`, `Use findUefi()`);
  const flash = (unit: number, how: string, { path, format }: Uefi["code"]): string[] => [
    "-drive",
    `if=pflash,unit=${unit},format=${format},${how},file=${fileOption(path)}`,
  ];
  // QEMU's own snapshot is a file without a name: nothing has to be copied before, nor removed after.
  return [...flash(0, "readonly=on", uefi.code), ...flash(1, "snapshot=on", uefi.vars)];
}

function fdChannels(machine: Machine): string[] {
  const chardev = (id: string, fd: number): string[] => ["-chardev", `socket,id=${id},fd=${fd}`];
  return [
    ["-chardev", `socket,id=qmp,fd=${QMP_FD}`, "-mon", "chardev=qmp,mode=control"],
    [...chardev("console", CONSOLE_FD), "-serial", "chardev:console"],
    ...machine.ports.map((name, index) => [
      ...chardev(name, FIRST_PORT_FD + index),
      ...portDevice(machine, name, index),
    ]),
    ...virtioPorts(machine, (id, index) => `socket,id=${id},fd=${FIRST_VIRTIO_FD + index}`),
    // Nothing runs before the monitor listens: an event of the first millisecond would be lost otherwise.
    ["-S"],
  ].flat();
}

function terminalChannels(machine: Machine): string[] {
  const ports = machine.ports.map((name, index) => {
    const at = `${name}.sock,server=on,wait=off`;
    if (isOwnPort(machine, index)) return ["-serial", `unix:${at}`];
    return ["-chardev", `socket,id=${name},path=${at}`, ...portDevice(machine, name, index)];
  });
  const virtio = virtioPorts(
    machine,
    (id, index) => `socket,id=${id},path=${machine.virtioPorts[index]}.virtio.sock,server=on,wait=off`,
  );
  return [["-serial", "mon:stdio"], ...ports, ...virtio, machine.gdb === undefined ? [] : ["-S"]].flat();
}

function virtioPorts(
  { virtioPorts: names }: Machine,
  chardev: (id: string, index: number) => string,
): string[][] {
  if (names.length === 0) return [];
  return [
    ["-device", "virtio-serial-pci"],
    ...names.map((name, index) => [
      "-chardev",
      chardev(`virtio-${name}`, index),
      "-device",
      // Number 0 is kept for a console.
      `virtserialport,chardev=virtio-${name},name=${name},nr=${index + 1}`,
    ]),
  ];
}

function isOwnPort(machine: Machine, index: number): boolean {
  return index < ownPorts(machine);
}

function portDevice(machine: Machine, name: string, index: number): string[] {
  if (isOwnPort(machine, index)) return ["-serial", `chardev:${name}`];
  return ["-device", `pci-serial,chardev=${name}`];
}

function nicArguments(machine: Machine, nic: Nic, index: number, byHand: boolean): string[] {
  const id = `net${index}`;
  // Without a boot from the network the card's option ROM is dead weight, and QEMU refuses to start when it is not installed.
  const device = `${nic.model},netdev=${id},mac=${nic.mac}${machine.boot === "network" ? `,bootindex=${index + 1}` : ",romfile="}`;
  const dump =
    nic.pcap === undefined
      ? []
      : ["-object", `filter-dump,id=pcap${index},netdev=${id},file=${optionValue(nic.pcap)}`];
  const earlier = machine.nics.slice(0, index).filter(({ backend }) => backend.kind === "switch");
  const socket = byHand ? undefined : firstNetworkFd(machine) + earlier.length;
  return ["-netdev", backendArgument(nic, id, socket), "-device", device, ...dump];
}

function backendArgument({ backend }: Nic, id: string, socket: number | undefined): string {
  if (backend.kind === "switch") {
    // Not "stream", which QEMU has from 7.2 on only; both talk alike.
    return `socket,id=${id},${socket === undefined ? multicastGroup(backend.network) : `fd=${socket}`}`;
  }
  if (backend.kind === "tap")
    return `tap,id=${id},ifname=${optionValue(backend.ifname)},script=no,downscript=no`;
  if (backend.kind === "stream")
    return `stream,id=${id},server=off,addr.type=unix,addr.path=${optionValue(backend.path)}`;
  const forwards = backend.forwards.map(
    (f) => `,hostfwd=${f.protocol}:${f.hostAddress}:${f.host}-:${f.guest}`,
  );
  return `user,id=${id}${backend.restrict ? ",restrict=on" : ""}${forwards.join("")}`;
}

/** Needs no server and no order of starts. The port follows from the name, and is none of those that systems give out. */
function multicastGroup(network: string): string {
  return `mcast=230.0.0.1:${10_000 + (hashText(network) % 10_000)},localaddr=127.0.0.1`;
}
