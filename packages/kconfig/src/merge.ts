import { printEntry } from "./config.ts";
import type { Config, ConfigLine } from "./config.ts";
import type { ConfigRequest } from "./fragment.ts";

/**
 * Puts requests into a configuration: a symbol that it names keeps its place and gets the new value, the others are
 * appended. No dependency is followed; {@link resolveConfig} does that.
 */
export function applyRequests(config: Config, requests: readonly ConfigRequest[]): Config {
  const open = new Map(requests.map((request) => [request.symbol, request]));
  const values = new Map(config.values);
  const lines: ConfigLine[] = [];
  const seen = new Set<string>();
  for (const line of config.lines) {
    const symbol = "entry" in line ? line.entry.symbol : undefined;
    const request = symbol === undefined ? undefined : open.get(symbol);
    if (request === undefined) lines.push(line);
    else if (!seen.has(request.symbol)) {
      seen.add(request.symbol);
      lines.push(lineOf(request, config.file, lines.length + 1));
    }
  }
  for (const request of open.values()) {
    if (!seen.has(request.symbol)) lines.push(lineOf(request, config.file, lines.length + 1));
    values.set(request.symbol, request.value);
  }
  return { file: config.file, lines, values };
}

function lineOf({ symbol, value }: ConfigRequest, file: string, line: number): ConfigLine {
  return { entry: { symbol, value, location: { file, line, column: 1 } }, raw: printEntry(symbol, value) };
}
