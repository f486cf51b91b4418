import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Config } from "@justenough/kconfig";
import { KernelError } from "../errors.ts";
import { cleanEnv, run, searchPath } from "./process.ts";

interface Need {
  readonly what: string;
  /** Debian's package. */
  readonly package: string;
}

const PROGRAMS: readonly Need[] = [
  { what: "make", package: "make" },
  { what: "gcc", package: "gcc" },
  { what: "ld", package: "binutils" },
  { what: "flex", package: "flex" },
  { what: "bison", package: "bison" },
  { what: "bc", package: "bc" },
  { what: "perl", package: "perl" },
];

// What the image is packed with (cmd_xzkern and others in scripts/Makefile.lib).
const COMPRESSORS: Readonly<Record<string, Need>> = {
  KERNEL_GZIP: { what: "gzip", package: "gzip" },
  KERNEL_BZIP2: { what: "bzip2", package: "bzip2" },
  KERNEL_LZMA: { what: "lzma", package: "xz-utils" },
  KERNEL_XZ: { what: "xz", package: "xz-utils" },
  KERNEL_LZO: { what: "lzop", package: "lzop" },
  KERNEL_LZ4: { what: "lz4", package: "lz4" },
  KERNEL_ZSTD: { what: "zstd", package: "zstd" },
};

const HEADERS: Readonly<Record<string, Need>> = {
  // tools/objtool reads ELF files by libelf.
  OBJTOOL: { what: "gelf.h", package: "libelf-dev" },
  SYSTEM_TRUSTED_KEYRING: { what: "openssl/opensslv.h", package: "libssl-dev" },
  MODULE_SIG: { what: "openssl/opensslv.h", package: "libssl-dev" },
};

/**
 * Makes sure before a long build that its tools are there.
 *
 * @throws KernelError KERNEL_TOOL_MISSING that names all that is missing and the packages to install.
 */
export async function checkTools(
  config: Pick<Config, "values"> | undefined,
  signal?: AbortSignal,
  path: readonly string[] = searchPath(),
): Promise<void> {
  const on = (symbol: string): boolean => config?.values.get(symbol)?.text === "y";
  const programs = [...PROGRAMS];
  for (const [symbol, need] of Object.entries(COMPRESSORS)) if (on(symbol)) programs.push(need);
  if (on("DEBUG_INFO_BTF")) programs.push({ what: "pahole", package: "pahole" });
  if (on("MODULES")) programs.push({ what: "depmod", package: "kmod" });
  const headers = Object.entries(HEADERS).flatMap(([symbol, need]) => (on(symbol) ? [need] : []));
  const missing: Need[] = [];
  await Promise.all(
    programs.map(async (need) => {
      if ((await findProgram(need.what, path)) === undefined) missing.push(need);
    }),
  );
  if (headers.length > 0 && missing.every((need) => need.what !== "gcc")) {
    await Promise.all(
      headers.map(async (need) => {
        if (!(await hasHeader(need.what, signal))) missing.push(need);
      }),
    );
  }
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((need) => `"${need.what}"`))].sort().join(", ");
  const packages = [...new Set(missing.map((need) => need.package))].sort().join(" ");
  throw new KernelError("KERNEL_TOOL_MISSING", `The kernel's build needs what is not installed: ${names}`, {
    hint: `apt-get install ${packages}`,
  });
}

async function findProgram(name: string, directories: readonly string[]): Promise<string | undefined> {
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

async function hasHeader(name: string, signal: AbortSignal | undefined): Promise<boolean> {
  const command = { file: "gcc", args: ["-E", "-x", "c", "-", "-o", "/dev/null"], env: cleanEnv() };
  const stdin = Readable.from([`#include <${name}>\n`]);
  return (await run(command, { signal, stdin })).exitCode === 0;
}

/**
 * What decides the bytes of a build besides its source and configuration: the tools, by what they say of themselves.
 * Rust's is not among them, since makeCommand() keeps it out of the build; {@link paholeVersion} is apart.
 */
export async function toolchainVersion(signal?: AbortSignal): Promise<string> {
  return (await Promise.all([ask(signal, "gcc", "-v"), ask(signal, "ld", "--version")])).join("\n");
}

/** The version of the tool that makes BTF, which takes part only in kernels that ask for that. */
export function paholeVersion(signal?: AbortSignal): Promise<string> {
  return ask(signal, "pahole", "--version");
}

async function ask(signal: AbortSignal | undefined, file: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await run({ file, args }, { signal });
  return exitCode === 0 ? `${stdout}\n${stderr}`.trim() : `no ${file}`;
}
