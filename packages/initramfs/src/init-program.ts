import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { type ExecaError, execa } from "execa";

import { ARCHES, hostArch } from "./arch.ts";
import type { Arch } from "./arch.ts";
import { cacheDirectory, checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { replaceFile } from "./internal/replace-file.ts";

export interface InitProgramOptions extends InitramfsContext {
  readonly arch: Arch;
  /** The C compiler. Default: `cc`; for another architecture than this machine's `aarch64-linux-gnu-gcc` and the like. */
  readonly compiler?: string | undefined;
}

export interface InitProgram {
  /** The compiled program, in the cache. */
  readonly path: string;
  readonly fromCache: boolean;
}

/** One level up from src/ in the repository and from dist/ in the published package. */
const SOURCES = fileURLToPath(new URL("../assets/init", import.meta.url));

// No libc, nothing of this machine in the result: no paths, no build id, no compiler's name.
const FLAGS = [
  "-std=c11",
  "-Os",
  "-Wall",
  "-ffreestanding",
  "-nostdlib",
  "-static",
  "-fno-pic",
  "-no-pie",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-tree-loop-distribute-patterns",
  "-fno-ident",
  "-ffunction-sections",
  "-fdata-sections",
  "-s",
  "-Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,noseparate-code",
] as const;

// What the compiler itself calls for where the machine has no instruction: riscv64 turns no bytes around.
const LIBRARIES = ["-lgcc"] as const;

/**
 * Compiles the generated /init with the machine's C compiler. The same sources and compiler give the same bytes;
 * the result is kept in the cache under the hash of both.
 *
 * @throws {InitramfsError} without a compiler, or if it refuses
 */
export async function compileInit(options: InitProgramOptions): Promise<InitProgram> {
  const { arch } = options;
  const compiler = options.compiler ?? (arch === hostArch() ? "cc" : `${ARCHES[arch].multiarch}-gcc`);
  const sources = await readSources();
  const version = await run(arch, compiler, ["--version"], options.signal);
  const hash = createHash("sha256").update(JSON.stringify([arch, FLAGS, LIBRARIES, version]));
  for (const [name, text] of sources) hash.update(`${name}\0${text}\0`);
  const path = join(cacheDirectory(options), `init-${arch}-${hash.digest("hex").slice(0, 32)}`);
  if (await exists(path)) return { path, fromCache: true };
  options.onProgress?.({ phase: "init", done: 0, unit: "programs", message: "compiling /init" });
  const units = sources.map(([name]) => name).filter((name) => name.endsWith(".c"));
  await replaceFile(path, async (temporary) => {
    await run(arch, compiler, [...FLAGS, "-o", temporary, ...units, ...LIBRARIES], options.signal);
  });
  return { path, fromCache: false };
}

/** The files that the generated /init is compiled from, for whoever keeps images by what went into them. */
export async function initSources(): Promise<string[]> {
  const names = await readdir(SOURCES, { recursive: true });
  return names
    .filter((name) => /\.[ch]$/.test(name))
    .sort()
    .map((name) => join(SOURCES, name));
}

async function readSources(): Promise<[name: string, text: string][]> {
  return Promise.all(
    (await initSources()).map(async (path): Promise<[string, string]> => [
      relative(SOURCES, path),
      await readFile(path, "utf8"),
    ]),
  );
}

async function run(
  arch: Arch,
  compiler: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  checkAborted(signal);
  try {
    const result = await execa(compiler, args, {
      cwd: SOURCES,
      env: { LC_ALL: "C" },
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    return result.stdout;
  } catch (error) {
    checkAborted(signal);
    const { code, stderr } = error as ExecaError;
    if (code === "ENOENT") {
      throw new InitramfsError(
        "INITRAMFS_TOOL",
        `There is no C compiler "${compiler}" on this machine, which the generated /init needs`,
        { cause: error, hint: `Install one: apt-get install ${packagesFor(arch)}` },
      );
    }
    const command = ["cd", SOURCES, "&&", compiler, ...args].join(" ");
    const lines = String(stderr).trim().split("\n").slice(-5).join("\n");
    const headers = /fatal error: (?:linux|asm)\//.test(lines);
    throw new InitramfsError("INITRAMFS_TOOL", `The compiler cannot make /init: ${command}\n${lines}`, {
      cause: error,
      ...(headers
        ? { hint: `Install the kernel's headers for programs: apt-get install ${packagesFor(arch)}` }
        : {}),
    });
  }
}

/** Debian's packages of compiler and headers. */
function packagesFor(arch: Arch): string {
  if (arch === hostArch()) return "gcc linux-libc-dev";
  const names: Readonly<Record<Arch, string>> = { x86_64: "amd64", arm64: "arm64", riscv64: "riscv64" };
  const gcc = `gcc-${ARCHES[arch].multiarch.replaceAll("_", "-")}`;
  return `${gcc} linux-libc-dev-${names[arch]}-cross`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
