import { mkdir, symlink } from "node:fs/promises";
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { ConfigurationPlan } from "../configure.ts";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { checkDistcc, DISTCC_ENV, distccHosts } from "./distcc.ts";
import { checkIcecream, ICECREAM_JOBS } from "./icecream.ts";
import { findProgram } from "./needs.ts";
import { run, searchPath } from "./process.ts";
import { checkRemoteCache } from "./remote-cache.ts";
import { markUsed } from "./store.ts";

/** Who helps to compile. None of it changes the bytes. */
export interface CompileHelpers {
  /** Keep what was compiled by ccache, where that is installed. Default: true. */
  readonly ccache?: boolean | undefined;
  /** Where ccaches of several machines meet: `redis://HOST[:PORT]` or `http://HOST[:PORT]/PATH`. */
  readonly remoteCache?: string | undefined;
  /** Machines with distccd, as `HOST[:PORT][/JOBS]`, beside this one. */
  readonly distcc?: readonly string[] | undefined;
  /** Compile on the machines of this machine's icecream scheduler. */
  readonly icecream?: boolean | undefined;
}

type Toolchain = Pick<ConfigurationPlan, "compiler" | "toolchain">;

/** What the helpers make of a call of make. */
export interface CompileHelp {
  readonly env: Readonly<Record<string, string>>;
  /** How many compilers keep all of them busy. */
  readonly jobs: number;
}

/**
 * Prepares the helpers and makes sure that they answer. They stand before the compiler in PATH under its name, so that
 * neither Kbuild nor Kconfig sees another command, and a kept build directory serves with and without them.
 *
 * @throws KernelError KERNEL_TOOL_MISSING, KERNEL_FARM for one that does not answer or has another compiler.
 */
export async function compileHelp(
  plan: Toolchain,
  options: CompileHelpers & KernelContext,
): Promise<CompileHelp> {
  const { signal } = options;
  const cache = kernelCacheDir(options);
  const ccache = options.ccache === false ? undefined : await findProgram("ccache", searchPath());
  const farm = await farmOf(plan, cache, options);
  if (options.remoteCache !== undefined) {
    if (ccache === undefined) throw missing("ccache", "A remote cache");
    await checkRemoteCache(options.remoteCache, signal);
  }
  const front = ccache ?? farm?.program;
  const jobs = farm?.jobs ?? availableParallelism();
  if (front === undefined) return { env: {}, jobs };
  const { compiler, prefix } = plan.compiler;
  const wrappers = join(cache, "wrappers", createHash("sha256").update(front).digest("hex").slice(0, 8));
  await mkdir(wrappers, { recursive: true });
  const names = compiler === "clang" ? ["clang"] : ["gcc", `${prefix}gcc`];
  for (const name of new Set(names)) await link(front, join(wrappers, name));
  const env: Record<string, string> = { PATH: [wrappers, ...searchPath()].join(":"), ...farm?.env };
  if (ccache !== undefined) {
    const store = join(cache, "ccache", "objects");
    await mkdir(store, { recursive: true });
    await markUsed(store);
    Object.assign(env, ccacheEnv(plan, cache, store));
    if (options.remoteCache !== undefined) {
      Object.assign(env, await remoteEnv(ccache, options.remoteCache, signal));
    }
    if (farm !== undefined) env["CCACHE_PREFIX"] = farm.program;
  }
  return { env, jobs };
}

// What machines share must not depend on where things are: ccache takes paths below the cache relative to the build
// directory, and knows the compiler by what it says of itself.
function ccacheEnv(plan: Toolchain, cache: string, store: string): Record<string, string> {
  return {
    CCACHE_DIR: store,
    CCACHE_CONFIGPATH: "/dev/null",
    CCACHE_BASEDIR: cache,
    CCACHE_NOHASHDIR: "1",
    CCACHE_COMPILERCHECK: `string:${createHash("sha256").update(plan.toolchain).digest("hex")}`,
    CCACHE_MAXSIZE: "5G",
  };
}

async function remoteEnv(
  ccache: string,
  url: string,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const { stdout } = await run({ file: ccache, args: ["--version"] }, { signal });
  const [, major = 0, minor = 0] = (/version (\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
  // Its name since 4.7.
  const name = major > 4 || minor >= 7 ? "CCACHE_REMOTE_STORAGE" : "CCACHE_SECONDARY_STORAGE";
  return { [name]: url };
}

interface Farm {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: number;
}

async function farmOf(
  plan: Toolchain,
  cache: string,
  { distcc = [], icecream = false, signal }: CompileHelpers & KernelContext,
): Promise<Farm | undefined> {
  if (icecream && distcc.length > 0) {
    throw new KernelError("KERNEL_FARM", "Either distcc or icecream spreads the compilers, not both");
  }
  const name = icecream ? "icecc" : "distcc";
  if (!icecream && distcc.length === 0) return undefined;
  const program = await findProgram(name, searchPath());
  if (program === undefined) throw missing(name, icecream ? "icecream" : "distcc");
  const compiler = plan.compiler.compiler === "clang" ? "clang" : `${plan.compiler.prefix}gcc`;
  if (icecream) {
    await checkIcecream(program, compiler, signal);
    return { program, env: {}, jobs: ICECREAM_JOBS };
  }
  const directory = join(cache, "distcc");
  await mkdir(directory, { recursive: true });
  const { hosts, jobs } = distccHosts(distcc);
  await checkDistcc({ program, compiler, hosts: distcc, signal });
  return { program, env: { ...DISTCC_ENV, DISTCC_HOSTS: hosts, DISTCC_DIR: directory }, jobs };
}

function missing(name: string, what: string): KernelError {
  return new KernelError("KERNEL_TOOL_MISSING", `${what} needs "${name}", which is not installed`, {
    hint: `apt-get install ${name}`,
  });
}

async function link(to: string, path: string): Promise<void> {
  await symlink(to, path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
