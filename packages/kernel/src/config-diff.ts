import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diffConfigs, embeddedConfig, parseConfig } from "@justenough/kconfig";
import type { Config, ConfigDiff } from "@justenough/kconfig";
import { systemDecompress } from "@justenough/kconfig/node";
import { KernelError } from "./errors.ts";
import { readJson } from "./internal/store.ts";

/**
 * The configuration of a kernel, from whatever there is of it: a `.config`, a kernel image that carries it
 * (CONFIG_IKCONFIG) or has it beside it as `config-RELEASE` or `config`, a directory of artifacts, or a build directory.
 *
 * @throws KernelError KERNEL_CONFIG when there is none; KconfigError for a file that is no configuration.
 * @example
 * ```ts no-run
 * import { readKernelConfig } from "@justenough/kernel";
 * const config = await readKernelConfig("/boot/vmlinuz-6.12.9");
 * console.log(config.values.get("NET")?.text, "according to", config.file);
 * ```
 */
export async function readKernelConfig(path: string): Promise<Config> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new KernelError("KERNEL_CONFIG", `Cannot read "${path}": there is no such file or directory`, {
      cause,
    });
  });
  if (facts.isDirectory()) {
    const manifest = await readJson<{ readonly config?: unknown }>(join(path, "manifest.json"));
    const named = typeof manifest?.config === "string" ? [manifest.config] : [];
    return readFirst(path, [...named, "config", ".config"]);
  }
  const text = embeddedConfig(await readFile(path), { decompress: systemDecompress });
  if (text !== undefined) return parseConfig(text, { file: path });
  const release = /-(.+)$/.exec(basename(path))?.[1];
  return readFirst(dirname(path), release === undefined ? ["config"] : [`config-${release}`, "config"], path);
}

/**
 * What differs between the configurations of two kernels, by meaning: a symbol that is not named and one that is n are
 * the same. See {@link readKernelConfig} for what `before` and `after` may be.
 *
 * @throws as {@link readKernelConfig}.
 * @example
 * ```ts no-run
 * import { diffKernelConfigs } from "@justenough/kernel";
 * const { added, removed, changed } = await diffKernelConfigs("/boot/vmlinuz-6.1.0", "out/kernel");
 * console.log(added.length, removed.length, changed.length);
 * ```
 */
export async function diffKernelConfigs(before: string, after: string): Promise<ConfigDiff> {
  const [a, b] = await Promise.all([readKernelConfig(before), readKernelConfig(after)]);
  return diffConfigs(a, b);
}

async function readFirst(directory: string, names: readonly string[], image?: string): Promise<Config> {
  for (const name of names) {
    const file = join(directory, name);
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return parseConfig(text, { file });
  }
  const looked = names.map((name) => `"${name}"`).join(" or ");
  if (image === undefined) {
    throw new KernelError("KERNEL_CONFIG", `There is no configuration in "${directory}": no ${looked}`);
  }
  throw new KernelError(
    "KERNEL_CONFIG",
    `"${image}" carries no configuration, and there is no ${looked} beside it`,
    { hint: 'Only kernels with CONFIG_IKCONFIG carry theirs; the feature "debug" sets it' },
  );
}
