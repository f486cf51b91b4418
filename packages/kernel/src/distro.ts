import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { archFacts, hostArch } from "./arch.ts";
import type { Arch } from "./arch.ts";
import { readArtifacts } from "./artifacts.ts";
import type { ArtifactManifest, KernelArtifacts } from "./artifacts.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { aptDownload, aptPackage } from "./internal/apt.ts";
import type { AptPackage } from "./internal/apt.ts";
import { sha256File } from "./internal/download.ts";
import { withLock } from "./internal/lock.ts";
import { runOrThrow } from "./internal/process.ts";
import { makeDirectoryAtomic, markUsed, readJson, writeJson } from "./internal/store.ts";
import { unpackPackage } from "./internal/unpack.ts";

/** Which kernel of the distribution. */
export interface DistroKernelOptions extends KernelContext {
  /** Default: x86_64. */
  readonly arch?: Arch | undefined;
  /** A kernel package or one that depends on the current one. Default: Debian's for virtual machines, where it has one. */
  readonly package?: string | undefined;
  /** Asks apt again instead of taking the version that was found first. */
  readonly refresh?: boolean | undefined;
}

/**
 * The distribution's own kernel, downloaded by apt and unpacked without being installed: no root, nothing built.
 * Its drivers are modules. Once it is cached apt is not asked any more.
 *
 * @throws KernelError KERNEL_SOURCE when apt does not offer the package, KERNEL_TOOL_FAILED, KERNEL_TOOL_MISSING.
 */
export async function distroKernel(options: DistroKernelOptions = {}): Promise<KernelArtifacts> {
  const arch = options.arch ?? "x86_64";
  const wanted = options.package ?? archFacts(arch).debianKernel;
  const cache = join(kernelCacheDir(options), "distro");
  const pointer = join(cache, `${wanted}.json`);
  const known = options.refresh === true ? undefined : await readJson<{ readonly id: string }>(pointer);
  const cached = known === undefined ? undefined : await readArtifacts(join(cache, known.id), true);
  if (cached !== undefined) {
    await markUsed(cached.directory);
    return cached;
  }
  const found = await findDistroKernel(options);
  const id = `${found.name}_${found.version.replaceAll(/[^\w.+~-]/g, "-")}`;
  const directory = join(cache, id);
  const onWait = (pid: number): void =>
    options.onProgress?.({
      phase: "wait",
      done: 0,
      unit: "steps",
      message: `Process ${pid} is fetching the same kernel`,
    });
  return withLock(`${directory}.lock`, { signal: options.signal, onWait }, async () => {
    const meanwhile = await readArtifacts(directory, true);
    if (meanwhile === undefined) {
      const deb = await aptDownload(found, options);
      await rm(directory, { recursive: true, force: true });
      await makeDirectoryAtomic(directory, (beside) =>
        unpackKernel(deb, beside, { id, arch, found }, options),
      );
      await rm(deb, { force: true });
    }
    await writeJson(pointer, { id });
    const artifacts = await readArtifacts(directory, meanwhile !== undefined);
    if (artifacts === undefined)
      throw new KernelError("KERNEL_SOURCE", `"${directory}" vanished while it was made`);
    return artifacts;
  });
}

/** The package that `distroKernel` downloads. */
export function findDistroKernel(options: DistroKernelOptions): Promise<AptPackage> {
  const { arch = "x86_64" } = options;
  const foreign = arch === hostArch() ? undefined : archFacts(arch).debian;
  return realPackage(options.package ?? archFacts(arch).debianKernel, options, foreign);
}

/** The package that holds the kernel: linux-image-cloud-amd64 is empty and depends on the current version's. */
async function realPackage(name: string, context: KernelContext, foreign?: string): Promise<AptPackage> {
  const found = await aptPackage(name, context, foreign);
  if (found === undefined) {
    throw new KernelError("KERNEL_SOURCE", `apt offers no package "${name}" here`, {
      hint: "Is this Debian? Elsewhere, build a kernel from source",
    });
  }
  const next = found.depends.find((entry) => /^linux-image-\d/.test(entry));
  return next === undefined ? found : realPackage(next, context, foreign);
}

async function unpackKernel(
  deb: string,
  directory: string,
  kernel: { readonly id: string; readonly arch: Arch; readonly found: AptPackage },
  context: KernelContext,
): Promise<void> {
  await unpackPackage(deb, directory, context);
  const names = await readdir(join(directory, "boot")).catch(() => []);
  // Debian's name for riscv64's Image, which is not compressed, is vmlinux.
  const [image, release] =
    names.map((name) => /^vmlinu[xz]-(.+)$/.exec(name)).find((name) => name !== null) ?? [];
  if (image === undefined || release === undefined) {
    throw new KernelError("KERNEL_SOURCE", `The package "${kernel.found.name}" holds no kernel in boot`);
  }
  // Debian moved the modules under /usr in trixie; depmod -b looks in lib/modules.
  const merged = join(directory, "usr/lib/modules");
  if ((await readdir(merged).catch(() => [])).length > 0) {
    await mkdir(join(directory, "lib"), { recursive: true });
    await rename(merged, join(directory, "lib/modules"));
  }
  await rm(join(directory, "usr"), { recursive: true, force: true });
  const modules = join("lib/modules", release);
  for (const link of ["build", "source"]) await rm(join(directory, modules, link), { force: true });
  context.onProgress?.({ phase: "install", done: 0, unit: "steps", message: "depmod" });
  const depmod = { file: "depmod", args: ["-b", directory, release] };
  await runOrThrow(depmod, { what: "index the modules", signal: context.signal });
  const manifest: ArtifactManifest = {
    image: join("boot", image),
    config: join("boot", `config-${release}`),
    systemMap: join("boot", `System.map-${release}`),
    modules,
    release,
    arch: kernel.arch,
    id: kernel.id,
    sha256: await sha256File(join(directory, "boot", image)),
    provenance: {
      source: {
        kind: "debian",
        origin: `${kernel.found.name} ${kernel.found.version}`,
        sha256: kernel.found.sha256,
      },
      features: [],
      toolchain: "",
    },
  };
  await readFile(join(directory, manifest.config));
  await writeJson(join(directory, "manifest.json"), manifest);
}
