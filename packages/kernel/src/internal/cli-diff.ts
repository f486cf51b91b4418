import { writeValue } from "@justenough/kconfig";
import type { ConfigChange } from "@justenough/kconfig";
import type { CommandContext } from "../command.ts";
import { diffKernelConfigs } from "../config-diff.ts";
import { operandsOf, printResult } from "./cli-io.ts";

/** `kbuild diff A B`: as diff(1), the status is 1 when there are differences. */
export async function diffCommand(context: CommandContext): Promise<number> {
  const [before = "", after = ""] = operandsOf(context.args, 2, 2, "diff A B");
  const { added, removed, changed } = await diffKernelConfigs(before, after);
  const all = [...removed, ...added, ...changed];
  const plain = (changes: readonly ConfigChange[]): unknown => changes.map(spell);
  printResult(
    context,
    { added: plain(added), removed: plain(removed), changed: plain(changed) },
    all.map((change) => `${line(change)}\n`).join(""),
  );
  return all.length === 0 ? 0 : 1;
}

function spell({ symbol, before, after }: ConfigChange): {
  readonly symbol: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
} {
  return {
    symbol,
    before: before === undefined ? undefined : writeValue(before),
    after: after === undefined ? undefined : writeValue(after),
  };
}

// The signs of scripts/diffconfig in the kernel.
function line(change: ConfigChange): string {
  const { symbol, before, after } = spell(change);
  if (before === undefined) return `+${symbol} ${after ?? ""}`;
  return after === undefined ? `-${symbol} ${before}` : ` ${symbol} ${before} -> ${after}`;
}
