import { SpecError } from "../spec/problem.ts";
import type { SpecSource } from "../spec/source.ts";

/** Who asks for the symbols of `kernel.config`, as the kernel package is told it. */
export function configOrigin(source: SpecSource): string {
  return `kernel.config in ${source.file}`;
}

/**
 * The kernel package's error about symbols that did not take effect, with the place of each in the spec where
 * the spec asks for it. Other errors come back as they are.
 */
export function placeRefusals(error: unknown, source: SpecSource, symbols: readonly string[]): unknown {
  if (!(error instanceof Error) || (error as { readonly code?: unknown }).code !== "KERNEL_CONFIG")
    return error;
  const hint = (error as { readonly hint?: string | undefined }).hint;
  const told = error.message.split("\n").flatMap((line) => {
    const match = /"(\w+)" should be (.*?), wanted by (.*)$/.exec(line);
    const [, symbol = "", state = "", rest = ""] = match ?? [];
    const why = rest.startsWith(configOrigin(source)) ? rest.slice(configOrigin(source).length) : undefined;
    if (!symbols.includes(symbol) || why === undefined) return match ? [undefined] : [];
    const path = ["kernel", "config", symbol];
    return [
      {
        path,
        message: `Symbol "${symbol}" should be ${state}${why}`,
        hint,
        location: source.locate(path, "key"),
      },
    ];
  });
  const problems = told.filter((problem) => problem !== undefined);
  // One that a feature asked for has no place in the spec: then the kernel's own words are the better ones.
  return problems.length > 0 && problems.length === told.length
    ? new SpecError(source, problems, error)
    : error;
}
