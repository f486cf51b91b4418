import type { CliContext } from "../context.ts";
import type { FlagParametersForType, TypedPositionalParameters } from "@stricli/core";

// What the commands share. Only this file and app.ts are loaded for --help: it imports nothing at run time.

type Flags<T> = FlagParametersForType<T, CliContext>;

export interface CommonFlags {
  readonly json: boolean;
  readonly debug: boolean;
  readonly cacheDir?: string;
}
export const common: Flags<CommonFlags> = {
  json: { kind: "boolean", brief: "Print the result as JSON", default: false },
  debug: { kind: "boolean", brief: "Show the stack of an error", default: false },
  cacheDir: {
    kind: "parsed",
    parse: String,
    brief: "Where built things are kept",
    placeholder: "DIR",
    optional: true,
  },
};

export interface SpecFlags {
  readonly kernel?: "auto" | "debian" | "kernel.org" | "distro";
}
export const spec: Flags<SpecFlags> = {
  kernel: {
    kind: "enum",
    values: ["auto", "debian", "kernel.org", "distro"],
    brief: "Another source for the kernel than the spec's; distro: the distribution's prebuilt one",
    optional: true,
  },
};

export interface BuildingFlags {
  readonly update: boolean;
  readonly jobs?: number;
}
export const building: Flags<BuildingFlags> = {
  update: { kind: "boolean", brief: "Look for newer kernel sources and build again", default: false },
  jobs: {
    kind: "parsed",
    parse: wholeNumber,
    brief: "Compilers at the same time",
    placeholder: "N",
    optional: true,
  },
};

export interface MachineFlags {
  readonly memory?: number;
  readonly cpus?: number;
  readonly forward?: readonly string[];
  readonly accel?: "auto" | "kvm" | "tcg";
  readonly timeout?: number;
}
export const machine: Flags<MachineFlags> = {
  memory: {
    kind: "parsed",
    parse: memorySize,
    brief: "Memory, like 512M",
    placeholder: "SIZE",
    optional: true,
  },
  cpus: { kind: "parsed", parse: wholeNumber, brief: "Processors", placeholder: "N", optional: true },
  forward: {
    kind: "parsed",
    parse: portPair,
    brief: "A port of this machine that leads into the appliance; may be repeated",
    placeholder: "HOST:GUEST",
    variadic: true,
    optional: true,
  },
  accel: {
    kind: "enum",
    values: ["auto", "kvm", "tcg"],
    brief: "How to run the processor. Default: KVM if it works",
    optional: true,
  },
  timeout: {
    kind: "parsed",
    parse: durationMs,
    brief: "Give up after this time, like 90s",
    placeholder: "TIME",
    optional: true,
  },
};

export interface RunningFlags {
  readonly verbose: boolean;
  readonly detach: boolean;
  readonly film?: string;
  readonly report: boolean;
  readonly quiet: boolean;
  readonly supervise?: string;
}
export const running: Flags<RunningFlags> = {
  verbose: { kind: "boolean", brief: "Show the kernel's log on stderr", default: false },
  detach: { kind: "boolean", brief: "Leave it running in the background", default: false },
  film: {
    kind: "parsed",
    parse: String,
    brief: "Film the screen during the boot: an animated PNG, or a directory of pictures",
    placeholder: "FILE.png|DIR",
    optional: true,
  },
  report: {
    kind: "boolean",
    brief: "Print the report to stdout, after the program's output",
    default: false,
  },
  quiet: { kind: "boolean", brief: "No report and no progress on stderr", default: false },
  supervise: {
    kind: "parsed",
    parse: String,
    brief: "The background part of --detach",
    hidden: true,
    optional: true,
  },
};

export interface ServingFlags {
  readonly interface: string;
  readonly mode?: "authoritative" | "proxy" | "http-only";
  readonly address?: string;
}
export const serving: Flags<ServingFlags> = {
  interface: { kind: "parsed", parse: String, brief: "Network interface to serve on", placeholder: "NAME" },
  mode: {
    kind: "enum",
    values: ["authoritative", "proxy", "http-only"],
    brief:
      "authoritative: we are the DHCP server; proxy: another one gives addresses; http-only: iPXE brings itself",
    optional: true,
  },
  address: {
    kind: "parsed",
    parse: String,
    brief: "Our address there, if it has several",
    placeholder: "IP",
    optional: true,
  },
};

export interface TracingFlags {
  readonly watch?: number;
  readonly static: boolean;
}
export const tracing: Flags<TracingFlags> = {
  watch: {
    kind: "parsed",
    parse: durationMs,
    brief: "How long a program that does not end is watched. Default: 5s",
    placeholder: "TIME",
    optional: true,
  },
  static: { kind: "boolean", brief: "Read its files only, and boot nothing", default: false },
};

export interface MinimizingFlags {
  readonly budget?: number;
  readonly tests?: number;
  readonly output?: string;
}
export const minimizing: Flags<MinimizingFlags> = {
  budget: {
    kind: "parsed",
    parse: durationMs,
    brief: "How long it may take, like 3h. Default: 90m",
    placeholder: "TIME",
    optional: true,
  },
  tests: {
    kind: "parsed",
    parse: wholeNumber,
    brief: "How many kernels may be tried. Default: no limit",
    placeholder: "N",
    optional: true,
  },
  output: {
    kind: "parsed",
    parse: String,
    brief: "Where to write the configuration. Default: minimal.defconfig beside the spec",
    placeholder: "FILE",
    optional: true,
  },
};

export const here: Flags<{ readonly here: boolean }>["here"] = {
  kind: "boolean",
  brief: "Print the devices of this machine instead",
  default: false,
};

export const directory: Flags<{ readonly d?: string }>["d"] = {
  kind: "parsed",
  parse: String,
  brief: "Where to write. Default: here",
  placeholder: "DIR",
  optional: true,
};
export const resolved: Flags<{ readonly r: boolean }>["r"] = {
  kind: "boolean",
  brief: "Print every value and where it came from",
  default: false,
};
export const fresh: Flags<{ readonly f: boolean }>["f"] = {
  kind: "boolean",
  brief: "Boot again even if there are records",
  default: false,
};

export const where: TypedPositionalParameters<[string], CliContext> = {
  kind: "tuple",
  parameters: [{ brief: "A spec file or its directory", placeholder: "spec", parse: String, default: "." }],
};

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new SyntaxError(`"${text}" is no whole number from 1 on`);
  return Number(text);
}

function memorySize(text: string): number {
  const match = /^([1-9]\d*)([MG])$/.exec(text);
  if (!match) throw new SyntaxError(`"${text}" is no size like 256M or 1G`);
  return Number(match[1]) * (match[2] === "G" ? 1024 : 1);
}

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (!match) throw new SyntaxError(`"${text}" is no time like 90s or 2m`);
  return Math.round(
    Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"],
  );
}

function portPair(text: string): string {
  const ports = text.split(":").map(Number);
  const good = /^\d+(:\d+)?$/.test(text) && ports.every((port) => port <= 65_535) && (ports.at(-1) ?? 0) > 0;
  if (!good) throw new SyntaxError(`"${text}" is no port and no HOST:GUEST`);
  return text;
}
