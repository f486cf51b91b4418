import { basename, join } from "node:path";
import { buildInitramfs, InitramfsError, initSources } from "@justenough/initramfs";
import { ApplianceError } from "../error.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import { findInPath } from "../spec/verify.ts";
import { compileProgram } from "./compile.ts";
import type { BuildContext } from "./context.ts";
import type { DeviceNeeds } from "./devices.ts";
import type { PresetWishes } from "./presets.ts";

/** What the built initramfs tells, and the files of this machine that it was made from. */
export interface MadeInitramfs {
  readonly image: Awaited<ReturnType<typeof buildInitramfs>>;
  readonly inputs: readonly string[];
}

/** Compiles what is to be compiled and builds the initramfs into `directory`. */
export async function makeInitramfs(
  spec: ResolvedSpec,
  directory: string,
  {
    modules,
    settings,
  }: { readonly modules?: string | undefined; readonly settings: PresetWishes["settings"] },
  context: BuildContext,
): Promise<MadeInitramfs> {
  const { cacheDir, signal, onProgress } = context;
  const inputs = new Set<string>();
  const cameFrom = new Map<string, string>();
  const programs: { source: string; target?: string | undefined }[] = [];
  for (const [index, program] of spec.programs.entries()) {
    if (program.kind === "compile") {
      onProgress?.({
        phase: "initramfs: compiling",
        done: index,
        unit: "programs",
        message: basename(program.source),
      });
      const compiled = await compileProgram({
        source: program.source,
        flags: program.flags,
        arch: spec.arch,
        directory,
        signal,
      });
      for (const input of compiled.inputs) inputs.add(input);
      programs.push({ source: compiled.path, target: program.target });
      cameFrom.set(program.target, compiled.path);
    } else {
      const { target } = program;
      const source = program.source.includes("/")
        ? program.source
        : ((await findInPath(program.source)) ?? program.source);
      inputs.add(source);
      if (target !== undefined) cameFrom.set(target, source);
      programs.push({ source, target });
    }
  }
  for (const { source } of spec.files) if (source !== undefined) inputs.add(source);
  const image = await buildInitramfs({
    programs,
    firmware: await builtInFirmware(spec, context),
    facets: spec.facets,
    files: spec.files,
    directories: spec.directories.map((target) => ({ target })),
    links: spec.links,
    nodes: spec.nodes,
    ...(modules === undefined ? {} : { modules: { directory: modules, names: spec.kernel.modules } }),
    init:
      spec.init === null
        ? { kind: "generated", ...initRecords(spec), settings }
        : { kind: "file", source: spec.init },
    compression: spec.compression,
    output: join(directory, "initramfs"),
    arch: spec.arch,
    cacheDir,
    signal,
    onProgress: ({ phase, message, ...event }) =>
      // Where a program lay for the moment is of no interest.
      onProgress?.({
        ...event,
        phase: `initramfs: ${phase}`,
        message: message?.replace(`${directory}/`, ""),
      }),
  }).catch((error: unknown) => {
    throw foreignProgram(error, spec);
  });
  for (const path of spec.init === null ? await initSources() : [spec.init]) inputs.add(path);
  // Libraries lie in the image where they lie here. Where the loader looks for them is decided by its cache.
  for (const { path, type } of image.entries) {
    if ((type === "file" || type === "link") && !cameFrom.has(path)) inputs.add(path);
  }
  inputs.add("/etc/ld.so.cache");
  return { image, inputs: [...inputs].toSorted() };
}

// Drivers that are built in load it before any program runs.
async function builtInFirmware(spec: ResolvedSpec, context: BuildContext): Promise<DeviceNeeds["firmware"]> {
  const { devices, source } = spec.kernel;
  if (devices === null || source.kind === "distro") return [];
  const [{ deviceNeeds }, { kernelSource }] = await Promise.all([
    import("./devices.ts"),
    import("./kernel.ts"),
  ]);
  return (await deviceNeeds(spec, await kernelSource(source, context), context)).firmware;
}

/** This machine's programs are of no use to another architecture: says where such ones come from. */
function foreignProgram(error: unknown, { arch }: ResolvedSpec): unknown {
  if (!(error instanceof InitramfsError) || error.code !== "INITRAMFS_WRONG_ARCHITECTURE") return error;
  return new ApplianceError("APPLIANCE_BUILD_FAILED", error.message, {
    hint: `Have it compiled ({ compile: FILE.c }), or give the path of a static one for ${arch} ({ source: ./PROGRAM, target: /bin/PROGRAM }). An initramfs of Debian packages or of a container image is made by: initramfs pack --arch ${arch} --layer FILE`,
    cause: error,
  });
}

/** What the generated /init is told for good; what a single run adds comes in its job segment. */
function initRecords(spec: ResolvedSpec): {
  readonly hostname: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly network: "none" | "dhcp" | "static";
  readonly address?: string | undefined;
  readonly gateway?: string | undefined;
  readonly dns?: readonly string[] | undefined;
} {
  const { network } = spec;
  const fixed =
    network.kind === "static"
      ? {
          address: network.address,
          gateway: network.gateway,
          dns: network.dns === undefined ? undefined : [network.dns],
        }
      : {};
  return {
    hostname: spec.name,
    args: spec.run.argv,
    env: spec.run.env,
    cwd: spec.run.cwd,
    network: network.kind,
    ...fixed,
  };
}
