import { chmod, copyFile, cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "@justenough/kconfig";
import { archFacts } from "./arch.ts";
import type { Arch } from "./arch.ts";
import type { ConfigurationPlan } from "./configure.ts";
import type { KernelContext } from "./context.ts";
import { sha256File } from "./internal/download.ts";
import { makeCommand } from "./internal/make.ts";
import { runOrThrow } from "./internal/process.ts";
import { makeDirectoryAtomic, readJson, writeJson } from "./internal/store.ts";
import type { SourceProvenance } from "./source.ts";

/** Where a kernel came from, for the record. */
export interface KernelProvenance {
  readonly source: SourceProvenance;
  readonly features: readonly string[];
  /** What the compiler and the linker say of themselves; empty for a kernel that was not built here. */
  readonly toolchain: string;
}

/** A kernel that is ready to boot: plain files in one directory. */
export interface KernelArtifacts {
  readonly directory: string;
  /** What a boot loader starts: a bzImage on x86_64. */
  readonly image: string;
  readonly config: string;
  readonly vmlinux?: string | undefined;
  readonly systemMap?: string | undefined;
  /** The directory with modules.dep: `…/lib/modules/RELEASE`. */
  readonly modules?: string | undefined;
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
  readonly systemMap?: string | undefined;
  readonly modules?: string | undefined;
  readonly release: string;
  readonly arch: Arch;
  readonly id: string;
  readonly sha256: string;
  readonly provenance: KernelProvenance;
}

/** Reads the artifacts of a directory, or undefined when there are none. */
export async function readArtifacts(
  directory: string,
  fromCache: boolean,
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
    systemMap: path(manifest.systemMap),
    modules: path(manifest.modules),
    fromCache,
  };
}

/** Moves what is worth keeping of a build into its artifact directory. */
export async function storeArtifacts(
  build: {
    readonly plan: ConfigurationPlan;
    readonly tree: string;
    readonly objects: string;
    readonly config: Config;
    readonly directory: string;
  },
  context: KernelContext,
): Promise<void> {
  const { plan, tree, objects, config } = build;
  const facts = archFacts(plan.arch);
  await rm(build.directory, { recursive: true, force: true });
  await mkdir(join(build.directory, ".."), { recursive: true });
  await makeDirectoryAtomic(build.directory, async (directory) => {
    const release = (await readFile(join(objects, "include/config/kernel.release"), "utf8")).trim();
    const keep = async (from: string, to: string): Promise<void> => {
      await copyFile(join(objects, from), join(directory, to));
      await chmod(join(directory, to), 0o644);
    };
    await keep(facts.imagePath, facts.imageTarget);
    await keep(".config", "config");
    await keep("System.map", "System.map");
    const modular = config.values.get("MODULES")?.text === "y";
    if (modular) {
      const install = ["-s", ...plan.makeArgs, `INSTALL_MOD_PATH=${directory}`, "modules_install"];
      const command = makeCommand(tree, objects, facts, install);
      await runOrThrow(command, { what: "install the modules", signal: context.signal });
      // They point into the tree and the build directory, which are not part of the artifact.
      for (const link of ["build", "source"])
        await rm(join(directory, "lib/modules", release, link), { force: true });
    }
    const manifest: ArtifactManifest = {
      image: facts.imageTarget,
      config: "config",
      systemMap: "System.map",
      modules: modular ? `lib/modules/${release}` : undefined,
      release,
      arch: plan.arch,
      id: plan.id,
      sha256: await sha256File(join(directory, facts.imageTarget)),
      provenance: { source: plan.source.provenance, features: plan.features, toolchain: plan.toolchain },
    };
    await writeJson(join(directory, "manifest.json"), manifest);
  });
}

/** Copies artifacts to a directory of the user's. */
export async function exportArtifacts(
  artifacts: KernelArtifacts,
  directory: string,
): Promise<KernelArtifacts> {
  await mkdir(directory, { recursive: true });
  // The manifest goes last: with it the copy is complete.
  const beside = join(directory, ".manifest.partial");
  await cp(artifacts.directory, directory, {
    recursive: true,
    force: true,
    filter: (source) => source !== join(artifacts.directory, "manifest.json"),
  });
  await copyFile(join(artifacts.directory, "manifest.json"), beside);
  await rename(beside, join(directory, "manifest.json"));
  return (await readArtifacts(directory, artifacts.fromCache)) ?? artifacts;
}
