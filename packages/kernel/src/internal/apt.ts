import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KernelContext } from "../context.ts";
import { kernelCacheDir } from "../context.ts";
import { KernelError } from "../errors.ts";
import { commandError, run } from "./process.ts";
import type { Command } from "./process.ts";

/** A package that apt offers. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly size: number;
  readonly sha256: string | undefined;
  readonly depends: readonly string[];
  /** Options that make apt see this package: those of our own index, or none. */
  readonly aptOptions: readonly string[];
}

// Started by root, apt drops to the user _apt and warns when that one cannot write the target; we are not installing.
const COMMON = ["-q", "-o", "APT::Sandbox::User=root"];
/** Of the package debian-archive-keyring, without which there is no Debian. */
const DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A directory for an index of packages, and the options that make apt use it. */
interface OwnIndex {
  readonly directory: string;
  readonly options: readonly string[];
  /** The sources.list that is to be in the directory, where the system's sources won't do. */
  readonly sources?: string;
}

/** The options of an index of our own: apt needs root only for the system's, which knows this machine's architecture alone. */
function ownIndex(context: KernelContext, foreign?: string, sources?: string): OwnIndex {
  const name = [
    "apt",
    ...(foreign === undefined ? [] : [foreign]),
    ...(sources === undefined ? [] : ["stable"]),
  ];
  const directory = join(kernelCacheDir(context), name.join("-"));
  const options = [
    ...(foreign === undefined ? [] : [`APT::Architecture=${foreign}`, `APT::Architectures=${foreign}`]),
    ...(sources === undefined
      ? []
      : [`Dir::Etc::SourceList=${directory}/sources.list`, "Dir::Etc::SourceParts=/dev/null"]),
    `Dir::State=${directory}/state`,
    "Dir::State::status=/var/lib/dpkg/status",
    `Dir::Cache=${directory}/cache`,
    "APT::Get::List-Cleanup=false",
  ].flatMap((option) => ["-o", option]);
  return { directory, options, ...(sources === undefined ? {} : { sources }) };
}

/**
 * Debian's current release, at the mirror that this machine uses: an architecture may be younger than the release here,
 * as riscv64 is younger than Debian 12. Undefined where apt reads nothing of Debian.
 */
async function stableSources(context: KernelContext): Promise<string | undefined> {
  const format = "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)";
  const args = [...COMMON, "indextargets", "--format", format, "Created-By: Packages"];
  const targets = await run({ file: "apt-get", args }, { signal: context.signal });
  const mirror = /^Debian main [a-z]+ (\S+)$/m.exec(targets.stdout)?.[1];
  return mirror === undefined ? undefined : `deb [signed-by=${DEBIAN_KEYS}] ${mirror} stable main\n`;
}

/**
 * What apt knows of a package: by the system's index, else by one of our own that is fetched when need be.
 * Returns undefined when neither has it, or there is no apt.
 *
 * @param foreign - Debian's name of another architecture than this machine's, for which only an index of our own will do:
 * of the release here, else of Debian's current one.
 */
