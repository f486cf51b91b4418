import { boardOf, defaultCpu, machineType } from "./board.ts";
import type { Machine, Nic } from "./machine.ts";
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
  /** The one initrd file, when there is one. */
  readonly initrd?: string | undefined;
  /**
   * `fds`: QMP on file descriptor 3, the console on 4, the further ports from 5 on, the cards in a switch from 10 on,
   * all inherited sockets, and the guest stands still at its end until it is told to quit. `terminal`: for a run by
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
}

/** File descriptors of the `fds` wiring. */
export const QMP_FD = 3;
export const CONSOLE_FD = 4;
export const FIRST_PORT_FD = 5;
/** After the most ports that a machine has, and after the guard's own. */
export const FIRST_NETWORK_FD = 10;

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
  const firmwareConsole = machine.boot === "network" ? ",graphics=off" : "";
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
    ["-m", `${machine.memoryMiB}M`, "-smp", String(machine.cpus)],
    bootArguments(machine, wiring),
    // A reset ends the run, a panic stops the guest where it is; standing still after the end keeps the last picture.
    ["-action", byHand ? "reboot=shutdown" : "reboot=shutdown,shutdown=pause,panic=pause"],
    byHand ? terminalChannels(machine) : fdChannels(machine),
    machine.rng ? ["-device", "virtio-rng-pci"] : [],
    machine.vga ? ["-device", boardOf(machine.arch).vga] : [],
    machine.pvpanic ? ["-device", "pvpanic-pci"] : [],
    ...machine.nics.map((nic, index) => nicArguments(machine, nic, index, byHand)),
    machine.extraArgs,
  ].flat();
}

/**
 * The command to run the same machine by hand, with the console on the terminal.
 * Give it to {@link printable} to get a line that can be pasted.
 */
export function commandByHand(
  machine: Machine,
  accel: "kvm" | "tcg",
  boot: Pick<Wiring, "kernel" | "cmdline" | "firmware"> = {},
): Command {
  const layout = initrdLayout(machine.initrd);
  const initrd =
    layout.kind === "file" ? layout.path : layout.kind === "joined" ? "initrd.joined" : undefined;
  return {
    binary: machine.binary,
    args: commandArguments(machine, { ...boot, accel, initrd, channels: "terminal" }),
    ...(layout.kind === "joined" ? { prepare: { path: "initrd.joined", pieces: layout.pieces } } : {}),
  };
}

/** A command as one line for a POSIX shell, every word quoted that needs it. */
export function printable(command: Command): string {
  const line = [command.binary, ...command.args].map(shellQuote).join(" ");
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

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** In QEMU's option lists a comma separates; a doubled one is a comma. */
function optionValue(value: string): string {
  return value.replaceAll(",", ",,");
}

function bootArguments(machine: Machine, wiring: Wiring): string[] {
  const bios = machine.firmware ?? wiring.firmware;
  const firmware = bios === undefined ? [] : ["-bios", bios];
  if (machine.boot === "network") return [...firmware, "-boot", "order=n,strict=on"];
  if (machine.kernel === undefined) return firmware;
  const cmdline = wiring.cmdline ?? machine.cmdline;
  return [
    firmware,
    ["-kernel", wiring.kernel ?? machine.kernel],
    wiring.initrd === undefined ? [] : ["-initrd", wiring.initrd],
    cmdline === "" ? [] : ["-append", cmdline],
  ].flat();
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
  return [["-serial", "mon:stdio"], ...ports].flat();
}

function isOwnPort({ arch }: Machine, index: number): boolean {
  return index < boardOf(arch).morePorts;
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
  const socket = byHand ? undefined : FIRST_NETWORK_FD + earlier.length;
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
