import type { CliContext } from "../context.ts";
import { describeValues } from "../spec/describe.ts";
import { loadSpec } from "../spec/load.ts";
import { overridesOf, printJson } from "./common.ts";
import type { CommonFlags, SpecFlags } from "./flags.ts";

export async function check(
  this: CliContext,
  flags: CommonFlags & SpecFlags & { readonly resolved: boolean },
  where: string,
): Promise<void> {
  const { spec, values, source } = await loadSpec(where, overridesOf(flags));
  if (flags.json)
    printJson(this, flags.resolved ? { file: source.file, spec, values } : { file: source.file, spec });
  else if (flags.resolved) this.process.stdout.write(`${describeValues(values)}\n`);
  else this.process.stdout.write(`${source.file}: good\n`);
}
