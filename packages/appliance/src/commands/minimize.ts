import { basename, dirname, join, relative, resolve } from "node:path";
import { printReasoned } from "@justenough/kconfig";
import type { CliContext } from "../context.ts";
import { humanSize } from "../internal/human-size.ts";
import { replaceFile } from "../internal/replace-file.ts";
import { minimizeAppliance, type Minimized } from "../minimize/minimize.ts";
import type { TestEvent } from "../minimize/search.ts";
import { loadSpec } from "../spec/load.ts";
import { cacheDirOf, displayOf, overridesOf, printJson } from "./common.ts";
import type { BuildingFlags, CommonFlags, MachineFlags, MinimizingFlags, SpecFlags } from "./flags.ts";

type Flags = CommonFlags & SpecFlags & BuildingFlags & Pick<MachineFlags, "accel"> & MinimizingFlags;

export async function minimize(this: CliContext, flags: Flags, where: string): Promise<void> {
  const cacheDir = cacheDirOf(this, flags);
  const loaded = await loadSpec(where, { ...overridesOf(flags), defconfig: false });
  const display = displayOf(this, false);
  const found = await minimizeAppliance(loaded, {
    cacheDir,
    signal: this.signal,
    jobs: flags.jobs,
    update: flags.update,
    accel: flags.accel,
    budget: flags.budget ?? 90 * 60_000,
    tests: flags.tests,
    onProgress: display.onProgress,
    onTest: (event) => {
      display.clear();
      this.process.stderr.write(`${describeTest(event)}\n`);
    },
  }).finally(display.clear);
  const file = resolve(flags.output ?? join(dirname(loaded.source.file), "minimal.defconfig"));
  await replaceFile(file, `${headerOf(found, basename(loaded.source.file))}${printReasoned(found.entries)}`);
  if (flags.json) {
    const { state, ...rest } = found;
    printJson(this, { ...rest, removed: state.removed, needed: state.needed, file });
    return;
  }
  const { start, end, untried, curve, seconds } = found;
  const lines = [
    `options    ${start.options} -> ${end.options}`,
    `kernel     ${humanSize(start.bytes)} -> ${humanSize(end.bytes)}`,
    `tests      ${curve.length} in ${Math.round(seconds / 60)} min`,
    untried.length === 0
      ? "minimal    without any one more option it fails, or has no fewer"
      : `not tried  ${untried.join(", ")}: run it again to go on`,
    `written    ${file}`,
  ];
  // As it is written: what was loaded is the spec without it.
  const used = loaded.source.locate(["kernel", "defconfig"], "key") !== undefined;
  const named = relative(dirname(loaded.source.file), file);
  if (!used) lines.push(`to use it  kernel: { defconfig: ${named} } in the spec`);
  this.process.stdout.write(`${lines.join("\n")}\n`);
}

function describeTest({ number, off, goes, options, bytes, ok, why, seconds, left }: TestEvent): string {
  const names = off.length <= 4 ? off.join(", ") : `${off.slice(0, 3).join(", ")} and ${off.length - 3} more`;
  const more = goes.length - off.length;
  const size = bytes === undefined ? "" : `, ${humanSize(bytes)}`;
  const verdict = ok ? "passed" : `failed: ${why ?? ""}`;
  const rest = `${seconds.toFixed(0)} s, ${Math.max(0, Math.round(left / 60_000))} min left`;
  return `test ${number}: ${options} options${size} (${rest}) without ${names}${more > 0 ? ` and ${more} that need them` : ""}: ${verdict}`;
}

function headerOf({ start, end, release, arch, curve, untried }: Minimized, spec: string): string {
  const lines = [
    `# Made by 'appliance minimize' for ${spec}: Linux ${release}, ${arch}.`,
    `# ${end.options} options instead of ${start.options}, an image of ${end.bytes} bytes instead of ${start.bytes}, after ${curve.length} tests.`,
    untried.length === 0
      ? "# Without any one more option it fails, or has no fewer."
      : `# Not tried, since the budget ended first: ${untried.join(", ")}.`,
    "# Above each line stands why it is there; 'appliance why SYMBOL' tells it too.",
  ];
  return `${lines.join("\n")}\n\n`;
}
