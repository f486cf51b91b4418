import { readFile } from "node:fs/promises";
import { ARCHES } from "../arch.ts";
import type { CommandContext } from "../command.ts";
import { distroKernel } from "../distro.ts";
import { driversFor } from "../drivers.ts";
import type { Driver, Drivers } from "../drivers.ts";
import { KernelError } from "../errors.ts";
import { machineDevices } from "../machine-devices.ts";
import { sourceOf } from "./cli-configuration.ts";
import { oneOf, operandsOf, printResult } from "./cli-io.ts";

/** `kbuild drivers`. */
export async function driversCommand(context: CommandContext): Promise<number> {
  const { args, signal, progress } = context;
  operandsOf(args, 0, 0, "drivers");
  const common = {
    cacheDir: args.text("cache-dir"),
    offline: args.flag("offline"),
    signal,
    onProgress: progress.show,
  };
  const arch = oneOf(args, "arch", ARCHES);
  const wanted = args.text("package");
  const devices = await devicesOf(context);
  const found = await driversFor(devices, {
    ...common,
    arch,
    source: await sourceOf(args, common),
    kernel: wanted === undefined ? undefined : await distroKernel({ ...common, arch, package: wanted }),
  });
  printResult(context, found, () => fragment(found));
  return 0;
}

/** `kbuild probe`. */
export async function probeCommand(context: CommandContext): Promise<number> {
  operandsOf(context.args, 0, 0, "probe");
  const found = await machineDevices();
  printResult(context, found, `${found.join("\n")}\n`);
  return 0;
}

async function devicesOf({ args }: CommandContext): Promise<readonly string[]> {
  const [given, file] = [args.list("modalias"), args.text("from")];
  if (file === undefined) return given.length > 0 ? given : machineDevices();
  const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8").catch((cause: unknown) => {
    throw new KernelError("KERNEL_USAGE", `Cannot read the list of devices in "${file}"`, { cause });
  });
  const lines = text.split("\n").map((line) => line.trim());
  return [...given, ...lines.filter((line) => line !== "" && !line.startsWith("#"))];
}

// Long lists of devices and files are for --json.
const FEW = 4;

function fragment({ drivers, unknown, unresolved, release }: Drivers): string {
  const lines = [`# drivers, by the modules of ${release}`];
  const around = new Set<string>();
  for (const driver of drivers) {
    lines.push("", ...described(driver), ...driver.symbols.map((symbol) => `CONFIG_${symbol}=y`));
    for (const symbol of driver.around) around.add(symbol);
  }
  for (const { symbols } of drivers) for (const symbol of symbols) around.delete(symbol);
  if (around.size > 0) {
    lines.push(
      "",
      "# the directories that they are in",
      ...[...around].sort().map((symbol) => `CONFIG_${symbol}=y`),
    );
  }
  for (const { module, why } of unresolved) lines.push("", `# ${module}: no symbol is known: ${why}`);
  if (unknown.length > 0)
    lines.push("", "# no module:", ...unknown.map((modalias) => `#   ${shortened(modalias)}`));
  return `${lines.join("\n")}\n`;
}

function described({ module, devices, alternatives, firmware }: Driver): string[] {
  return [
    `# ${module}`,
    ...few(devices.map(shortened)).map((text) => `#   ${text}`),
    ...few(firmware).map((text) => `#   firmware ${text}`),
    ...(alternatives.length === 0 ? [] : [`#   or by ${alternatives.join(", ")}`]),
  ];
}

function few(words: readonly string[]): readonly string[] {
  return words.length <= FEW ? words : [...words.slice(0, FEW - 1), `… ${words.length - FEW + 1} more`];
}

// A processor's modalias names hundreds of features.
function shortened(modalias: string): string {
  return modalias.length <= 100 ? modalias : `${modalias.slice(0, 99)}…`;
}
