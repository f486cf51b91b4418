/**
 * Each defconfig of x86 and arm64 made as short as can be, as a command:
 *
 *   node packages/kconfig/test/solve/run-minimize.ts [6.1] [6.12] [--arch arm64]
 *
 * The tree's own conf makes `.config` of the defconfig, and again of the lines; both have to be the same, byte for byte. Its
 * savedefconfig is what the number of lines is compared with.
 */
import { parseArgs } from "node:util";
import { architectures } from "../reference/architectures.ts";
import { buildConf } from "../reference/c-conf.ts";
import { loadKernelTree } from "../reference/loaded-tree.ts";
import type { KernelSeries } from "../reference/kernel-tree.ts";
import { minimizeCase } from "./minimize-case.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { arch: { type: "string", multiple: true } },
});
const series = (positionals.length === 0 ? ["6.12"] : positionals) as KernelSeries[];
const archs = (values.arch ?? ["x86_64", "i386", "arm64"]) as ("x86_64" | "i386" | "arm64")[];
let wrong = 0;
for (const one of series) {
  for (const arch of archs) {
    const loaded = await loadKernelTree(one, arch);
    const judge = { loaded, conf: buildConf(loaded.directory) };
    const found = architectures(loaded.directory).find((other) => other.arch === arch);
    for (const defconfig of found?.defconfigs ?? []) {
      const { lines, saved, faults, milliseconds } = minimizeCase(judge, defconfig);
      const told = faults.length === 0 ? "the same .config" : faults.join("; ");
      if (faults.length > 0) wrong++;
      console.log(
        `${one} ${arch} ${defconfig}: ${lines} lines, savedefconfig ${saved}: ${told} (${milliseconds.toFixed(0)} ms)`,
      );
    }
  }
}
console.log(wrong === 0 ? "all the same" : `${wrong} wrong`);
process.exitCode = wrong > 0 ? 1 : 0;
