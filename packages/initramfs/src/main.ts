import { readFileSync } from "node:fs";

import { type CommandIo, UsageError } from "./internal/cli/command-line.ts";
import { nearest } from "./internal/suggest.ts";

const HELP = `Collect programs with all they need, and pack them into an initramfs that boots

Usage:
  initramfs pack -o FILE [--program NAME[=TARGET]]... [options] [-- PROGRAM [ARGUMENT...]]
  initramfs add ARCHIVE [--program NAME[=TARGET]]... [options]     add files to an image, whoever made it
  initramfs verify ARCHIVE [--config FILE] [--memory SIZE]         say whether it boots, before it is booted
  initramfs list ARCHIVE             its entries, of all archives in it, however compressed
  initramfs tree ARCHIVE [--size]    what the guest sees; where the bytes are
  initramfs cat ARCHIVE PATH         one file, as the guest would read it
  initramfs extract ARCHIVE DIR      write it to a new directory; nothing leads out of that
  initramfs diff ARCHIVE ARCHIVE     what the guest would see differently
  initramfs why ARCHIVE PATH         who in the image needs a file, and who needs that
  initramfs gen-init-cpio [-t TIME] [-c] [-a ALIGN] [-o FILE] LIST  in place of the kernel's gen_init_cpio
  initramfs closure PROGRAM...       what programs need, found without executing them

Options of pack and add:
  -o, --output FILE           the image to write (add: default the archive itself)
  -p, --program NAME[=TARGET] a program with all it needs, or a directory with all that is in it (repeat)
  -f, --file TARGET=SOURCE    a file or directory as it is (repeat)
      --directory TARGET      an empty directory (repeat)
      --link TARGET=TO        a symbolic link (repeat)
      --module NAME           a kernel module by name, modalias or pattern, with all it needs (repeat)
      --facet NAME[=VALUES]   what no ELF file says: nss, locale, terminfo, tz, ca-certificates, gconv, pam, python,
                              node; such as tz=Europe/Berlin (repeat)
      --modules-from DIR      …/lib/modules/RELEASE, where modules.dep is
      --compression KIND      none, gzip (default; add: as the archive's last part), zstd, lz4; xz, lzma, bzip2,
                              lzo by their programs
      --arch ARCH             x86_64, arm64 or riscv64 (default: this machine's)
      --cache-dir DIR         where the compiled /init is kept

Options of pack:
  -l, --layer [KIND=]SOURCE   a root file system to start from, later over earlier (repeat): tar, oci, initramfs,
                              deb, list or directory; what it is is seen from the file. A container image with
                              several in it: oci=SOURCE#REFERENCE
      --list FILE             a list for the kernel's gen_init_cpio, over the layers (repeat)
      --platform PLATFORM     of container images, such as linux/arm64 (default: what --arch is)
      --init FILE             your own /init instead of the generated one
      --max-layer-bytes N     of the layers' files together, and of any archive unpacked (default: 2 GiB)
      --max-layer-entries N   of the layers together (default: 1000000)
      --restore-capabilities  file capabilities of the layers' programs are set by the generated /init
      --keep-init             the /init of the layers; nothing is added that was not asked for
      --hostname NAME         for the generated /init
      --network MODE          none (default) or dhcp
  What follows "--" is run by the generated /init; its program is added to the image, but with --layer it is
  one of theirs. A container image's own command is run if there is none.

Options of pack, add and closure:
      --sysroot DIR           take programs from this root instead of /

Options of verify:
      --config FILE           the kernel's .config: the compressions that it takes, its version and machine
      --kernel-version V      such as 6.1, default that of the configuration
  -m, --memory SIZE           of the machine that is to boot it, MiB or with K, M, G

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
    tree: async (args, io) => (await import("./internal/cli/tree.ts")).treeCommand(args, io),
    add: async (args, io) => (await import("./internal/cli/add.ts")).addCommand(args, io),
    extract: async (args, io) => (await import("./internal/cli/extract.ts")).extractCommand(args, io),
    diff: async (args, io) => (await import("./internal/cli/diff.ts")).diffCommand(args, io),
    verify: async (args, io) => (await import("./internal/cli/verify.ts")).verifyCommand(args, io),
    why: async (args, io) => (await import("./internal/cli/why.ts")).whyCommand(args, io),
    "gen-init-cpio": async (args, io) =>
      (await import("./internal/cli/gen-init-cpio.ts")).genInitCpioCommand(args, io),
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
