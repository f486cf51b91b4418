import { readdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { ARCHES, hostArch } from "./arch.ts";
import { compilerFor } from "./internal/compiler.ts";
import { compilerNeeds, findProgram, installLine, NEEDS, unmetNeeds } from "./internal/needs.ts";
import type { Need } from "./internal/needs.ts";
import { run, searchPath } from "./internal/process.ts";

/** A program or header, as it is on this machine. */
export interface MachineTool {
  readonly what: string;
  readonly kind: "program" | "header";
  /** Debian's and Ubuntu's package. */
  readonly package: string;
  readonly found: boolean;
  /** Of a program that was found, if it tells. */
  readonly version?: string | undefined;
  /** The oldest version that will do. */
  readonly least?: string | undefined;
  /** Kernels that need it have one of these symbols; undefined: all kernels, or with `optional` none. */
  readonly symbols?: readonly string[] | undefined;
}

/** Whether kernels can be built here. */
export interface MachineReport {
  /** The build of a kernel with the default features would start. */
  readonly ready: boolean;
  /** Why not, each with what to do. */
  readonly problems: readonly string[];
  /** What every kernel, or some, needs. */
  readonly tools: readonly MachineTool[];
  /** What no build here needs: a compiler's cache, other compilers. */
  readonly optional: readonly MachineTool[];
  /** The command that installs all that is missing; undefined when nothing is. */
  readonly install: string | undefined;
  readonly disk: {
    readonly path: string;
    readonly free: number;
    /** A source and a build directory, as far as they are not there yet. */
    readonly wanted: number;
  };
}

// What base asks for on x86_64 and brings needs of its own; a test compares it with the default configuration.
const BY_DEFAULT = new Set(["KERNEL_ZSTD", "OBJTOOL"]);

// Bytes: 1.7 GB for an unpacked tree beside 150 MB of download, a few hundred MB for the objects of a small kernel.
const FIRST_BUILD = 2.5e9;
const LATER_BUILD = 0.5e9;

const OWN = [...compilerNeeds(compilerFor(hostArch() ?? "x86_64")), ...NEEDS];

const OPTIONAL: readonly Need[] = [
  { what: "ccache", kind: "program", package: "ccache" },
  ...compilerNeeds(compilerFor("x86_64", "clang")),
  ...ARCHES.filter((arch) => arch !== hostArch()).flatMap((arch) =>
    compilerNeeds(compilerFor(arch)).slice(2),
  ),
];

/**
 * Looks whether this machine has what a kernel's build needs; it changes nothing. `buildKernel` makes the same check of
 * tools and headers for its kernel before it starts.
 *
 * @example
 * ```ts
 * import { examineMachine } from "@justenough/kernel";
 * const { ready, problems, install } = await examineMachine();
 * console.log(ready ? "ready" : problems.join("\n"), install ?? "");
 * ```
 */
export async function examineMachine(
  options: Pick<KernelContext, "cacheDir" | "signal"> & {
    /** Where programs are looked for. Default: PATH and the system's directories. */
    readonly path?: readonly string[] | undefined;
  } = {},
): Promise<MachineReport> {
  const { signal, path = searchPath() } = options;
  const look = async (needs: readonly Need[]): Promise<MachineTool[]> => {
    const unmet = new Set(await unmetNeeds(needs, path, signal));
    return Promise.all(
      needs.map(async (need) => {
        const found = !unmet.has(need);
        const version =
          found && need.kind === "program" ? await versionOf(need.what, path, signal) : undefined;
        return { ...need, found, version };
      }),
    );
  };
  const [tools, optional, disk] = await Promise.all([look(OWN), look(OPTIONAL), diskSpace(options)]);
  const missing = tools.filter(({ found }) => !found);
  const problems: string[] = [];
  for (const tool of tools) {
    if (tool.symbols?.some((symbol) => BY_DEFAULT.has(symbol)) === false) continue;
    if (!tool.found) problems.push(`"${tool.what}" is not installed: apt-get install ${tool.package}`);
    else if (tool.least !== undefined && tool.version !== undefined && isOlder(tool.version, tool.least)) {
      problems.push(`"${tool.what}" is version ${tool.version}, wanted at least ${tool.least}`);
    }
  }
  if (disk.free < disk.wanted) {
    const [free, wanted] = [disk.free, disk.wanted].map((bytes) => `${(bytes / 1e9).toFixed(1)} GB`);
    problems.push(`"${disk.path}" has ${free} left, a build wants ${wanted}: "kbuild cache gc" makes room`);
  }
  const install = missing.length === 0 ? undefined : installLine(missing);
  return { ready: problems.length === 0, problems, tools, optional, install, disk };
}

async function versionOf(
  name: string,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const file = (await findProgram(name, path)) ?? name;
  const { stdout, stderr, exitCode } = await run({ file, args: ["--version"] }, { signal });
  if (exitCode !== 0) return undefined;
  // The first line ends with it, after names and brackets that may hold other numbers; perl's and bzip2's do not.
  const line = `${stdout}\n${stderr}`.trim().split("\n")[0] ?? "";
  return /(?:^|[\sv])(\d+(?:\.\d+)+)\)?\S*$/.exec(line)?.[1] ?? /\d+(?:\.\d+)+/.exec(line)?.[0];
}

/** Compares dotted numbers. */
function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split(".").map(Number));
  for (const [index, wanted] of (b ?? []).entries()) {
    const got = a?.[index] ?? 0;
    if (got !== wanted) return got < wanted;
  }
  return false;
}

async function diskSpace(context: Pick<KernelContext, "cacheDir">): Promise<MachineReport["disk"]> {
  const path = kernelCacheDir(context);
  const sources = await readdir(join(path, "sources"), { withFileTypes: true }).catch(() => []);
  const wanted = sources.some((entry) => entry.isDirectory()) ? LATER_BUILD : FIRST_BUILD;
  // The cache may not be there yet.
  for (let at = path; ; at = dirname(at)) {
    const facts = await statfs(at).catch(() => undefined);
    if (facts !== undefined) return { path, free: facts.bavail * facts.bsize, wanted };
    if (at === dirname(at)) return { path, free: Infinity, wanted };
  }
}
