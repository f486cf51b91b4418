import { readFileSync } from "node:fs";

import { type CommandIo, UsageError } from "./internal/cli/command-line.ts";
import { nearest } from "./internal/suggest.ts";

const HELP = `Collect programs with all they need, and pack them into an initramfs that boots

Usage:
  initramfs pack -o FILE [--program NAME[=TARGET]]... [options] [-- PROGRAM [ARGUMENT...]]
  initramfs closure PROGRAM...     what programs need, found without executing them
  initramfs list ARCHIVE           the files of an image (plain, gzip or zstd)
  initramfs cat ARCHIVE PATH       one file of an image

Options of pack:
  -o, --output FILE           the image to write
  -p, --program NAME[=TARGET] a program with all it needs (repeat)
  -l, --layer [KIND=]SOURCE   a root file system to start from, later over earlier (repeat): tar, oci, deb, list
                              or directory; what it is is seen from the file. A container image with several
                              in it: oci=SOURCE#REFERENCE
      --list FILE             a list for the kernel's gen_init_cpio, over the layers (repeat)
      --platform PLATFORM     of container images, such as linux/arm64 (default: what --arch is)
  -f, --file TARGET=SOURCE    a file or directory as it is (repeat)
      --directory TARGET      an empty directory (repeat)
      --link TARGET=TO        a symbolic link (repeat)
      --module NAME           a kernel module with what it depends on (repeat)
      --modules-from DIR      …/lib/modules/RELEASE, where modules.dep is
      --init FILE             your own /init instead of the generated one
      --max-layer-bytes N     of the layers' files together, and of any archive unpacked (default: 2 GiB)
      --max-layer-entries N   of the layers together (default: 1000000)
      --restore-capabilities  file capabilities of the layers' programs are set by the generated /init
      --keep-init             the /init of the layers; nothing is added that was not asked for
      --hostname NAME         for the generated /init
      --network MODE          none (default) or dhcp
      --compression KIND      none, gzip (default), zstd, lz4; xz, lzma, bzip2, lzo by their programs
      --arch ARCH             x86_64 (default: this machine's)
      --cache-dir DIR         where the compiled /init is kept
  What follows "--" is run by the generated /init; its program is added to the image, but with --layer it is
  one of theirs. A container image's own command is run if there is none.

Options of pack and closure:
      --sysroot DIR           take programs from this root instead of /

All commands: --json, --debug, --help, --version
`;

/** Runs the command and returns its exit status: 0, 1 for a failure, 2 for a mistake in the command line, 130. */
export async function main(argv: readonly string[], io: CommandIo): Promise<number> {
  const debug = argv.includes("--debug");
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (io.signal?.aborted === true) return 130;
    const { message, stack, hint } = error as Error & { hint?: string };
    io.stderr.write(`error: ${message}\n`);
    if (hint !== undefined) io.stderr.write(`hint: ${hint}\n`);
    if (debug && stack !== undefined) io.stderr.write(`${stack}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    io.stdout.write(HELP);
    return command === undefined ? 2 : 0;
  }
  if (command === "--version") return version(io);
  const commands: Record<string, (args: readonly string[], io: CommandIo) => Promise<number>> = {
    pack: async (args, io) => (await import("./internal/cli/pack.ts")).packCommand(args, io),
    list: async (args, io) => (await import("./internal/cli/list.ts")).listCommand(args, io),
    closure: async (args, io) => (await import("./internal/cli/closure.ts")).closureCommand(args, io),
    cat: async (args, io) => (await import("./internal/cli/cat.ts")).catCommand(args, io),
  };
  const run = commands[command];
  if (run === undefined) {
    const guess = nearest(command, Object.keys(commands));
    throw new UsageError(
      `There is no command "${command}"`,
      guess === undefined ? "See initramfs --help" : `Did you mean "${guess}"?`,
    );
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    io.stdout.write(HELP);
    return 0;
  }
  return run(rest, io);
}

function version(io: CommandIo): number {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  io.stdout.write(`${(JSON.parse(text) as { version: string }).version}\n`);
  return 0;
}
