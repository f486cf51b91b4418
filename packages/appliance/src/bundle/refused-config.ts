import type { Refusal } from "@justenough/kconfig";
import { SpecError } from "../spec/problem.ts";
import type { SpecSource } from "../spec/source.ts";

/** Who asks for the symbols of `kernel.config`, as the kernel package is told it. */
export function configOrigin(source: SpecSource): string {
  return `kernel.config in ${source.file}`;
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
  if (refusals.length === 0 || refusals.some(({ origin }) => origin !== configOrigin(source))) return error;
  const problems = refusals.map((refusal) => {
    const path = ["kernel", "config", refusal.symbol];
    return {
      path,
      message: describe({ ...refusal, origin: "kernel.config" }),
      hint,
      location: source.locate(path, "key"),
    };
  });
  return new SpecError(source, problems, error);
}
