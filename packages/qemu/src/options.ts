import { parseArgs } from "node:util";
import { QemuError } from "./errors.ts";
import { parseDisk, parseGdb, parseShare } from "./device-options.ts";
import { UsageError } from "./usage-error.ts";
import type { AccelChoice, Arch, ForwardSpec, MachineSpec } from "./machine.ts";

const OPTIONS = {
  kernel: { type: "string" },
  initrd: { type: "string", multiple: true },
  append: { type: "string" },
  memory: { type: "string" },
  cpus: { type: "string" },
  "port-forward": { type: "string", multiple: true },
  tap: { type: "string" },
  pcap: { type: "string" },
  net: { type: "string" },
  disk: { type: "string", multiple: true },
  cdrom: { type: "string" },
  share: { type: "string", multiple: true },
  uefi: { type: "boolean" },
  gdb: { type: "string" },
  film: { type: "string" },
  "film-fps": { type: "string" },
  screenshot: { type: "string" },
  timeline: { type: "string" },
  "console-log": { type: "string" },
  timeout: { type: "string" },
  "idle-timeout": { type: "string" },
  "output-timeout": { type: "string" },
  "init-timeout": { type: "string" },
  ready: { type: "string" },
  "ready-timeout": { type: "string" },
  accel: { type: "string" },
  cpu: { type: "string" },
  arch: { type: "string" },
  lean: { type: "boolean" },
  microvm: { type: "boolean" },
  pvpanic: { type: "boolean" },
  "debug-exit": { type: "boolean" },
  qemu: { type: "string" },
  interactive: { type: "boolean", short: "i" },
  probe: { type: "boolean" },
  snapshot: { type: "boolean" },
  "dry-run": { type: "boolean" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

export type Values = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  const end = argv.indexOf("--");
  const { values: flags, positionals } = parseArgs({
    args: argv.slice(0, end === -1 ? undefined : end),
    options: OPTIONS,
    strict: true,
    allowPositionals: true,
  });
  const program = end === -1 ? undefined : argv.slice(end + 1);
  if (program?.length === 0)
    throw new UsageError('There is no program after "--"', "Name one, like -- uname -a");
  if (flags.snapshot === true && program === undefined)
    throw new UsageError("--snapshot is for a program in the guest", "Name one after --, like -- uname -a");
  if (flags.interactive === true && program !== undefined)
    throw new UsageError("--interactive is for the console, and a program has the terminal", "Choose one");
  const values = { ...flags, program };
  const [kernel, ...initrds] = positionals;
  if (kernel === undefined) return values;
  if (values.kernel !== undefined)
    throw new UsageError(
      `Unexpected argument "${kernel}"`,
      "The kernel is --kernel or the first argument, not both",
    );
  return { ...values, kernel, initrd: [...initrds, ...(values.initrd ?? [])] };
}

export function parseOptions(argv: readonly string[]): Values {
  try {
    return parse(argv);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION")
      throw new UsageError(message.split(". ")[0] ?? message, "See --help");
    const flag = /'(-[^']*)'/.exec(message)?.[1] ?? "";
    const near = Object.keys(OPTIONS).find((name) => distance(`--${name}`, flag) <= 2);
    throw new UsageError(
      `Unknown flag "${flag}"`,
      near === undefined ? "See --help" : `Did you mean "--${near}"?`,
    );
  }
}

export function machineFromOptions(values: Values): MachineSpec {
  const forwards = (values["port-forward"] ?? []).map(parseForward);
  const user = hasUserNetwork(values.net, forwards) ? [{ kind: "user", forwards } as const] : [];
  const tap = values.tap === undefined ? [] : [{ kind: "tap", ifname: values.tap } as const];
  const nics = [...tap, ...user];
  if (values.pcap !== undefined && nics.length !== 1)
    throw new UsageError(
      `--pcap records a machine with one network card, and this one has ${nics.length}`,
      "Give --port-forward or --tap",
    );
  return {
    kernel: values.kernel,
    initrd: values.initrd,
    cmdline: values.append,
    firmware: values.uefi === true ? "uefi" : undefined,
    disks: values.disk?.map(parseDisk),
    cdrom: values.cdrom,
    shares: values.share?.map(parseShare),
    gdb: values.gdb === undefined ? undefined : parseGdb(values.gdb),
    memory:
      values.memory === undefined
        ? undefined
        : /^\d+$/.test(values.memory)
          ? Number(values.memory)
          : values.memory,
    cpus: values.cpus === undefined ? undefined : Number(values.cpus),
    accel: parseAccel(values.accel),
    cpu: values.cpu,
    nics: nics.map((nic) => ({ ...nic, pcap: values.pcap })),
    vga: values.film !== undefined || values.screenshot !== undefined,
    arch: parseArch(values.arch),
    preset: parsePreset(values),
    pvpanic: values.pvpanic,
    debugExit: values["debug-exit"],
    binary: values.qemu,
  };
}

function hasUserNetwork(net: string | undefined, forwards: readonly ForwardSpec[]): boolean {
  if (net === undefined) return forwards.length > 0;
  if (net !== "user" && net !== "none") throw new UsageError(`"${net}" is no network`, "Choose user or none");
  if (net === "none" && forwards.length > 0)
    throw new UsageError("A port is to be forwarded, and there is to be no network", "Leave out --net none");
  return net === "user";
}

/** QEMU's machine, of those that an x86_64 one may be. */
export function parsePreset(values: Pick<Values, "lean" | "microvm">): "lean" | "microvm" | undefined {
  if (values.lean === true && values.microvm === true)
    throw new UsageError("--lean and --microvm are two machines", "Choose one");
  return values.lean === true ? "lean" : values.microvm === true ? "microvm" : undefined;
}

/** A flag in seconds, as milliseconds. */
export function parseSeconds(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new UsageError(`"${value}" is no time for ${flag}`, "Give seconds, like 60 or 0.5");
}

export function parsePattern(value: string | undefined): RegExp | undefined {
  if (value === undefined) return undefined;
  try {
    return new RegExp(value);
  } catch (error) {
    throw new UsageError(
      `"${value}" is no regular expression for --ready: ${(error as Error).message}`,
      "Like 'login:'",
    );
  }
}

function parseAccel(value: string | undefined): AccelChoice | undefined {
  if (value === undefined || value === "auto" || value === "kvm" || value === "tcg") return value;
  throw new UsageError(`"${value}" is no accelerator`, "Choose auto, kvm or tcg");
}

export function parseArch(value: string | undefined): Arch | undefined {
  if (value === undefined || value === "x86_64" || value === "arm64" || value === "riscv64") return value;
  throw new UsageError(`"${value}" is no architecture`, "Choose x86_64, arm64 or riscv64");
}

function parseForward(value: string): ForwardSpec {
  const match = /^(?:(tcp|udp):)?(\d+):(\d+)$/.exec(value);
  if (match === null)
    throw new UsageError(`"${value}" is no forward`, "Give HOSTPORT:GUESTPORT, like 8080:80 or udp:5353:53");
  return { protocol: match[1] === "udp" ? "udp" : "tcp", host: Number(match[2]), guest: Number(match[3]) };
}

/** Exit status for an error that was thrown. */
export function errorStatus(error: unknown): number {
  return error instanceof UsageError || (error instanceof QemuError && error.code === "QEMU_SPEC_INVALID")
    ? 2
    : 1;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
