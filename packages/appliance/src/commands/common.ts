import { resolve } from "node:path";
import { buildBundle, type BuiltBundle } from "../bundle/build.ts";
import type { CliContext } from "../context.ts";
import { defaultCacheDir } from "../internal/paths.ts";
import { progressDisplay, type ProgressDisplay } from "../progress.ts";
import { loadSpec, type LoadedSpec } from "../spec/load.ts";
import type { SpecOverrides } from "../spec/resolve.ts";
import type { BuildingFlags, CommonFlags, MachineFlags, SpecFlags } from "./flags.ts";

/** The cache directory of a command: its flag, else the user's. */
export function cacheDirOf(context: CliContext, flags: CommonFlags): string {
  return flags.cacheDir === undefined ? defaultCacheDir(context.process.env) : resolve(flags.cacheDir);
}

/** What the flags change in a spec. */
export function overridesOf(
  flags: SpecFlags & Partial<MachineFlags> & { readonly film?: string },
): SpecOverrides {
  // Pictures need a console on the screen. A PC has it by default; a spec of another mind gives way.
  const screen = flags.film === undefined ? undefined : "--film";
  return { screen, kernel: flags.kernel, memory: flags.memory, cpus: flags.cpus, forward: flags.forward };
}

/** A display on stderr, or none. */
export function displayOf(context: CliContext, quiet: boolean): ProgressDisplay {
  return quiet
    ? { onProgress: () => undefined, clear: () => undefined }
    : progressDisplay(context.process.stderr);
}

/** Loads a spec and builds its bundle, with progress on stderr. */
export async function buildFor(
  context: CliContext,
  where: string,
  flags: CommonFlags &
    SpecFlags &
    Partial<BuildingFlags> &
    Partial<MachineFlags> & { readonly quiet?: boolean; readonly film?: string },
): Promise<{ readonly loaded: LoadedSpec; readonly bundle: BuiltBundle; readonly cacheDir: string }> {
  const cacheDir = cacheDirOf(context, flags);
  const loaded = await loadSpec(where, overridesOf(flags));
  const display = displayOf(context, flags.quiet === true);
  try {
    const bundle = await buildBundle(loaded, {
      cacheDir,
      signal: context.signal,
      onProgress: display.onProgress,
      jobs: flags.jobs,
      update: flags.update,
    });
    return { loaded, bundle, cacheDir };
  } finally {
    display.clear();
  }
}

/** Prints a result to stdout, as JSON. */
export function printJson(context: CliContext, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
