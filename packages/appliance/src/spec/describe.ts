import { relative } from "node:path";
import type { Origin, ResolvedValue } from "./resolved.ts";

/** The resolved values as a table: key, value, where it comes from. */
export function describeValues(values: readonly ResolvedValue[]): string {
  const rows = values.map(
    ({ key, value, origin }) => [key, showValue(value), describeOrigin(origin)] as const,
  );
  const width = (column: 0 | 1, limit: number): number =>
    Math.min(limit, Math.max(...rows.map((row) => row[column].length)));
  const [keys, texts] = [width(0, 40), width(1, 60)];
  return rows
    .map(([key, value, origin]) => `${key.padEnd(keys)}  ${value.padEnd(texts)}  ${origin}`)
    .join("\n");
}

/** "appliance.yaml:7", "default", "implied by forward", "command line: --kernel". */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "spec": {
      const nearby = relative(process.cwd(), origin.file);
      const name = nearby.length < origin.file.length ? nearby : origin.file;
      return origin.line === undefined ? name : `${name}:${origin.line}`;
    }
    case "default":
      return origin.why === undefined ? "default" : `default: ${origin.why}`;
    case "implied":
      return `implied by ${origin.by}`;
    default:
      return `command line: ${origin.flag}`;
  }
}

function showValue(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${JSON.stringify(field)}`);
  const text = `{ ${fields.join(", ")} }`;
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}
