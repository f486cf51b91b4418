import { createHash } from "node:crypto";
import { cp, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readModuleInfo } from "@justenough/elf";
import { parseConfig } from "@justenough/kconfig";
import type { Config } from "@justenough/kconfig";
import { archFacts } from "./arch.ts";
import type { KernelArtifacts } from "./artifacts.ts";
import { collectDiagnostics } from "./build-diagnostic.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { buildError } from "./internal/build-error.ts";
import { compilerArgs, compilerFor } from "./internal/compiler.ts";
import type { Compiler } from "./internal/compiler.ts";
import { withLock } from "./internal/lock.ts";
import { makeCommand } from "./internal/make.ts";
import { isKeyOf, keyArgs, moduleKey } from "./internal/module-key.ts";
import type { ModuleKey } from "./internal/module-key.ts";
import { withObject } from "./internal/object-file.ts";
import { run, runOrThrow } from "./internal/process.ts";
import { makeDirectoryAtomic, makeScratch, markUsed } from "./internal/store.ts";
import { checkTools, toolchainVersion } from "./internal/toolchain.ts";

/** A directory of modules to build for a kernel. */
export interface ModulesOptions extends KernelContext {
  /** A kernel that takes modules, as {@link buildKernel} made it. */
  readonly kernel: KernelArtifacts;
  /** Where the modules' Makefile or Kbuild is; it is only read. */
  readonly directory: string;
}

/** A module that was built. */
export interface ExternalModule {
  readonly name: string;
  /** Relative to {@link ExternalModules.directory}. */
  readonly path: string;
  readonly vermagic: string;
  /** Names of modules that must be there before. */
  readonly depends: readonly string[];
}

/** A kernel's modules with those of a directory beside them. */
export interface ExternalModules {
  /** `…/lib/modules/RELEASE` with a modules.dep of all: the kernel's own and, below `updates/`, these. */
  readonly directory: string;
  readonly modules: readonly ExternalModule[];
  readonly fromCache: boolean;
}

/**
 * Builds a directory of modules (`M=`) against a kernel's artifacts; neither the kernel's source nor its build directory is
 * needed any more. Cached by content.
 *
 * @throws KernelError KERNEL_BUILD when the kernel takes no modules, was built by another compiler, or something does not
 * compile; KERNEL_SOURCE when the directory has no Makefile; KERNEL_TOOL_MISSING, KERNEL_ABORTED.
 * @example
 * ```ts no-run
 * import { buildKernel, buildModules, defaultSource } from "@justenough/kernel";
 * const kernel = await buildKernel({ source: await defaultSource(), features: ["base", "modules"] });
 * const { directory, modules } = await buildModules({ kernel, directory: "hello" });
 * console.log(directory, modules.map(({ name }) => name));
 * ```
 */
