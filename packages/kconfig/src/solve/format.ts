/** What cannot be met, as lines for a terminal. */
import { formatLocation } from "../errors.ts";
import type { ConfigRequest } from "../fragment.ts";
import { writeValue } from "../value.ts";
import type { Unsolvable } from "./solve.ts";

/**
 * Requirements that exclude each other, who has them, and why they do.
 *
 * @example
 * ```ts
 * import { formatUnsolvable } from "@justenough/kconfig";
 * const request = { symbol: "TCP", value: { kind: "tristate", text: "y" }, origin: "me", conditions: new Map() } as const;
 * const reasons = [{ text: "TCP needs NET", location: { file: "Kconfig", line: 4, column: 1 } }];
 * console.log(formatUnsolvable({ kind: "unsolvable", core: [request], reasons }));
 * ```
 */
export function formatUnsolvable({ core, reasons }: Unsolvable): string {
  const title =
    core.length === 1
      ? "This cannot be, whatever else is set:"
      : "These cannot be met together, while any of them left out the others can:";
  const lines = [title, ...core.map((one) => `  ${formatRequest(one)}`)];
  if (reasons.length === 0) return lines.join("\n");
  lines.push("", "because:");
  for (const { text, location } of reasons) {
    lines.push(`  ${text}${location === undefined ? "" : `, ${location.file}:${location.line}`}`);
  }
  return lines.join("\n");
}

/** A request with who has it. */
export function formatRequest({ symbol, value, origin, location }: ConfigRequest): string {
  const where = location === undefined ? "" : ` (${formatLocation(location)})`;
  return `${symbol}=${writeValue(value)}, wanted by ${origin}${where}`;
}
