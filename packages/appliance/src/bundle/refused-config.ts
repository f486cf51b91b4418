import type { Refusal } from "@justenough/kconfig";
import { SpecError } from "../spec/problem.ts";
import type { SpecPath, SpecSource } from "../spec/source.ts";

/** Under which of its keys a spec asks for a symbol. */
type AskedIn = "config" | "devices";

/** Who asks for a symbol of `kernel.config`, or for one that a driver of `kernel.devices` needs, as the kernel package is told it. */
export function originIn(source: SpecSource, key: AskedIn): string {
  return `kernel.${key} in ${source.file}`;
}

/** The key under which a spec asks for what has this origin; undefined for what others ask for. */
export function askedIn(source: SpecSource, origin: string): AskedIn | undefined {
  return (["config", "devices"] as const).find((key) => origin === originIn(source, key));
}

/** The place in a spec that asks for a symbol. */
export function placeOf(key: AskedIn, symbol: string): SpecPath {
  return key === "config" ? ["kernel", "config", symbol] : ["kernel", "devices"];
}

/**
 * The kernel package's error about symbols that did not take effect, with the place of each in the spec where all were
 * asked for there. Other errors come back as they are: what a feature asked for has no place in the spec.
 *
 * @param describe kconfig's `formatRefusal`, loaded by then.
 */
export function placeRefusals(
  error: unknown,
  source: SpecSource,
  describe: (refusal: Refusal) => string,
): unknown {
  const { refusals = [], hint } = error as {
    readonly refusals?: readonly Refusal[];
    readonly hint?: string | undefined;
  };
  const problems = refusals.flatMap((refusal) => {
    const key = askedIn(source, refusal.origin);
    if (key === undefined) return [];
    const path = placeOf(key, refusal.symbol);
    const message = describe({ ...refusal, origin: `kernel.${key}` });
    return [{ path, message, hint, location: source.locate(path, "key") }];
  });
  if (problems.length === 0 || problems.length < refusals.length) return error;
  return new SpecError(source, problems, error);
}
