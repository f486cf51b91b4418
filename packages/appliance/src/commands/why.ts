import { dirname } from "node:path";
import type { CliContext } from "../context.ts";
import { whySymbol } from "../minimize/why.ts";
import { loadSpec } from "../spec/load.ts";
import { cacheDirOf, displayOf, overridesOf, printJson } from "./common.ts";
import type { CommonFlags, SpecFlags } from "./flags.ts";

export async function why(
  this: CliContext,
  flags: CommonFlags & SpecFlags,
  symbol: string,
  where: string,
): Promise<void> {
  const loaded = await loadSpec(where, overridesOf(flags));
  const display = displayOf(this, false);
  const name = symbol.replace(/^CONFIG_/, "");
  const context = { cacheDir: cacheDirOf(this, flags), signal: this.signal, onProgress: display.onProgress };
  const answer = await whySymbol(name, loaded, context).finally(display.clear);
  if (flags.json) printJson(this, { symbol: name, ...answer, directory: dirname(loaded.source.file) });
  else this.process.stdout.write(`${answer.lines.join("\n")}\n`);
}
