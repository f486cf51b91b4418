/**
 * Predicts what a kernel is smaller by without an option, builds it without, and compares:
 *
 *     node packages/kernel/test/kbuild/run-saving.ts [--cache-dir DIR] [SYMBOL…]
 *
 * Builds go on in one build directory, and compile only what an option touches. The real figure is what the linker kept
 * of all objects: sections themselves grow by whole megabytes of alignment.
 */
import { stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  buildKernel,
  defaultFeatures,
  defaultSource,
  diffKernelConfigs,
  kernelSize,
  savedBytes,
} from "../../src/index.ts";
import type { KernelArtifacts, KernelSize } from "../../src/index.ts";

const { values, positionals } = parseArgs({
  options: { "cache-dir": { type: "string" } },
  allowPositionals: true,
});
const cacheDir = values["cache-dir"];
const symbols = positionals.length > 0 ? positionals : ["E1000E", "PACKET", "USB_UAS", "BLK_DEV_NVME"];
const source = await defaultSource({ cacheDir });

interface Built {
  readonly kernel: KernelArtifacts;
  readonly size: KernelSize;
  readonly image: number;
}

async function build(config: Readonly<Record<string, string>>): Promise<Built> {
  const more = ["e1000e", "virtio-net", "nvme", "ahci", "usb-storage"];
  const features = [...defaultFeatures(), ...more];
  const kernel = await buildKernel({ source, cacheDir, features, config, jobs: 2 });
  const size = await kernelSize(kernel.directory, { cacheDir });
  return { kernel, size, image: (await stat(kernel.image)).size };
}

const bytes = ({ objects }: KernelSize): number => objects.reduce((sum, { kept = 0 }) => sum + kept, 0);

const base = await build({});
console.log(
  `with all: ${bytes(base.size)} bytes of ${base.size.objects.length} objects, image ${base.image}`,
);
for (const symbol of symbols) {
  const without = await build({ [symbol]: "n" });
  const real = bytes(base.size) - bytes(without.size);
  const diff = await diffKernelConfigs(base.kernel.config, without.kernel.config);
  const others = diff.removed.map((one) => one.symbol).filter((one) => one !== symbol);
  const share = (predicted: number): string => `${predicted} (${((100 * predicted) / real).toFixed(1)} %)`;
  const alone = share(savedBytes(base.size, [symbol]));
  const together =
    others.length === 0
      ? ""
      : `, with ${others.join(" ")} ${share(savedBytes(base.size, [symbol, ...others]))}`;
  console.log(`${symbol}: real ${real}, predicted ${alone}${together}; image ${base.image - without.image}`);
}
