/** What a kernel's build needs of the machine, and whether it is there. */
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { archFacts } from "../arch.ts";
import type { Compiler } from "./compiler.ts";
import { cleanEnv, run } from "./process.ts";

/** A program or a C header. */
export interface Need {
  readonly what: string;
  readonly kind: "program" | "header";
  /** Debian's and Ubuntu's package. */
  readonly package: string;
  /** The oldest version that the kernel takes: Documentation/process/changes.rst of 6.12. */
  readonly least?: string | undefined;
  /** The symbols of which any brings the need; undefined: every kernel has it. */
  readonly symbols?: readonly string[] | undefined;
}

function program(what: string, name = what, least?: string): Need {
  return { what, kind: "program", package: name, least };
}

function some(symbols: string, what: string, name: string): Need {
  const kind = what.endsWith(".h") ? "header" : "program";
  return { what, kind, package: name, symbols: symbols.split(" ") };
}

/** What every compiler needs beside itself. */
export const NEEDS: readonly Need[] = [
  program("make", "make", "4.0"),
  program("flex", "flex", "2.5.35"),
  program("bison", "bison", "2.0"),
  program("bc"),
  program("perl"),
  program("flock", "util-linux"),
  // Programs that run during the build are compiled first.
  { what: "stdio.h", kind: "header", package: "libc6-dev" },
  // What the image is packed with (cmd_xzkern and others in scripts/Makefile.lib).
  some("KERNEL_GZIP", "gzip", "gzip"),
  some("KERNEL_BZIP2", "bzip2", "bzip2"),
  some("KERNEL_LZMA", "lzma", "xz-utils"),
  some("KERNEL_XZ", "xz", "xz-utils"),
  some("KERNEL_LZO", "lzop", "lzop"),
  some("KERNEL_LZ4", "lz4", "lz4"),
  some("KERNEL_ZSTD", "zstd", "zstd"),
  some("MODULES", "depmod", "kmod"),
  some("DEBUG_INFO_BTF", "pahole", "pahole"),
  // tools/objtool reads ELF files by libelf.
  some("OBJTOOL", "gelf.h", "libelf-dev"),
  some("MODULE_SIG", "openssl", "openssl"),
  some("SYSTEM_TRUSTED_KEYRING MODULE_SIG", "openssl/opensslv.h", "libssl-dev"),
];

/** The compiler and its kin: scripts/min-tool-version.sh has the versions. */
export function compilerNeeds({ arch, compiler, prefix }: Compiler): Need[] {
  // Programs that run during the build are made by the same family of compilers, for this machine.
  if (compiler === "clang") {
    const llvm = ["ar", "nm", "objcopy", "objdump", "readelf", "strip"].map((name) =>
      program(`llvm-${name}`, "llvm"),
    );
    return [program("clang", "clang", "13.0.1"), program("ld.lld", "lld", "13.0.1"), ...llvm];
  }
  const native = [program("gcc", "gcc", "5.1"), program("ld", "binutils", "2.25")];
  if (prefix === "") return native;
  const { triple } = archFacts(arch);
  const name = triple.replaceAll("_", "-");
  return [
    ...native,
    program(`${prefix}gcc`, `gcc-${name}`, "5.1"),
    program(`${prefix}ld`, `binutils-${name}`, "2.25"),
  ];
}

/** The needs of a configuration; without one, those of every kernel. */
export function needsOf(compiler: Compiler, isOn: ((symbol: string) => boolean) | undefined): Need[] {
  const some = NEEDS.filter(
    ({ symbols }) => symbols === undefined || (isOn !== undefined && symbols.some((symbol) => isOn(symbol))),
  );
  return [...compilerNeeds(compiler), ...some];
}

/** Those that are not met, in the order given. Without a compiler nothing is said about headers. */
export async function unmetNeeds(
  needs: readonly Need[],
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Need[]> {
  const own = needs.some(({ what }) => what === "clang") ? "clang" : "gcc";
  const cc = await findProgram(own, path);
  const met = await Promise.all(
    needs.map(async ({ what, kind }) => {
      if (kind === "program") return (await findProgram(what, path)) !== undefined;
      return cc === undefined || (await hasHeader(cc, what, signal));
    }),
  );
  return needs.filter((_, index) => met[index] === false);
}

/** The line that installs what is missing. */
export function installLine(needs: readonly Need[]): string {
  return `apt-get install ${[...new Set(needs.map((need) => need.package))].sort().join(" ")}`;
}

/** Where a program is, if anywhere. */
export async function findProgram(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function hasHeader(cc: string, name: string, signal: AbortSignal | undefined): Promise<boolean> {
  const command = { file: cc, args: ["-E", "-x", "c", "-", "-o", "/dev/null"], env: cleanEnv() };
  const stdin = Readable.from([`#include <${name}>\n`]);
  return (await run(command, { signal, stdin })).exitCode === 0;
}
