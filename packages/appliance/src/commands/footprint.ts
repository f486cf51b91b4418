import type { CliContext } from "../context.ts";
import { footprint as findFootprint } from "../footprint/footprint.ts";
import { renderFootprint } from "../footprint/render.ts";
import { cacheDirOf, displayOf, overridesOf, printJson } from "./common.ts";
import type { CommonFlags, MachineFlags, TracingFlags } from "./flags.ts";

export async function footprint(
  this: CliContext,
  flags: CommonFlags & MachineFlags & TracingFlags,
  where: string,
): Promise<void> {
  const display = displayOf(this, false);
  try {
    const found = await findFootprint(where, {
      cacheDir: cacheDirOf(this, flags),
      signal: this.signal,
      onProgress: display.onProgress,
      overrides: overridesOf(flags),
      accel: flags.accel,
      timeout: flags.timeout ?? 300_000,
      watch: flags.watch ?? 5000,
      static: flags.static,
    });
    display.clear();
    if (flags.json) printJson(this, found);
    else this.process.stdout.write(`${renderFootprint(found)}\n`);
  } finally {
    display.clear();
  }
}
