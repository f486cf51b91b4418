import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { QemuError } from "../errors.ts";
import { cacheRoot } from "../internal/cache-root.ts";
import type { Arch } from "../machine.ts";

export interface AgentProgramOptions {
  /** The guest's. Default `x86_64`. */
  readonly arch?: Arch | undefined;
  /** The C compiler. Default: `cc`; for another architecture than this machine's `aarch64-linux-gnu-gcc` and the like. */
  readonly compiler?: string | undefined;
  /** Where it is kept, default `$XDG_CACHE_HOME/justenough`. */
  readonly cacheDir?: string | undefined;
}

/** One level up from dist/ in the published package, two from here in the repository. */
const SOURCES = ["../assets", "../../assets"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** Programs for guests, each in a directory of its own; others use what the agent's has for all. */
const SHARED: Readonly<Record<GuestProgram, readonly string[]>> = {
  agent: [],
  tracer: ["../agent/util.c"],
};

export type GuestProgram = "agent" | "tracer";

// No libc, nothing of this machine in the result: no paths, no build id, no compiler's name.
const FLAGS = [
  "-std=c11",
  "-O2",
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

/** The names that GNU and Node.js have for the architectures. */
const MACHINES: Readonly<
  Record<Arch, { readonly gnu: string; readonly node: string; readonly debian: string }>
> = {
  x86_64: { gnu: "x86_64", node: "x64", debian: "amd64" },
  arm64: { gnu: "aarch64", node: "arm64", debian: "arm64" },
  riscv64: { gnu: "riscv64", node: "riscv64", debian: "riscv64" },
};

/**
 * Compiles a program with the machine's C compiler and returns its path in the cache, where it is kept under the hash of
 * sources and compiler.
 */
export async function compileGuestProgram(
  name: GuestProgram,
  options: AgentProgramOptions = {},
): Promise<string> {
  const arch = options.arch ?? "x86_64";
  const native = MACHINES[arch].node === process.arch;
  const compiler = options.compiler ?? (native ? "cc" : `${MACHINES[arch].gnu}-linux-gnu-gcc`);
  const { directory, files } = await guestSources(name);
  const version = await run(compiler, ["--version"], directory, arch, native);
  const hash = createHash("sha256").update(JSON.stringify([arch, FLAGS, version]));
  for (const file of files) hash.update(`${file}\0${await readFile(join(directory, file), "utf8")}\0`);
  const cache = join(cacheRoot(options.cacheDir), "qemu");
  const path = join(cache, `${name}-${arch}-${hash.digest("hex").slice(0, 32)}`);
  if (await exists(path)) return path;
  await mkdir(cache, { recursive: true });
  const part = `${path}.${randomUUID()}`;
  try {
    const units = files.filter((file) => file.endsWith(".c"));
    // riscv64 has no instruction for some of what the compiler wants to do.
    await run(compiler, [...FLAGS, "-o", part, ...units, "-lgcc"], directory, arch, native);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

/** What a program is compiled from. */
export async function guestSources(name: GuestProgram): Promise<{
  readonly directory: string;
  readonly files: readonly string[];
}> {
  for (const assets of SOURCES) {
    const directory = join(assets, name);
    if (!(await exists(directory))) continue;
    const own = (await readdir(directory, { recursive: true })).sort();
    // Headers too: they are part of what the result depends on.
    const headers = name === "agent" ? [] : await readdir(join(assets, "agent"), { recursive: true });
    const shared = headers.filter((file) => file.endsWith(".h")).map((file) => join("../agent", file));
    return {
      directory,
      files: [...own.filter((file) => /\.[ch]$/.test(file)), ...SHARED[name], ...shared.sort()],
    };
  }
  throw new QemuError("QEMU_FILE_UNREADABLE", `The ${name}'s sources are not in ${SOURCES.join(" or ")}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function run(
  compiler: string,
  args: readonly string[],
  cwd: string,
  arch: Arch,
  native: boolean,
): Promise<string> {
  try {
    return (await promisify(execFile)(compiler, args, { cwd, env: { ...process.env, LC_ALL: "C" } })).stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const { gnu, debian } = MACHINES[arch];
    const packages = native
      ? "gcc linux-libc-dev"
      : `gcc-${gnu.replace("_", "-")}-linux-gnu linux-libc-dev-${debian}-cross`;
    throw new QemuError(
      "QEMU_AGENT_COMPILER",
      code === "ENOENT"
        ? `There is no C compiler "${compiler}" on this machine, which a program for the guest needs`
        : `The compiler cannot make a program for the guest: ${["cd", cwd, "&&", compiler, ...args].join(" ")}\n${stderr?.trim() ?? ""}`,
      { hint: `Install it: apt-get install ${packages} (Debian, Ubuntu)`, cause: error },
    );
  }
}
