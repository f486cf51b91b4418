import { readFile } from "node:fs/promises";
import { formatExplanation, parseConfig, printEntry } from "@justenough/kconfig";
import { explainOption } from "@justenough/kernel";
import type { BuildContext } from "../bundle/context.ts";
import { kernelProgress, wantedKernel } from "../bundle/kernel.ts";
import { ApplianceError } from "../error.ts";
import type { LoadedSpec } from "../spec/load.ts";

/** Why a symbol has its value in an appliance's kernel. */
export interface WhyAnswer {
  readonly value: string;
  /** Who asks for it, or what the minimization found; undefined when it follows from others. */
  readonly reason: string | undefined;
  /** For people. */
  readonly lines: readonly string[];
}

/**
 * Tells why a symbol has its value: by the reason that the spec's defconfig has for it, by who asks for it, and by Kconfig.
 *
 * @throws {ApplianceError} APPLIANCE_USAGE for the distribution's kernel; KconfigError KCONFIG_VALUE for a symbol that the
 * tree does not have.
 */
export async function whySymbol(
  symbol: string,
  { spec, source }: LoadedSpec,
  context: BuildContext,
): Promise<WhyAnswer> {
  const { defconfig, source: from } = spec.kernel;
  if (from.kind === "distro") {
    throw new ApplianceError("APPLIANCE_USAGE", "Nobody here has chosen the distribution's configuration");
  }
  const { cacheDir, signal } = context;
  const wanted = await wantedKernel(spec, from, source, context);
  const { explanation, request } = await explainOption(symbol, {
    ...wanted,
    cacheDir,
    signal,
    onProgress: kernelProgress(context),
  });
  const written =
    defconfig === null ? undefined : reasonIn(await readFile(defconfig, "utf8"), symbol, explanation.value);
  const asked = request === undefined ? undefined : `wanted by ${request.origin}`;
  const reason = written ?? asked;
  const lines = [...(reason === undefined ? [] : [`${symbol}: ${reason}`]), formatExplanation(explanation)];
  return { value: explanation.value, reason, lines };
}

/** The comment right above a symbol's line, where that has the value which is asked about: the spec may want another. */
export function reasonIn(text: string, symbol: string, actual: string): string | undefined {
  const value = parseConfig(text).values.get(symbol);
  if (value?.text !== actual) return undefined;
  const lines = text.split("\n");
  const above = lines[lines.indexOf(printEntry(symbol, value)) - 1];
  return above?.startsWith("# ") === true && !/^# CONFIG_\w+ is not set$/.test(above)
    ? above.slice(2)
    : undefined;
}
