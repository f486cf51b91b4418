import type { CommandContext } from "../command.ts";

/** A command with a help of its own; its code is loaded when it runs, so that help is instant. */
export interface Verb {
  readonly help: string;
  /** Returns the exit status. */
  readonly run: (context: CommandContext) => Promise<number>;
}

export const VERBS: Readonly<Record<string, Verb>> = {
  diff: {
    help: `kbuild diff A B: what differs between the configurations of two kernels

A and B are each a .config, a kernel image that carries its configuration or has it beside it, a directory of
artifacts, or a build directory. A symbol that is not named and one that is n are the same.

  +SYMBOL VALUE   only in B
  -SYMBOL VALUE   only in A
   SYMBOL A -> B  in both

  --json          {"added", "removed", "changed"}, each a list of {"symbol", "before", "after"}

Exit status: 0 when they are the same, 1 when they differ or on an error, 2 for wrong usage.
`,
    run: async (context) => (await import("./cli-diff.ts")).diffCommand(context),
  },
  size: {
    help: `kbuild size PATH: what a kernel's bytes are spent on

PATH is a directory of artifacts, a kernel's build directory, or the vmlinux in one. Bytes are those of the object
files that were linked: text with read-only data, data, and bss, as binutils' size counts them.

  --depth N       levels of directories (default: 2)
  --top N         how many options and objects to list (default: 15)
  --json          everything: directories, options, objects

An object is counted for the option whose line in a Makefile brought it in, below the options of the directories and
composite objects around it. "A or B": each of them brings it in. What the linker kept is read from a map of the last
link, which is repeated for it; options, alignment and the linker's own tables are then all of the sections' bytes. What
an option adds inside objects of others (#ifdef) is counted for those.
`,
    run: async (context) => (await import("./cli-size.ts")).sizeCommand(context),
  },
  matrix: {
    help: `kbuild matrix FILE: build many kernels, and say what became of each

FILE is YAML or JSON: every source with every architecture, compiler and configuration.

  sources:                                  as for --source; relative paths start at FILE
    - debian:6.12
    - { source: debian:6.12, patches: [fix.patch], name: fixed }
  arch: [x86_64, arm64]                     default: x86_64
  compiler: [gcc, clang]                    default: gcc
  configs:
    small: {}                               the default features
    server: { features: [virtio-net], set: { HZ_100: y }, base: allnoconfig, default-features: true }
    fast: { presets: [mitigations=off, thp=always] }
  exclude:
    - { arch: arm64, compiler: clang }      each cell for which all of it holds

  --only TEXT         the cells whose names hold TEXT, in which * is any text: "6.12*arm64"
  --dry-run           only list the cells
  -o, --output PATH   copy each kernel to PATH/CELL
  --jobs, --offline, --distcc and the like: as for "build"
  --json              as data

A cell that fails does not stop the others. What is built stays in the cache: after Ctrl-C, which still prints the
results that there are, run it again and it goes on. Cells that share a build directory are built in the order in which
the least has to be compiled.
Exit status: 0 when all cells were built, 1 when one was not.
`,
    run: async (context) => (await import("./cli-matrix.ts")).matrixCommand(context),
  },
  modules: {
    help: `kbuild modules KERNEL DIRECTORY: build modules from outside the kernel's tree

KERNEL is a directory of artifacts with the feature "modules", as "kbuild build -o" writes it. DIRECTORY has a Makefile or
Kbuild with lines such as "obj-m := hello.o"; it is only read. The result is a directory of modules, the kernel's own and
these, that depmod has indexed: "initramfs pack --modules-from" and modprobe take it.

  -o, --output PATH   copy it to PATH/lib/modules/RELEASE
  --json              as data: name, vermagic and depends of each module
`,
    run: async (context) => (await import("./cli-modules.ts")).modulesCommand(context),
  },
  drivers: {
    help: `kbuild drivers: the symbols that build the drivers of a machine's devices

Devices are those of this machine, or of another one by a list that it makes. Prints a configuration's fragment with a
comment for each driver: which devices need it, the firmware that it may load.

  --modalias TEXT     a device, as in its file "modalias" (repeatable)
  --from FILE         a file with a modalias or a module's name a line; "-" is standard input. "kbuild probe" makes it
  --package NAME      the distribution's kernel whose modules tell what drives a device
  --source SOURCE     the tree that the symbols are of
  --arch NAME         x86_64 (default), arm64 or riscv64
  --json              as data

What the kernel of the distribution has no module for is listed at the end: bridges and the like need none, and of
drivers that it has built in most do not tell for what they are.
Exit status: 0, also when a device has no driver.
`,
    run: async (context) => (await import("./cli-drivers.ts")).driversCommand(context),
  },
  probe: {
    help: `kbuild probe: this machine's devices and the modules that drive them, for "kbuild drivers --from FILE" elsewhere

A modalias or a module's name a line. Where there is no Node, a shell lists at least the devices:

  find /sys/devices -name modalias -exec sh -c 'cat "$1"; echo' _ {} \\; | sort -u | grep .

  --json          as a list
`,
    run: async (context) => (await import("./cli-drivers.ts")).probeCommand(context),
  },
  cache: {
    help: `kbuild cache ls|gc: what the cache holds, and how to make it smaller

  kbuild cache ls     sources, build directories, artifacts and the rest, with sizes and the days of their last use
  kbuild cache gc     removes what is left over from interrupted runs, and by the limits:

  --max-size SIZE     the least recently used go until the rest fits: 500M, 10G
  --older-than AGE    what was not used for that long goes: 12h, 30d
  --dry-run           only tell what would go
  --json              as data

What a running process holds is never removed. Everything else may be: it is made again when it is wanted.
`,
    run: async (context) => (await import("./cli-cache.ts")).cacheCommand(context),
  },
  doctor: {
    help: `kbuild doctor: whether a kernel can be built on this machine

Looks for the tools and headers that a build needs, with the Debian and Ubuntu package of each that is missing, and for
what only some kernels need; for disk space; for ccache, clang and cross compilers.

  --json          as data

Exit status: 0 when a build would start, 1 when something that every build needs is missing.
`,
    run: async (context) => (await import("./cli-doctor.ts")).doctorCommand(context),
  },
};
