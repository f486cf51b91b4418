import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { archFacts } from "./arch.ts";
import type { Arch } from "./arch.ts";
import type { BuildRecord } from "./build-record.ts";
import type { KernelContext } from "./context.ts";
import { DEFCONFIG } from "./internal/compile.ts";
import type { Compilation, Compiled } from "./internal/compile.ts";
import { sha256File } from "./internal/download.ts";
import { makeHeaders } from "./internal/headers.ts";
import { makeCommand } from "./internal/make.ts";
import { formatCommand, runOrThrow } from "./internal/process.ts";
import { makeDirectoryAtomic, readJson, writeJson } from "./internal/store.ts";
import type { SourceProvenance } from "./source.ts";

/** Where a kernel came from, for the record. */
export interface KernelProvenance {
  readonly source: SourceProvenance;
  readonly features: readonly string[];
  /** What the compiler and the linker say of themselves; empty for a kernel that was not built here. */
  readonly toolchain: string;
  readonly compiler?: "gcc" | "clang" | undefined;
  /** Modules were installed without their debugging information. */
  readonly strippedModules?: true | undefined;
}

/** A kernel that is ready to boot: plain files in one directory. */
export interface KernelArtifacts {
  readonly directory: string;
  /** What a boot loader starts: a bzImage on x86_64. */
  readonly image: string;
  readonly config: string;
  /** The shortest file that gives the configuration. */
  readonly defconfig?: string | undefined;
  /** As it was linked; with debugging information if the configuration has DEBUG_INFO. */
  readonly vmlinux?: string | undefined;
  readonly systemMap?: string | undefined;
  /** The directory with modules.dep: `…/lib/modules/RELEASE`. */
  readonly modules?: string | undefined;
  /** The directory against which modules are built, of a kernel that takes modules. */
  readonly headers?: string | undefined;
  /** The directory of device tree blobs, where the configuration has boards that need them. */
  readonly dtbs?: string | undefined;
  /** What the build did, for the record: {@link BuildRecord}. */
  readonly record?: string | undefined;
  /** What `uname -r` prints. */
  readonly release: string;
  readonly arch: Arch;
  /** Names all that decided the bytes. */
  readonly id: string;
  /** Of the image. */
  readonly sha256: string;
  readonly fromCache: boolean;
  readonly provenance: KernelProvenance;
}

/** What manifest.json holds: file names relative to its directory, so that a cache can be moved. */
export interface ArtifactManifest {
  readonly image: string;
  readonly config: string;
  readonly defconfig?: string | undefined;
  readonly vmlinux?: string | undefined;
  readonly systemMap?: string | undefined;
  readonly modules?: string | undefined;
  readonly headers?: string | undefined;
  readonly dtbs?: string | undefined;
  readonly record?: string | undefined;
  readonly release: string;
  readonly arch: Arch;
  readonly id: string;
  readonly sha256: string;
  readonly provenance: KernelProvenance;
}

/** Reads the artifacts of a directory, or undefined when there are none. */
export async function readArtifacts(
  directory: string,
  fromCache = false,
): Promise<KernelArtifacts | undefined> {
  const manifest = await readJson<ArtifactManifest>(join(directory, "manifest.json"));
  if (manifest === undefined) return undefined;
  const path = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : join(directory, name);
  const image = join(directory, manifest.image);
  if ((await stat(image).catch(() => undefined))?.isFile() !== true) return undefined;
  return {
    ...manifest,
    directory,
    image,
    config: join(directory, manifest.config),
    defconfig: path(manifest.defconfig),
    vmlinux: path(manifest.vmlinux),
    systemMap: path(manifest.systemMap),
    modules: path(manifest.modules),
    headers: path(manifest.headers),
    dtbs: path(manifest.dtbs),
    record: path(manifest.record),
    fromCache,
  };
}

