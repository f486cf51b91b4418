import { parseConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { KconfigError } from "./errors.ts";
import type { Diagnostic, Location } from "./errors.ts";
import { formatLocation } from "./errors.ts";
import { sameValue, writeValue } from "./value.ts";
import type { ConfigValue } from "./value.ts";

/** A part of a configuration: some symbols, and a header of comments that says what they are for. */
export interface Fragment extends Config {
  /** The comments `# key: text` before the first symbol, say `feature`, `why`, `arch`, `needs`. */
  readonly header: ReadonlyMap<string, string>;
  readonly requests: readonly ConfigRequest[];
}

/** A wish for one symbol, and who has it. */
export interface ConfigRequest {
  readonly symbol: string;
  readonly value: ConfigValue;
  /** Who asks, in words for a message: `feature "net"`, `config.HZ in appliance.yaml`. */
  readonly origin: string;
  readonly location?: Location | undefined;
  /** The conditions `# key: text` right above the line, say `since: 6.1` and `until: 6.9`. */
  readonly conditions: ReadonlyMap<string, string>;
}

const CONDITION = /^# (since|until): (.+)$/;
const HEADER = /^# ([a-z][a-z-]*): (.+)$/;

/**
 * Reads a fragment. Its header is in comments, so the kernel's own tools read the same file.
 *
 * @throws KconfigError KCONFIG_SYNTAX with file, line and column; KCONFIG_CONFLICT when it contradicts itself.
 * @example
 * ```ts
 * import { parseFragment } from "@justenough/kconfig";
 * const net = parseFragment("# feature: net\n# why: IPv4\nCONFIG_NET=y\nCONFIG_INET=y\n");
 * console.log(net.header.get("why"), net.requests.length); // IPv4 2
 * ```
 */
export function parseFragment(
  text: string,
  options: { readonly file?: string | undefined; readonly origin?: string | undefined } = {},
): Fragment {
  const config = parseConfig(text, { file: options.file ?? "fragment" });
  const header = new Map<string, string>();
  const requests: ConfigRequest[] = [];
  let conditions = new Map<string, string>();
  for (const line of config.lines) {
    if ("entry" in line) {
      const origin = options.origin ?? originOf(header, config.file);
      requests.push({ ...line.entry, origin, conditions });
      conditions = new Map();
      continue;
    }
    const condition = CONDITION.exec(line.raw);
    const field = requests.length === 0 ? HEADER.exec(line.raw) : null;
    if (condition !== null) conditions.set(condition[1] ?? "", condition[2] ?? "");
    else if (field !== null) header.set(field[1] ?? "", field[2] ?? "");
  }
  const conflict = mergeRequests(requests).conflicts[0];
  if (conflict !== undefined) {
    throw new KconfigError("KCONFIG_CONFLICT", conflict.message, { location: conflict.location });
  }
  return { ...config, header, requests };
}

/** Turns plain values, as a user gives them, into requests. */
export function requestsOf(values: Readonly<Record<string, ConfigValue>>, origin: string): ConfigRequest[] {
  return Object.entries(values).map(([symbol, value]) => ({ symbol, value, origin, conditions: new Map() }));
}

/** Requests of several parties, one a symbol; `conflicts` names each symbol for which two want different values. */
export interface MergedRequests {
  readonly requests: readonly ConfigRequest[];
  readonly conflicts: readonly Diagnostic[];
}

/** Merges fragments of equal rank. Two that want different values for a symbol are a conflict; the first one stays. */
export function mergeFragments(fragments: readonly Fragment[]): MergedRequests {
  return mergeRequests(fragments.flatMap((fragment) => fragment.requests));
}

/** Merges requests of equal rank, as {@link mergeFragments} does. */
export function mergeRequests(requests: readonly ConfigRequest[]): MergedRequests {
  const merged = new Map<string, ConfigRequest>();
  const conflicts: Diagnostic[] = [];
  for (const request of requests) {
    const first = merged.get(request.symbol);
    if (first === undefined) merged.set(request.symbol, request);
    else if (!sameValue(first.value, request.value)) {
      conflicts.push({
        code: "KCONFIG_CONFLICT",
        severity: "error",
        message: `"${request.symbol}" is wanted as ${describe(first)} and as ${describe(request)}`,
        location: request.location,
      });
    }
  }
  return { requests: [...merged.values()], conflicts };
}

/** Lets `above` win over `below`, symbol by symbol: a user's own values over those of features. */
export function overrideRequests(
  below: readonly ConfigRequest[],
  above: readonly ConfigRequest[],
): ConfigRequest[] {
  const merged = new Map(below.map((request) => [request.symbol, request]));
  for (const request of above) {
    merged.delete(request.symbol);
    merged.set(request.symbol, request);
  }
  return [...merged.values()];
}

function originOf(header: ReadonlyMap<string, string>, file: string): string {
  const feature = header.get("feature");
  return feature === undefined ? file : `feature "${feature}"`;
}

function describe(request: ConfigRequest): string {
  const where = request.location === undefined ? "" : ` (${formatLocation(request.location)})`;
  return `${writeValue(request.value)} by ${request.origin}${where}`;
}
