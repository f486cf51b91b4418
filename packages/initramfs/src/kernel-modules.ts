import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { execa } from "execa";

import { InitramfsError } from "./error.ts";
import { nearest } from "./internal/suggest.ts";

export interface ModuleRequest {
  /** The directory that holds modules.dep: `…/lib/modules/RELEASE`. */
  readonly directory: string;
  /** Names as for modprobe(8): `virtio_net`, `virtio-net`; a path or a file name works too. */
  readonly names: readonly string[];
}

export interface KernelModule {
  readonly name: string;
  /** The file in the module directory, such as `kernel/drivers/net/virtio_net.ko.xz`. */
  readonly source: string;
  /** Where it goes below /lib/modules/RELEASE: without the compression's suffix. */
  readonly target: string;
  readonly why: string;
  readonly bytes: Uint8Array;
}

export interface ModuleClosure {
  /** The directory's own name, by which the kernel's release is known. */
  readonly release: string;
  /** In load order: what a module depends on comes before it. */
  readonly modules: readonly KernelModule[];
  /** Names that are built into the kernel, so that nothing needs to be loaded. */
  readonly builtin: readonly string[];
}

const SUFFIX = /\.ko(?:\.(xz|gz|zst))?$/;

/**
 * Finds modules and all that they depend on, by modules.dep, and unpacks them, because /init loads plain files.
 *
 * @throws {InitramfsError} for a name that the kernel does not have
 */
export async function readModules(request: ModuleRequest, signal?: AbortSignal): Promise<ModuleClosure> {
  const index = await readIndex(request.directory);
  const builtin: string[] = [];
  const order = new Map<string, string>();
  // Sorted, so that the same modules give the same image in whatever order they were named.
  for (const name of [...new Set(request.names.map(moduleName))].sort()) {
    if (index.builtin.has(name)) {
      builtin.push(name);
      continue;
    }
    const entry = index.modules.get(name);
    if (entry === undefined) throw unknownModule(request.directory, name, index);
    // The line lists what must be loaded before, the nearest first (depmod(8)): backwards is load order.
    for (const dependency of [...entry.dependencies].reverse()) {
      if (!order.has(dependency)) order.set(dependency, `needed by ${name}`);
    }
    if (!order.has(entry.path)) order.set(entry.path, `kernel module "${name}"`);
  }
  const modules: KernelModule[] = [];
  for (const [source, why] of order) {
    const bytes = await unpackModule(join(request.directory, source), signal);
    modules.push({ name: moduleName(source), source, target: source.replace(SUFFIX, ".ko"), why, bytes });
  }
  return { release: basename(request.directory.replace(/\/+$/, "")), modules, builtin };
}

interface ModuleIndex {
  readonly modules: ReadonlyMap<string, { readonly path: string; readonly dependencies: readonly string[] }>;
  readonly builtin: ReadonlySet<string>;
}

async function readIndex(directory: string): Promise<ModuleIndex> {
  const modules = new Map<string, { path: string; dependencies: string[] }>();
  let text: string;
  try {
    text = await readFile(join(directory, "modules.dep"), "utf8");
  } catch (error) {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no modules.dep in "${directory}"`, {
      cause: error,
      hint: "Give the directory …/lib/modules/RELEASE; if it was just unpacked, run: depmod -b ROOT RELEASE",
    });
  }
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    const dependencies = line
      .slice(colon + 1)
      .split(" ")
      .filter(Boolean);
    for (const file of [path, ...dependencies]) checkInside(directory, file);
    modules.set(moduleName(path), { path, dependencies });
  }
  const builtinText = await readFile(join(directory, "modules.builtin"), "utf8").catch(() => "");
  return { modules, builtin: new Set(builtinText.split("\n").filter(Boolean).map(moduleName)) };
}

/** Paths come from a file that others wrote; they must stay in the directory. */
function checkInside(directory: string, path: string): void {
  if (!path.startsWith("/") && !path.split("/").includes("..")) return;
  throw new InitramfsError(
    "INITRAMFS_FORMAT",
    `The modules.dep of "${directory}" names "${path}", outside of it`,
  );
}

/** The kernel takes "-" and "_" in names for the same, and so does modprobe. */
function moduleName(path: string): string {
  return basename(path).replace(SUFFIX, "").replaceAll("-", "_");
}

function unknownModule(directory: string, name: string, index: ModuleIndex): InitramfsError {
  const guess = nearest(name, [...index.modules.keys(), ...index.builtin]);
  return new InitramfsError(
    "INITRAMFS_MODULE_NOT_FOUND",
    `The kernel in "${directory}" has no module "${name}", neither as a file nor built in`,
    { hint: guess === undefined ? "See its modules.dep for what it has" : `Did you mean "${guess}"?` },
  );
}

async function unpackModule(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const packed = await readFile(path).catch((error: unknown) => {
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the kernel module "${path}"`, { cause: error });
  });
  try {
    switch (SUFFIX.exec(path)?.[1]) {
      case "gz":
        return gunzipSync(packed);
      case "zst":
        return zstdDecompressSync(packed);
      case "xz": {
        // Node has no xz; the tool is everywhere where modules are packed with it.
        const options = { encoding: "buffer", input: packed, stripFinalNewline: false } as const;
        const cancel = signal === undefined ? {} : { cancelSignal: signal };
        return (await execa("xz", ["-dc"], { ...options, ...cancel })).stdout;
      }
      default:
        return packed;
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new InitramfsError(
      missing ? "INITRAMFS_TOOL" : "INITRAMFS_FORMAT",
      missing
        ? `Unpacking "${path}" needs the tool xz, which this machine does not have`
        : `Cannot unpack the kernel module "${path}"`,
      { cause: error, ...(missing ? { hint: "Install it: apt-get install xz-utils" } : {}) },
    );
  }
}
