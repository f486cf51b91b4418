/** When a line of a Makefile holds: boolean expressions over the symbols of a configuration. */

/** A boolean expression over symbols, without CONFIG_; `on` is y or m. */
export type Condition =
  | { readonly kind: "always" | "never" }
  | { readonly kind: "symbol"; readonly symbol: string; readonly value: "y" | "m" | "on" }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  /** What cannot be read from Makefiles alone: the answer of a compiler, a variable of the command line. */
  | { readonly kind: "unknown"; readonly text: string };

export const ALWAYS: Condition = { kind: "always" };
export const NEVER: Condition = { kind: "never" };

export function whenSymbol(symbol: string, value: "y" | "m" | "on"): Condition {
  return { kind: "symbol", symbol, value };
}

export function not(of: Condition): Condition {
  if (of.kind === "always") return NEVER;
  if (of.kind === "never") return ALWAYS;
  return of.kind === "not" ? of.of : { kind: "not", of };
}

export function and(...all: readonly Condition[]): Condition {
  return joined("and", all);
}

export function or(...all: readonly Condition[]): Condition {
  return joined("or", all);
}

function joined(kind: "and" | "or", all: readonly Condition[]): Condition {
  const [neutral, absorbing] = kind === "and" ? [ALWAYS, NEVER] : [NEVER, ALWAYS];
  const parts = new Map<string, Condition>();
  for (const part of all.flatMap((one) => (one.kind === kind ? one.of : [one]))) {
    if (part.kind === absorbing.kind) return absorbing;
    if (part.kind !== neutral.kind) parts.set(formatCondition(part), part);
  }
  for (const part of parts.values()) {
    if (part.kind === "not" && parts.has(formatCondition(part.of))) return absorbing;
  }
  if (kind === "or") mergeValues(parts);
  else if (!consistent(parts)) return NEVER;
  const [first] = parts.values();
  if (first === undefined) return neutral;
  return parts.size === 1 ? first : { kind, of: [...parts.values()] };
}

// A symbol has one value: what another one would say is dropped. False when two are asked for at once.
function consistent(parts: Map<string, Condition>): boolean {
  for (const part of [...parts.values()]) {
    if (part.kind !== "symbol") continue;
    const { symbol, value } = part;
    if (parts.has(`!${symbol}`)) return false;
    if (value === "on") continue;
    const other = value === "y" ? "m" : "y";
    if (parts.has(`${symbol}=${other}`)) return false;
    parts.delete(`!${symbol}=${other}`);
    parts.delete(symbol);
  }
  return true;
}

// y or m of a symbol is that it is on.
function mergeValues(parts: Map<string, Condition>): void {
  for (const part of [...parts.values()]) {
    if (part.kind !== "symbol" || part.value !== "y" || !parts.has(`${part.symbol}=m`)) continue;
    parts.delete(`${part.symbol}=y`);
    parts.delete(`${part.symbol}=m`);
    parts.set(part.symbol, whenSymbol(part.symbol, "on"));
  }
}

/** Whether a condition holds; undefined when that depends on what is unknown. */
export function holds(condition: Condition, valueOf: (symbol: string) => string): boolean | undefined {
  switch (condition.kind) {
    case "always":
      return true;
    case "never":
      return false;
    case "unknown":
      return undefined;
    case "symbol": {
      const value = valueOf(condition.symbol);
      return condition.value === "on" ? value === "y" || value === "m" : value === condition.value;
    }
    case "not": {
      const inner = holds(condition.of, valueOf);
      return inner === undefined ? undefined : !inner;
    }
    default: {
      const decisive = condition.kind === "or";
      let open = false;
      for (const part of condition.of) {
        const found = holds(part, valueOf);
        if (found === decisive) return decisive;
        open ||= found === undefined;
      }
      return open ? undefined : !decisive;
    }
  }
}

/** The symbols that have to be on or may make it hold; those behind an odd number of `not` are left out. */
export function symbolsOf(condition: Condition, negated = false): readonly string[] {
  switch (condition.kind) {
    case "symbol":
      return negated ? [] : [condition.symbol];
    case "not":
      return symbolsOf(condition.of, !negated);
    case "and":
    case "or":
      return [...new Set(condition.of.flatMap((part) => symbolsOf(part, negated)))];
    default:
      return [];
  }
}

/** Whether something in it cannot be known. */
export function unknownOf(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case "unknown":
      return [condition.text];
    case "not":
      return unknownOf(condition.of);
    case "and":
    case "or":
      return condition.of.flatMap(unknownOf);
    default:
      return [];
  }
}

/** As text: `A && (B=m || !C)`. */
export function formatCondition(condition: Condition): string {
  switch (condition.kind) {
    case "symbol":
      return condition.value === "on" ? condition.symbol : `${condition.symbol}=${condition.value}`;
    case "not":
      return `!${wrapped(condition.of)}`;
    case "and":
      return condition.of.map(wrapped).join(" && ");
    case "or":
      return condition.of.map(wrapped).join(" || ");
    case "unknown":
      return `<${condition.text}>`;
    default:
      return condition.kind;
  }
}

function wrapped(condition: Condition): string {
  const text = formatCondition(condition);
  return condition.kind === "and" || condition.kind === "or" ? `(${text})` : text;
}
