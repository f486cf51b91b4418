/**
 * Draws devices at random from the modules.alias of Debian's kernels for all machines, and checks the symbols that are
 * proposed for them against those kernels' configurations and GNU make:
 *
 *     node packages/kernel/test/drivers/run-drivers.ts [--count 1000] [--seed 20261127]
 */
import { parseArgs } from "node:util";
import { distroKernel } from "../../src/index.ts";
import { checkDrivers } from "../support/drivers-check.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000" }, seed: { type: "string", default: "20261127" } },
});
let wrong = 0;
for (const [series, wanted] of [
  ["6.12", "linux-image-6.12-amd64"],
  ["6.1", "linux-image-amd64"],
] as const) {
  const kernel = await distroKernel({ package: wanted });
  const checks = await checkDrivers(
    kernel,
    { kind: "debian", series },
    Number(values.count),
    Number(values.seed),
  );
  const bad = checks.filter(({ problem }) => problem !== undefined);
  wrong += bad.length;
  const modules = new Set(checks.map(({ module }) => module)).size;
  console.log(
    `${kernel.release}, seed ${values.seed}: ${checks.length - bad.length} of ${checks.length} right, ${modules} modules`,
  );
  for (const { modalias, module, symbols, problem } of bad) {
    console.log(`    ${module} (${symbols.join(" ")}) for ${modalias}: ${problem}`);
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