export async function buildModules(options: ModulesOptions): Promise<ExternalModules> {
  const { kernel, signal } = options;
  const directory = resolve(options.directory);
  const { headers, modules: own, provenance } = kernel;
  if (headers === undefined || own === undefined) {
    throw new KernelError(
      "KERNEL_BUILD",
      `The kernel in "${kernel.directory}" takes no modules, or has no headers`,
      {
        hint: 'Build one with the feature "modules"',
      },
    );
  }
  const names = await readdir(directory).catch(() => []);
  if (!names.some((name) => name === "Makefile" || name === "Kbuild")) {
    throw new KernelError("KERNEL_SOURCE", `There is no Makefile or Kbuild in "${directory}"`, {
      hint: 'It needs no more than a line like "obj-m := hello.o"',
    });
  }
  const compiler = compilerFor(kernel.arch, provenance.compiler);
  await checkTools(compiler, undefined, signal);
  const toolchain = await toolchainVersion(compiler, signal);
  if (!provenance.toolchain.startsWith(toolchain)) {
    throw new KernelError(
      "KERNEL_BUILD",
      "The kernel was built by another compiler than the one that is here now",
      {
        hint: "Build the kernel again: modules must be compiled as it was",
      },
    );
  }
  const config = parseConfig(await readFile(kernel.config, "utf8"));
  const signing = await signingKey(options, compiler, config);
  const key = JSON.stringify([kernel.id, await contentOf(directory)]);
  const id = createHash("sha256").update(key).digest("hex").slice(0, 32);
  const cache = kernelCacheDir(options);
  const kept = join(cache, "modules", id);
  const result = join(kept, "lib/modules", kernel.release);
  const found = await readModules(result).catch(() => undefined);
  if (found !== undefined) {
    await markUsed(kept);
    return { directory: result, modules: found, fromCache: true };
  }
  await withLock(`${kept}.lock`, { signal }, async () => {
    const scratch = await makeScratch(kept);
    try {
      const filter = (path: string): boolean => isSource(path.slice(directory.length));
      await cp(directory, scratch, { recursive: true, verbatimSymlinks: true, filter });
      const make = (args: readonly string[]): ReturnType<typeof makeCommand> =>
        makeCommand(headers, undefined, archFacts(kernel.arch), [
          ...compilerArgs(compiler),
          ...(signing === undefined ? [] : keyArgs(signing)),
          ...(provenance.strippedModules === true ? ["INSTALL_MOD_STRIP=1"] : []),
          `M=${scratch}`,
          ...args,
        ]);
      await compile(
        options,
        make([`KCFLAGS=-ffile-prefix-map=${scratch}/=`, "--output-sync=target", "modules"]),
        {
          scratch,
          directory,
        },
      );
      await makeDirectoryAtomic(kept, async (beside) => {
        const target = join(beside, "lib/modules", kernel.release);
        await cp(own, target, { recursive: true, verbatimSymlinks: true });
        // The kernel's own modules.dep is made anew.
        const install = [
          `INSTALL_MOD_PATH=${beside}`,
          "INSTALL_MOD_DIR=updates",
          "DEPMOD=true",
          "-s",
          "modules_install",
        ];
        await runOrThrow(make(install), { what: "install the modules", signal });
        const map = kernel.systemMap === undefined ? [] : ["-F", kernel.systemMap];
        const depmod = { file: "depmod", args: ["-b", beside, ...map, kernel.release] };
        await runOrThrow(depmod, { what: "index the modules", signal });
        for (const name of ["build", "source"]) await rm(join(target, name), { force: true });
        if ((await readModules(target)).length === 0) {
          throw new KernelError("KERNEL_BUILD", `The Makefile in "${directory}" builds no module`, {
            hint: 'A line like "obj-m := hello.o" names them',
          });
        }
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return { directory: result, modules: await readModules(result), fromCache: false };
}

// Kbuild would install them without a signature, and the kernel not load them.
async function signingKey(
  { kernel, ...context }: ModulesOptions,
  compiler: Compiler,
  config: Config,
): Promise<ModuleKey | undefined> {
  const key = await moduleKey(config, { compiler }, context);
  if (key === undefined || (await isKeyOf(key, join(kernel.headers ?? "", "certs/signing_key.x509"))))
    return key;
  throw new KernelError("KERNEL_BUILD", `The kernel trusts modules of another key than "${key.path}"`, {
    hint: "Build the modules where the kernel was built, or both with MODULE_SIG_KEY set to a key of your own",
  });
}

async function compile(
  { kernel, signal, onProgress }: ModulesOptions,
  command: ReturnType<typeof makeCommand>,
  place: { readonly scratch: string; readonly directory: string },
): Promise<void> {
  onProgress?.({ phase: "compile", done: 0, unit: "objects", message: place.directory });
  const log = collectDiagnostics(place.scratch);
  let done = 0;
  const { exitCode } = await run(command, {
    signal,
    oneStream: true,
    onLine: (line) => {
      log.take(line);
      if (/^ {2}(CC|AS) /.test(line)) onProgress?.({ phase: "compile", done: ++done, unit: "objects" });
    },
  });
  if (exitCode === 0) return;
  const config = parseConfig(await readFile(kernel.config, "utf8"));
  throw await buildError({
    what: `The build of the modules in "${place.directory}"`,
    command,
    diagnostics: log.found(),
    tail: log.tail,
    noSpace: log.noSpace(),
    tree: place.scratch,
    sourceArch: archFacts(kernel.arch).directory,
    isOn: (symbol) => ["y", "m"].includes(config.values.get(symbol)?.text ?? "n"),
  });
}

// Neither what a build in place has left, which would be taken for fresh, nor what git keeps.
function isSource(path: string): boolean {
  return !/(^|\/)(\.git|\.tmp_versions)(\/|$)|\.(o|ko|mod|mod\.c|cmd)$|\/(Module\.symvers|modules\.order)$/.test(
    path,
  );
}

/** Names and contents of all sources. */
async function contentOf(directory: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => isSource(path.slice(directory.length)))
    .sort();
  for (const path of paths) {
    hash.update(`${path.slice(directory.length)}\0${(await stat(path)).size}\0`);
    hash.update(await readFile(path));
  }
  return hash.digest("hex");
}

/** Those below updates/. */
async function readModules(directory: string): Promise<ExternalModule[]> {
  await stat(join(directory, "modules.dep"));
  const entries = await readdir(join(directory, "updates"), { recursive: true }).catch(() => []);
  const files = entries.filter((name) => name.endsWith(".ko")).sort();
  return Promise.all(
    files.map(async (name) => {
      const path = join("updates", name);
      const info = new Map(
        (withObject(join(directory, path), readModuleInfo) ?? []).map(({ key, value }) => [key, value]),
      );
      return {
        name: info.get("name") ?? basename(name, ".ko"),
        path,
        vermagic: (info.get("vermagic") ?? "").trim(),
        depends: (info.get("depends") ?? "").split(",").filter((word) => word !== ""),
      };
    }),
  );
}
