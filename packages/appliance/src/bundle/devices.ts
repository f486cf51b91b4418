import { readFile } from "node:fs/promises";
import { driversFor, type KernelSource } from "@justenough/kernel";
import type { ResolvedSpec } from "../spec/resolved.ts";
import type { BuildContext } from "./context.ts";

/** What the devices of a machine ask for. */
export interface DeviceNeeds {
  /** Symbols that build the drivers; what those depend on follows. */
  readonly symbols: readonly string[];
  /** What the drivers may load. */
  readonly firmware: readonly { readonly module: string; readonly file: string }[];
}

/** The drivers for the devices in the file that a spec names under `kernel.devices`, and their firmware. */
export async function deviceNeeds(
  { arch, kernel }: Pick<ResolvedSpec, "arch" | "kernel">,
  source: KernelSource,
  context: Pick<BuildContext, "cacheDir" | "signal">,
): Promise<DeviceNeeds> {
  if (kernel.devices === null) return { symbols: [], firmware: [] };
  const { drivers } = await driversFor(readDevices(await readFile(kernel.devices, "utf8")), {
    arch,
    source,
    cacheDir: context.cacheDir,
    signal: context.signal,
  });
  return {
    symbols: [...new Set(drivers.flatMap(({ symbols }) => symbols))].sort(),
    firmware: drivers.flatMap(({ module, firmware }) => firmware.map((file) => ({ module, file }))),
  };
}

/** Whether a line begins as the kernel's modaliases do, with a bus (`pci:v00008086d…`), or may be a module's name. */
export function isDevice(line: string): boolean {
  return /^(?:[a-z][\w-]*:\S+|\w[\w-]*)$/.test(line);
}

/** A modalias or a module's name a line; comments and empty lines are left out. */
export function readDevices(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== "" && !line.startsWith("#")))];
}
