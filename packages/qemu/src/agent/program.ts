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
const SOURCES = ["../assets/agent", "../../assets/agent"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

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
 * Compiles the agent with the machine's C compiler and returns its path in the cache, where it is kept under the hash of
 * sources and compiler.
 */
export async function compileAgent(options: AgentProgramOptions = {}): Promise<string> {
  const arch = options.arch ?? "x86_64";
  const native = MACHINES[arch].node === process.arch;
  const compiler = options.compiler ?? (native ? "cc" : `${MACHINES[arch].gnu}-linux-gnu-gcc`);
  const { directory, files } = await agentSources();
  const version = await run(compiler, ["--version"], directory, arch, native);
  const hash = createHash("sha256").update(JSON.stringify([arch, FLAGS, version]));
  for (const name of files) hash.update(`${name}\0${await readFile(join(directory, name), "utf8")}\0`);
  const cache = join(cacheRoot(options.cacheDir), "qemu");
  const path = join(cache, `agent-${arch}-${hash.digest("hex").slice(0, 32)}`);
  if (await exists(path)) return path;
  await mkdir(cache, { recursive: true });
  const part = `${path}.${randomUUID()}`;
  try {
    const units = files.filter((name) => name.endsWith(".c"));
    // riscv64 has no instruction for some of what the compiler wants to do.
    await run(compiler, [...FLAGS, "-o", part, ...units, "-lgcc"], directory, arch, native);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

/** What it is compiled from. */
export async function agentSources(): Promise<{
  readonly directory: string;
  readonly files: readonly string[];
}> {
  for (const directory of SOURCES) {
    if (!(await exists(directory))) continue;
    const names = await readdir(directory, { recursive: true });
    return { directory, files: names.filter((name) => /\.[ch]$/.test(name)).sort() };
  }
  throw new QemuError("QEMU_FILE_UNREADABLE", `The agent's sources are not in ${SOURCES.join(" or ")}`);
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
        ? `There is no C compiler "${compiler}" on this machine, which the guest's agent needs`
        : `The compiler cannot make the agent: ${["cd", cwd, "&&", compiler, ...args].join(" ")}\n${stderr?.trim() ?? ""}`,
      { hint: `Install it: apt-get install ${packages} (Debian, Ubuntu)`, cause: error },
    );
  }
}
