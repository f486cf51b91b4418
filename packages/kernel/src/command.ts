import { readFileSync } from "node:fs";
import { KernelError } from "./errors.ts";
import { readArgs } from "./internal/cli-args.ts";
import type { CliArgs } from "./internal/cli-args.ts";
import { processIo, progressPrinter } from "./internal/cli-io.ts";
import type { CliIo } from "./internal/cli-io.ts";
import { nearest } from "./internal/nearest.ts";
import { noSpaceError } from "./internal/process.ts";
import { VERBS } from "./internal/verbs.ts";

const HELP = `kbuild: fetch, configure and build Linux kernels

usage:
  kbuild features [NAME]          list the features, or print one's Kconfig fragment
  kbuild presets [NAME]           list switches of known cost, or print one's fragment
  kbuild fetch [options]          fetch and unpack the source, print its directory, version and id
  kbuild configure [options]      print the complete configuration (.config), proved
  kbuild build [options]          build, print where the kernel is
  kbuild distro [--package NAME]  fetch the distribution's own kernel, without installing it
  kbuild diff A B                 what differs between two kernels' configurations
  kbuild size PATH                what a kernel's bytes are spent on, by directory and option
  kbuild drivers [--from FILE]    which symbols build the drivers of a machine's devices
  kbuild probe                    the devices of this machine, for "drivers" elsewhere
  kbuild matrix FILE              build many kernels: sources, architectures, compilers, configurations
  kbuild modules KERNEL DIRECTORY   build modules from outside the kernel's tree
  kbuild cache ls|gc              what the cache holds; make it smaller
  kbuild doctor                   whether this machine has what a build needs
                                  (these eight have a --help of their own)

options:
  --source SOURCE     default: Debian's 6.12; a source is one of
      debian:6.12             the package linux-source-6.12
      kernel.org:VERSION      6.12.57, 6.12.y (the newest of it), stable, latest-lts, mainline
      git:URL#REF             a branch, tag or whole commit id; git:DIRECTORY#REF reads a clone
      FILE, https://…         a tarball (xz, gz, zst, bz2); from a URL with --sha256
      DIRECTORY               a tree, which is only read
  --patch PATH        apply patches on top: a file, a mailbox, a directory with a series (repeatable)
  --mirror URL        where kernel.org releases are, up to /linux/kernel
  --keyring FILE      whose keys must have signed kernel.org's sums
  --sha256 SUM        the tarball's
  --offline           use what is in the cache, and no network
  --feature NAME      add a feature (repeatable)
  --no-default-features
  --preset NAME       turn a switch of known cost: kpti=off (repeatable)
  --set SYMBOL=VALUE  set a symbol, over what features say (repeatable)
  --arch NAME         x86_64 (default), arm64 or riscv64; by a cross compiler on another machine
  --compiler NAME     gcc (default), or clang with LLVM's linker and tools
  --base NAME         allnoconfig (default), tinyconfig or defconfig
  --strip-modules     leave debugging information out of modules
  --jobs N            how many compilers run at once
  --no-ccache         compile all; by default ccache is used where it is installed
  --remote-cache URL  a cache that machines share: redis://HOST[:PORT], or http://HOST[:PORT]/PATH
  --distcc HOST[/N]   compile on this machine too, N at once (repeatable)
  --icecream          compile on the machines of an icecream scheduler
  --verify            build: a second time elsewhere, and compare the bytes
  -o, --output PATH   configure: write the configuration there; build: copy the kernel there
  --refresh           ask for newer versions than those in the cache
  --cache-dir DIR     default: $XDG_CACHE_HOME/justenough or ~/.cache/justenough
  --json              results as JSON
  --dry-run           print the external commands only
  --debug             show stacks of errors
  --help, --version
`;

const OPTIONS = {
  source: { type: "string" },
  patch: { type: "string", multiple: true },
  mirror: { type: "string" },
  keyring: { type: "string" },
  sha256: { type: "string" },
  offline: { type: "boolean" },
  feature: { type: "string", multiple: true },
  "no-default-features": { type: "boolean" },
  preset: { type: "string", multiple: true },
  set: { type: "string", multiple: true },
  arch: { type: "string" },
  compiler: { type: "string" },
  base: { type: "string" },
  "strip-modules": { type: "boolean" },
  jobs: { type: "string" },
  "no-ccache": { type: "boolean" },
  "remote-cache": { type: "string" },
  distcc: { type: "string", multiple: true },
  icecream: { type: "boolean" },
  output: { type: "string", short: "o" },
  package: { type: "string" },
  modalias: { type: "string", multiple: true },
  from: { type: "string" },
  refresh: { type: "boolean" },
  verify: { type: "boolean" },
  depth: { type: "string" },
  top: { type: "string" },
  only: { type: "string" },
  "max-size": { type: "string" },
  "older-than": { type: "string" },
  "cache-dir": { type: "string" },
  json: { type: "boolean" },
  "dry-run": { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** What a command gets: its arguments, and what long operations take. */
export interface CommandContext {
  readonly args: CliArgs;
  readonly io: CliIo;
  readonly signal: AbortSignal;
  readonly progress: ReturnType<typeof progressPrinter>;
}

const COMMANDS = ["features", "presets", "fetch", "configure", "build", "distro", ...Object.keys(VERBS)];

/** The command line: returns the exit status. */
export async function main(argv: readonly string[], io: CliIo = processIo): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new Error("interrupted"));
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const progress = progressPrinter(io);
  try {
    const args = readArgs(argv, OPTIONS, 3);
    const [name, operand, extra] = args.positionals;
    const verb = name === undefined ? undefined : VERBS[name];
    if (args.flag("version")) io.stdout(`${packageVersion()}\n`);
    else if (args.flag("help")) io.stdout(verb?.help ?? HELP);
    else if (name === undefined) {
      throw new KernelError("KERNEL_USAGE", "No command is given", { hint: '"kbuild --help" lists them' });
    } else if (!COMMANDS.includes(name)) {
      const near = nearest(name, COMMANDS);
      throw new KernelError("KERNEL_USAGE", `There is no command "${name}"`, {
        hint: near === undefined ? '"kbuild --help" lists them' : `Did you mean "${near}"?`,
      });
    } else if (verb !== undefined) {
      return await verb.run({ args, io, signal: abort.signal, progress });
    } else {
      if (extra !== undefined) throw new KernelError("KERNEL_USAGE", `Unexpected argument "${extra}"`);
      if (operand !== undefined && name !== "features" && name !== "presets") {
        throw new KernelError("KERNEL_USAGE", `Unexpected argument "${operand}"`);
      }
      const { runCommand } = await import("./internal/commands.ts");
      await runCommand(name, operand, { args, io, signal: abort.signal, progress });
    }
    return 0;
  } catch (error) {
    progress.end();
    return report(error, argv.includes("--debug"), io);
  } finally {
    progress.end();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

function report(thrown: unknown, debug: boolean, io: CliIo): number {
  // Of Node's own errors this one has something to do about it.
  const full = thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === "ENOSPC";
  const error = full ? noSpaceError("Cannot go on", thrown.message) : thrown;
  io.stderr(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof KernelError && error.hint !== undefined) io.stderr(`hint: ${error.hint}\n`);
  if (debug && error instanceof Error) io.stderr(`${error.stack ?? ""}\n`);
  if (error instanceof KernelError && error.code === "KERNEL_USAGE") return 2;
  return error instanceof KernelError && error.code === "KERNEL_ABORTED" ? 130 : 1;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
