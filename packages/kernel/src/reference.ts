import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, resolveConfig } from "@justenough/kconfig";
import type { Config } from "@justenough/kconfig";
import type { Arch } from "./arch.ts";
import { cachedTree } from "./configure.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { compilerArgs, compilerFor } from "./internal/compiler.ts";
import { kconfigHost } from "./internal/kconfig-host.ts";
import { withLock } from "./internal/lock.ts";
import { writeFileAtomic } from "./internal/store.ts";
import { checkTools, toolchainVersion } from "./internal/toolchain.ts";
import { resolveSource } from "./source.ts";
import type { KernelSource } from "./source.ts";

/** A configuration to compare with. */
export interface ReferenceOptions extends KernelContext {
  readonly source: KernelSource;
  /** Default: x86_64. */
  readonly arch?: Arch | undefined;
  /** The architecture's default configuration, as `make defconfig` gives it. */
  readonly name?: "defconfig" | undefined;
}

/**
 * The kernel's own default configuration, complete: what a configuration is measured against. Cached.
 *
 * @throws KernelError KERNEL_SOURCE, KERNEL_TOOL_MISSING, KERNEL_TOOL_FAILED.
 */
export async function referenceConfig(options: ReferenceOptions): Promise<Config> {
  const arch = options.arch ?? "x86_64";
  const target = options.name ?? "defconfig";
  const compiler = compilerFor(arch);
  const source = await resolveSource(options.source, options);
  const key = JSON.stringify([source.id, arch, target, await toolchainVersion(compiler, options.signal)]);
  const cache = kernelCacheDir(options);
  const id = createHash("sha256").update(key).digest("hex").slice(0, 32);
  const path = join(cache, "configs", `${target}-${id}.config`);
  const cached = await readFile(path, "utf8").catch(() => undefined);
  if (cached !== undefined) return parseConfig(cached, { file: path });
  await checkTools(compiler, undefined, options.signal);
  const objects = join(cache, "conf", `${source.id}-${arch}`);
  const text = await withLock(`${objects}.lock`, { signal: options.signal }, async () => {
    const tree = await cachedTree(source, options);
    using host = await kconfigHost(tree, objects, { arch, makeArgs: compilerArgs(compiler) }, options);
    return (await resolveConfig({ srctree: tree, base: target, values: [] }, host)).text;
  });
  await writeFileAtomic(path, text);
  return parseConfig(text, { file: path });
}
