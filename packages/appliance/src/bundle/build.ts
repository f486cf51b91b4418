import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, sha256, sha256File } from "../internal/canonical.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import { findInPath } from "../spec/verify.ts";
import { readBundle, type Bundle, type BundleManifest } from "./bundle.ts";
import { kernelCommandLine } from "./cmdline.ts";
import type { BuildContext } from "./context.ts";
import { buildKey, bundleDirectory, findBundle, lookAt, rememberBundle, type InputFile } from "./inputs.ts";
import { presetWishes } from "./presets.ts";
import { placeRefusals } from "./refused-config.ts";

// Counts up when the same inputs are to give another bundle, because this package does something differently.
const recipe = 3;

/** A bundle and whether it had to be made. */
export interface BuiltBundle extends Bundle {
  readonly fromCache: boolean;
}

/**
 * Builds the bundle of a spec, or finds the one that was built before from the same spec and the same files.
 *
 * @throws ApplianceError, and the errors of the kernel and initramfs packages as they are.
 */
export async function buildBundle(loaded: LoadedSpec, context: BuildContext): Promise<BuiltBundle> {
  const { spec, source } = loaded;
  const { cacheDir, signal } = context;
  signal?.throwIfAborted();
  const wishes = await presetWishes(spec);
  const key = buildKey({ ...(await keyParts(spec)), wishes });
  // A source tree of the user's own changes under our feet: only make can tell whether anything is to be done.
  const trusted = context.update !== true && spec.kernel.source.kind !== "directory";
  const before = trusted ? await findBundle(cacheDir, key) : undefined;
  if (before) return { ...before, fromCache: true };

  const bundles = join(cacheDir, "appliance", "bundles");
  await mkdir(bundles, { recursive: true });
  const beside = await mkdtemp(join(bundles, ".building-"));
  try {
    // Heavy, and not needed when the cache answers.
    const [{ makeInitramfs }, { obtainKernel }, { defconfigCount }, { formatRefusal }] = await Promise.all([
      import("./initramfs.ts"),
      import("./kernel.ts"),
      import("./reference.ts"),
      import("@justenough/kconfig"),
    ]);
    // The initramfs first, since what is wrong there shows in a second; modules only exist after the kernel.
    const { settings } = wishes;
    const needsModules = spec.kernel.modules.length > 0;
    const early = needsModules ? undefined : await makeInitramfs(spec, beside, { settings }, context);
    const kernel = await obtainKernel(spec, source, context).catch((error: unknown) => {
      throw placeRefusals(error, source, formatRefusal);
    });
    signal?.throwIfAborted();
    const { image, inputs } =
      early ?? (await makeInitramfs(spec, beside, { settings, modules: kernel.modules }, context));
    signal?.throwIfAborted();
    await copyFile(kernel.image, join(beside, "kernel"));
    await copyFile(kernel.config, join(beside, "config"));

    const cmdline = kernelCommandLine(spec, wishes.boot);
    const [kernelHash, configHash] = await Promise.all([
      sha256File(join(beside, "kernel")),
      sha256File(join(beside, "config")),
    ]);
    const manifest: BundleManifest = {
      format: 1,
      id: sha256(canonicalJson({ kernel: kernelHash, initramfs: image.sha256, cmdline })).slice(0, 32),
      name: spec.name,
      arch: spec.arch,
      cmdline,
      kernel: {
        file: "kernel",
        sha256: kernelHash,
        size: (await stat(join(beside, "kernel"))).size,
        release: kernel.release,
        source: spec.kernel.source.kind,
        provenance: kernel.provenance,
      },
      initramfs: {
        file: "initramfs",
        sha256: image.sha256,
        size: image.size,
        unpackedSize: image.unpackedSize,
        compression: spec.compression,
        entries: image.entries.map(({ path, size, mode, why }) => ({ path, size, mode, why })),
      },
      config: { file: "config", sha256: configHash, defconfig: await defconfigCount(spec, context) },
    };
    await writeFile(join(beside, "cmdline"), `${cmdline}\n`);
    await writeFile(join(beside, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await keepOnly(beside, ["kernel", "initramfs", "config", "cmdline", "manifest.json"]);
    const bundle = await install(beside, bundleDirectory(cacheDir, manifest.id));
    const seen: InputFile[] = [];
    const { defconfig, devices } = spec.kernel;
    for (const path of [...inputs, defconfig, devices]) if (path !== null) seen.push(await lookAt(path));
    await rememberBundle(cacheDir, key, bundle.id, seen);
    return { ...bundle, fromCache: false };
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** All that decides a bundle and is known beforehand; the content of files is compared separately. */
async function keyParts(spec: ResolvedSpec): Promise<object> {
  // What only matters for a run is left out, so that --memory or another port build nothing.
  const { memory: _memory, cpus: _cpus, forward: _forward, report: _report, test: _test, ...built } = spec;
  const programs = await Promise.all(
    spec.programs.map(async (program) =>
      program.kind === "copy" && !program.source.includes("/")
        ? await findInPath(program.source)
        : program.source,
    ),
  );
  // Contradicting features show here already; what they say in symbols is part of the key.
  let requests = "";
  if (spec.kernel.source.kind !== "distro") {
    const [{ composeFeatures }, { printRequests }] = await Promise.all([
      import("@justenough/kernel"),
      import("@justenough/kconfig"),
    ]);
    const { features, presets } = spec.kernel;
    requests = printRequests(composeFeatures(features, { arch: spec.arch, presets }).requests);
  }
  return { recipe, built, programs, requests, cc: process.env["CC"] ?? "cc" };
}

async function keepOnly(directory: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!names.includes(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Renames into place. Another process may have been faster with the very same content: then its work is taken. */
async function install(beside: string, directory: string): Promise<Bundle> {
  try {
    await rename(beside, directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    const existing = await readBundle(directory);
    if (!existing) {
      // What lies there is damaged: it makes room.
      await rm(directory, { recursive: true, force: true });
      await rename(beside, directory);
    }
  }
  const bundle = await readBundle(directory);
  if (!bundle) throw new Error(`the bundle "${directory}" vanished while it was made`);
  return bundle;
}
