import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { checkAborted } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { type FirmwareFile, moduleFirmware, readFirmware } from "./internal/firmware.ts";
import { hostView } from "./internal/host-view.ts";
import { MODULE_SUFFIX, moduleName, readModuleIndex } from "./internal/module-index.ts";
import { orderModules, selectModules } from "./internal/module-order.ts";
import { unpackWhole } from "./internal/unpack-whole.ts";

export interface ModuleRequest {
  /** The directory that holds modules.dep: `…/lib/modules/RELEASE`. */
  readonly directory: string;
  /**
   * Which modules: names as for modprobe(8) (`virtio_net`, `virtio-net`), paths or file names, a device's modalias
   * (`pci:v00008086d000015B8sv…`, for every module that could drive it), or patterns of names or of paths
   * (`nf_*`, `kernel/drivers/net/*`).
   */
  readonly names: readonly string[];
  /** The root directory whose `/lib/firmware` has the files that the modules load, default `/`. */
  readonly sysroot?: string | undefined;
}

export interface KernelModule {
  readonly name: string;
  /** The file in the module directory, such as `kernel/drivers/net/virtio_net.ko.xz`. */
  readonly source: string;
  /** Where it goes below /lib/modules/RELEASE: without the compression's suffix. */
  readonly target: string;
  readonly why: string;
  readonly bytes: Uint8Array;
  /** Whether to load it at boot; false for what others may ask for later (modules.weakdep). */
  readonly load: boolean;
}

export interface ModuleClosure {
  /** The directory's own name, by which the kernel's release is known. */
  readonly release: string;
  /** In load order: what a module depends on comes before it. */
  readonly modules: readonly KernelModule[];
  /** Names that are built into the kernel, so that nothing needs to be loaded. */
  readonly builtin: readonly string[];
  /** Files that these modules, and the built-in ones that were named, load at run time; as far as they are there. */
  readonly firmware: readonly FirmwareFile[];
}

/**
 * Finds modules, all that they depend on (modules.dep, modules.softdep, modules.weakdep), and the firmware that
 * they name. Both come unpacked: /init loads plain modules, and every kernel takes plain firmware.
 *
 * @throws {InitramfsError} for a name or a pattern that the kernel has nothing for
 *
 * @example
 * ```ts no-run
 * import { readModules } from "@justenough/initramfs";
 * const { modules } = await readModules({ directory: "/lib/modules/6.12.0", names: ["virtio_net"] });
 * console.log(modules.map(({ name }) => name)); // [ 'failover', 'net_failover', 'virtio_net' ]
 * ```
 */
export async function readModules(request: ModuleRequest, signal?: AbortSignal): Promise<ModuleClosure> {
  const { directory } = request;
  const release = basename(directory.replace(/\/+$/, ""));
  const index = await readModuleIndex(directory);
  const { wanted, builtin } = selectModules(index, request.names, directory);
  const modules: KernelModule[] = [];
  for (const { source, why, load } of orderModules(index, wanted)) {
    checkAborted(signal);
    const bytes = await readModule(join(directory, source));
    const target = source.replace(MODULE_SUFFIX, ".ko");
    modules.push({ name: moduleName(source), source, target, why, bytes, load });
  }
  const needs = modules.flatMap(({ name, bytes }) => moduleFirmware(name, bytes));
  for (const name of builtin) {
    for (const file of index.builtinFirmware.get(name) ?? []) needs.push({ module: name, file });
  }
  const firmware = readFirmware(hostView(request.sysroot), release, needs);
  return { release, modules, builtin, firmware };
}

async function readModule(path: string): Promise<Uint8Array> {
  const packed = await readFile(path).catch((error: unknown) => {
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the kernel module "${path}"`, { cause: error });
  });
  return unpackWhole(packed, MODULE_SUFFIX.exec(path)?.[1], `the kernel module "${path}"`);
}