/** Moves what is worth keeping of a build into its artifact directory. */
export async function storeArtifacts(
  build: Compilation & { readonly compiled: Compiled; readonly directory: string },
  context: KernelContext,
): Promise<void> {
  const { plan, tree, objects, configured, compiled } = build;
  const facts = archFacts(plan.arch);
  const isOn = (symbol: string): boolean => configured.config.values.get(symbol)?.text === "y";
  await rm(build.directory, { recursive: true, force: true });
  await mkdir(join(build.directory, ".."), { recursive: true });
  await makeDirectoryAtomic(build.directory, async (directory) => {
    const release = (await readFile(join(objects, "include/config/kernel.release"), "utf8")).trim();
    const sizes: Record<string, number> = {};
    const keep = async (from: string, to: string): Promise<void> => {
      await copyFile(join(objects, from), join(directory, to));
      await chmod(join(directory, to), 0o644);
      sizes[to] = (await stat(join(directory, to))).size;
    };
    await keep(facts.imagePath, facts.imageTarget);
    await keep("vmlinux", "vmlinux");
    await keep(".config", "config");
    await keep(DEFCONFIG, "defconfig");
    await keep("System.map", "System.map");
    const modular = isOn("MODULES");
    const commands = [compiled.command];
    const install = async (what: string, ...args: string[]): Promise<void> => {
      const command = makeCommand(tree, objects, facts, ["-s", ...plan.makeArgs, ...args]);
      await runOrThrow(command, { what, signal: context.signal });
      commands.push(command);
    };
    if (modular) {
      await install("install the modules", `INSTALL_MOD_PATH=${directory}`, "modules_install");
      // They point into the tree and the build directory, which are not part of the artifact.
      for (const link of ["build", "source"])
        await rm(join(directory, "lib/modules", release, link), { force: true });
      const { config } = configured;
      const headers = join(directory, "headers");
      await mkdir(headers);
      await makeHeaders({ tree, objects, facts, config, directory: headers }, context.signal);
    }
    const boards =
      facts.devicetrees && (await hasDevicetrees(join(objects, "arch", facts.directory, "boot/dts")));
    if (boards) {
      await install(
        "install the device trees",
        `INSTALL_DTBS_PATH=${join(directory, "dtbs")}`,
        "dtbs_install",
      );
    }
    const { provenance } = plan.source;
    const manifest: ArtifactManifest = {
      image: facts.imageTarget,
      config: "config",
      defconfig: "defconfig",
      vmlinux: "vmlinux",
      systemMap: "System.map",
      modules: modular ? `lib/modules/${release}` : undefined,
      headers: modular ? "headers" : undefined,
      dtbs: boards ? "dtbs" : undefined,
      record: "build.json",
      release,
      arch: plan.arch,
      id: plan.id,
      sha256: await sha256File(join(directory, facts.imageTarget)),
      provenance: {
        source: provenance,
        features: plan.features,
        toolchain: plan.toolchain,
        compiler: plan.compiler.compiler,
        strippedModules: plan.stripped || undefined,
      },
    };
    const record: BuildRecord = {
      id: plan.id,
      source: { id: plan.source.id, ...provenance },
      arch: plan.arch,
      features: plan.features,
      configSha256: createHash("sha256").update(configured.text).digest("hex"),
      compiler: plan.compiler.compiler,
      toolchain: plan.toolchain,
      commands: commands.map(formatCommand),
      started: compiled.started.toISOString(),
      wallSeconds: compiled.wallSeconds,
      cpuSeconds: compiled.cpuSeconds,
      objects: compiled.objects,
      sizes,
      warnings: compiled.warnings,
    };
    await writeJson(join(directory, "build.json"), record);
    await writeJson(join(directory, "manifest.json"), manifest);
  });
}

async function hasDevicetrees(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  return entries.some((name) => name.endsWith(".dtb"));
}

/** Copies artifacts to a directory of the user's. */
export async function exportArtifacts(
  artifacts: KernelArtifacts,
  directory: string,
): Promise<KernelArtifacts> {
  await mkdir(directory, { recursive: true });
  // The manifest goes last: with it the copy is complete.
  const beside = join(directory, ".manifest.partial");
  const names = (await readdir(artifacts.directory)).filter((name) => name !== "manifest.json");
  const from = names.map((name) => join(artifacts.directory, name));
  // Thousands of headers are too many for fs.cp().
  const command = { file: "cp", args: ["-a", "--reflink=auto", "--", ...from, directory] };
  await runOrThrow(command, { what: `copy the kernel to "${directory}"` });
  await copyFile(join(artifacts.directory, "manifest.json"), beside);
  await rename(beside, join(directory, "manifest.json"));
  return (await readArtifacts(directory, artifacts.fromCache)) ?? artifacts;
}
