import { checkSpec } from "./check.ts";
import { resolveSpec, type SpecOverrides } from "./resolve.ts";
import type { Resolution } from "./resolved.ts";
import { findSpec, parseSpecText, readSpec, type SpecSource } from "./source.ts";
import { verifySpec } from "./verify.ts";

/** A spec that has been read, checked and resolved. */
export interface LoadedSpec extends Resolution {
  readonly source: SpecSource;
}

/**
 * Reads, checks, resolves and verifies the spec in a file or directory.
 *
 * @throws {SpecError} with every problem and its place.
 */
export async function loadSpec(where: string, overrides: SpecOverrides = {}): Promise<LoadedSpec> {
  const source = await readSpec(await findSpec(where));
  const resolution = resolveSpec(checkSpec(source), source, overrides);
  await verifySpec(resolution, source);
  return { ...resolution, source };
}

/**
 * Checks and resolves a spec given as YAML text or as an object, without looking at this machine.
 *
 * @example
 * ```ts
 * import { parseSpec } from "@justenough/appliance";
 * const { spec } = parseSpec("name: hello\nrun: echo Hello\n");
 * console.log(spec.run.argv); // [ "echo", "Hello" ]
 * ```
 */
export function parseSpec(
  text: unknown,
  options: { readonly file?: string | undefined; readonly overrides?: SpecOverrides | undefined } = {},
): LoadedSpec {
  const file = options.file ?? "appliance.yaml";
  const source =
    typeof text === "string"
      ? parseSpecText(text, file)
      : { ...parseSpecText("", file), value: text, locate: () => undefined };
  return { ...resolveSpec(checkSpec(source), source, options.overrides), source };
}