export async function aptPackage(
  name: string,
  context: KernelContext,
  foreign?: string,
): Promise<AptPackage | undefined> {
  const system = foreign === undefined ? await show(name, [], context) : undefined;
  if (system !== undefined) return system;
  const sources = foreign === undefined ? undefined : await stableSources(context);
  const indexes = [
    ownIndex(context, foreign),
    ...(sources === undefined ? [] : [ownIndex(context, foreign, sources)]),
  ];
  for (const ask of [kept, fresh]) {
    for (const index of indexes) {
      const found = await ask(name, index, context);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function kept(name: string, index: OwnIndex, context: KernelContext): Promise<AptPackage | undefined> {
  return show(name, index.options, context);
}

async function fresh(name: string, index: OwnIndex, context: KernelContext): Promise<AptPackage | undefined> {
  return (await updateIndex(index, context)) ? kept(name, index, context) : undefined;
}

/** Brings an index of our own up to date; false when there is no apt. */
async function updateIndex(index: OwnIndex, context: KernelContext): Promise<boolean> {
  if (context.offline === true) return false;
  await mkdir(join(index.directory, "state/lists/partial"), { recursive: true });
  await mkdir(join(index.directory, "cache/archives/partial"), { recursive: true });
  if (index.sources !== undefined) await writeFile(join(index.directory, "sources.list"), index.sources);
  context.onProgress?.({ phase: "index", done: 0, unit: "steps", message: "apt-get update" });
  const command = { file: "apt-get", args: [...COMMON, ...index.options, "update"] };
  const finished = await run(command, { signal: context.signal });
  if (finished.exitCode === 127) return false;
  if (finished.exitCode !== 0) throw commandError("read the package index", command, finished);
  return true;
}

async function show(
  name: string,
  aptOptions: readonly string[],
  context: KernelContext,
): Promise<AptPackage | undefined> {
  const command = { file: "apt-cache", args: [...COMMON, ...aptOptions, "show", "--no-all-versions", name] };
  const finished = await run(command, { signal: context.signal });
  if (finished.exitCode !== 0) return undefined;
  const field = (key: string): string | undefined =>
    new RegExp(`^${key}: (.*)$`, "m").exec(finished.stdout)?.[1];
  const version = field("Version");
  // A package that is installed from elsewhere is shown without being downloadable.
  if (version === undefined || field("Filename") === undefined) return undefined;
  const depends = (field("Depends") ?? "")
    .split(",")
    .map((entry) => entry.trim().split(/[ (|:]/, 1)[0] ?? "");
  return {
    name,
    version,
    size: Number(field("Size") ?? 0),
    sha256: field("SHA256"),
    depends: depends.filter((entry) => entry !== ""),
    aptOptions,
  };
}

/** The command that downloads a package into the current directory. */
export function aptDownloadCommand(wanted: AptPackage, cwd?: string): Command {
  const args = [...COMMON, ...wanted.aptOptions, "download", `${wanted.name}=${wanted.version}`];
  return { file: "apt-get", args, cwd };
}

/** Downloads a package, checked by apt, and returns the path of its .deb. An earlier download is used again. */
export async function aptDownload(wanted: AptPackage, context: KernelContext): Promise<string> {
  const directory = join(kernelCacheDir(context), "downloads");
  const path = join(directory, `${wanted.name}_${wanted.version.replaceAll(":", "%3a")}.deb`);
  const earlier = await stat(path).catch(() => undefined);
  if (earlier?.isFile() === true) return path;
  if (context.offline === true) {
    throw new KernelError("KERNEL_DOWNLOAD", `The package "${wanted.name}" is not in the cache`, {
      hint: "Run it once without the offline option",
    });
  }
  await mkdir(directory, { recursive: true });
  const beside = await mkdtemp(join(directory, ".apt-"));
  // apt writes straight to the current directory and shows no progress without a terminal: the file's size is it.
  const report = async (): Promise<void> => {
    const [file] = await readdir(beside).catch(() => []);
    const size =
      file === undefined ? 0 : ((await stat(join(beside, file)).catch(() => undefined))?.size ?? 0);
    const done = Math.min(size, wanted.size);
    context.onProgress?.({
      phase: "download",
      done,
      total: wanted.size,
      unit: "bytes",
      message: wanted.name,
    });
  };
  const timer = setInterval(() => void report(), 500);
  try {
    const command = aptDownloadCommand(wanted, beside);
    const finished = await run(command, { signal: context.signal });
    if (finished.exitCode !== 0) {
      if (wanted.aptOptions.length === 0 && (await updateIndex(ownIndex(context), context))) {
        // The system's index is older than the archive, which has dropped that version since.
        const fresh = await show(wanted.name, ownIndex(context).options, context);
        if (fresh !== undefined && fresh.version !== wanted.version) return await aptDownload(fresh, context);
      }
      throw commandError(`download the package "${wanted.name}"`, command, finished);
    }
    await report();
    const file = (await readdir(beside)).find((name) => name.endsWith(".deb"));
    if (file === undefined) {
      throw new KernelError("KERNEL_DOWNLOAD", `apt-get left no package "${wanted.name}"`);
    }
    await rename(join(beside, file), path);
    return path;
  } finally {
    clearInterval(timer);
    await rm(beside, { recursive: true, force: true });
  }
}
