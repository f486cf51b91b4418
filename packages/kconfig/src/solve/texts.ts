/**
 * Numbers and strings as literals. What decides about other symbols is how a value compares with the values that the tree
 * names; between two of those all values are alike, so that a few stand for all.
 */
import { propertySymbol } from "../engine/finalize.ts";
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { isValidText, toSigned } from "../engine/text-value.ts";
import { FALSE, TRUE } from "./cnf.ts";
import type { Cnf, Lit } from "./cnf.ts";
import type { Domain, Expressions } from "./expressions.ts";
import { hasPrompt, keyOf, landmarksIn } from "./landmarks.ts";
import type { ExtraValue, Landmarks } from "./landmarks.ts";

/** A number or string. */
export interface TextLits {
  readonly symbol: Sym;
  /** One of them holds. */
  readonly domain: Domain;
  /** The user can see it. */
  readonly seen: Lit;
  /** It stands in `.config`. */
  readonly written: Lit;
  /** It has another value than it would have by itself. */
  readonly changed: Lit;
}

interface Range {
  readonly holds: Lit;
  readonly low: Domain;
  readonly high: Domain;
  readonly clamp: (text: string, low: string, high: string) => string;
}

export class Texts {
  readonly #engine: LoadedTree;
  readonly #cnf: Cnf;
  readonly #expressions: () => Expressions;
  readonly #domains = new Map<Sym, Domain>();
  readonly #landmarks: Landmarks["values"];
  /** See Landmarks. */
  readonly joined: Landmarks["joined"];

  constructor(engine: LoadedTree, cnf: Cnf, expressions: () => Expressions, extra: readonly ExtraValue[]) {
    this.#engine = engine;
    this.#cnf = cnf;
    this.#expressions = expressions;
    const { values: named, joined } = landmarksIn(engine, extra);
    this.#landmarks = named;
    this.joined = joined;
    // What the user can set has variables; all else follows from conditions.
    for (const symbol of this.#landmarks.keys()) {
      if (!hasPrompt(symbol)) continue;
      const values = this.#candidates(symbol);
      const [only] = values;
      const single = values.length === 1 && only !== undefined;
      this.#domains.set(
        symbol,
        single ? [[only, TRUE]] : values.map((text) => [text, cnf.variable()] as const),
      );
    }
  }

  domain(symbol: Sym): Domain {
    if (!this.#landmarks.has(symbol)) return [[symbol.name ?? "", TRUE]];
    let domain = this.#domains.get(symbol);
    if (domain === undefined) {
      domain = [...this.#standards(symbol)].map(([, [text, is]]) => [text, is] as const);
      this.#domains.set(symbol, domain);
    }
    return domain;
  }

  /** States what holds of all numbers and strings. */
  constrain(): readonly TextLits[] {
    return [...this.#landmarks.keys()].map((symbol) => this.#constrain(symbol));
  }

  #constrain(symbol: Sym): TextLits {
    const cnf = this.#cnf;
    const domain = this.domain(symbol);
    if (!hasPrompt(symbol)) {
      for (const [, is] of domain) cnf.define(is);
      return { symbol, domain, seen: FALSE, written: this.#written(symbol, FALSE), changed: FALSE };
    }
    const conditions = symbol.props.flatMap(({ text, condition }) =>
      text === undefined ? [] : [this.#expressions().of(condition).on],
    );
    const seen = cnf.or(...conditions);
    const written = this.#written(symbol, seen);
    if (domain.length === 1) return { symbol, domain, seen, written, changed: FALSE };
    const standards = this.#standards(symbol);
    const changed = cnf.variable();
    cnf.clause(-changed, seen);
    cnf.clause(...domain.map(([, is]) => is));
    cnf.atMostOne(domain.map(([, is]) => is));
    for (const [text, is] of domain) {
      const standard = standards.get(keyOf(symbol, text))?.[1] ?? FALSE;
      cnf.clause(seen, -standard, is);
      cnf.clause(-is, standard, changed);
      if (symbol.type !== "string" && text === "") cnf.clause(-is, standard);
    }
    // Where conf drops a value out of range, the default may be one.
    const dropped = this.#engine.dialect.unfitValues.startsWith("forget");
    for (const { holds, low, high, clamp } of this.#ranges(symbol)) {
      for (const [text, is] of domain) {
        if (symbol.type !== "string" && text === "") continue;
        const standard = dropped ? (standards.get(keyOf(symbol, text))?.[1] ?? FALSE) : FALSE;
        for (const [from, isFrom] of low) {
          for (const [to, isTo] of high) {
            if (clamp(text, from, to) !== text) cnf.clause(-seen, -is, -holds, -isFrom, -isTo, standard);
          }
        }
      }
    }
    return { symbol, domain, seen, written, changed };
  }

  // What nobody sees is written when it has a default.
  #written(symbol: Sym, seen: Lit): Lit {
    if (symbol.transitional || symbol.noWrite) return FALSE;
    const defaults = symbol.props.filter(
      (property) => property.kind === "default" && propertySymbol(property) !== undefined,
    );
    const holding = defaults.map(({ condition }) => this.#expressions().of(condition).on);
    const written = this.#cnf.or(seen, ...holding);
    this.#cnf.define(written);
    return written;
  }

  // The value that it has by itself: its first default that holds, moved into its range.
  #standards(symbol: Sym): ReadonlyMap<string, readonly [string, Lit]> {
    const cnf = this.#cnf;
    const found = new Map<string, [string, Lit[]]>();
    const add = (into: Map<string, [string, Lit[]]>, text: string, is: Lit): void => {
      if (is === FALSE) return;
      const key = keyOf(symbol, text);
      const known = into.get(key);
      if (known === undefined) into.set(key, [text, [is]]);
      else known[1].push(is);
    };
    let open: Lit = TRUE;
    for (const property of symbol.props) {
      if (property.kind !== "default") continue;
      const value = propertySymbol(property);
      const { on } = this.#expressions().of(property.condition);
      const here = cnf.and(open, on);
      open = cnf.and(open, -on);
      if (value === undefined) add(found, emptyText(symbol, this.#engine), here);
      else for (const [text, is] of this.#valuesOf(value)) add(found, text, cnf.and(here, is));
    }
    add(found, emptyText(symbol, this.#engine), open);
    const ranges = this.#ranges(symbol);
    const moved = new Map<string, [string, Lit[]]>();
    for (const [text, lits] of found.values()) {
      const is = cnf.or(...lits);
      let free = is;
      for (const { holds, low, high, clamp } of ranges) {
        free = cnf.and(free, -holds);
        for (const [from, isFrom] of low) {
          for (const [to, isTo] of high) {
            add(moved, clamp(text, from, to), cnf.and(is, holds, isFrom, isTo));
          }
        }
      }
      add(moved, text, free);
    }
    return new Map([...moved].map(([key, [text, lits]]) => [key, [text, cnf.or(...lits)] as const]));
  }

  // The text of a bool or tristate is n for C, whatever its value.
  #valuesOf(symbol: Sym): Domain {
    return isLogic(symbol.type) ? [[symbol.constant ? (symbol.name ?? "") : "n", TRUE]] : this.domain(symbol);
  }

  // The ranges, each with the literal that says that it is the one in force.
  #ranges(symbol: Sym): readonly Range[] {
    let open: Lit = TRUE;
    return symbol.props.flatMap(({ kind, expr, condition }) => {
      if (kind !== "range" || symbol.type === "string") return [];
      const { on } = this.#expressions().of(condition);
      const holds = this.#cnf.and(open, on);
      open = this.#cnf.and(open, -on);
      if (expr?.op !== "range") return [];
      const { left, right } = expr;
      const clamp = (text: string, low: string, high: string): string => {
        const value = toSigned(text, symbol.type === "int" ? 10 : 16);
        if (value < toSigned(low, baseOf(symbol, left))) return low;
        return value > toSigned(high, baseOf(symbol, right)) ? high : text;
      };
      return [{ holds, low: this.#valuesOf(left), high: this.#valuesOf(right), clamp }];
    });
  }

  // The values that stand for all: those that the tree names, and what lies beside them.
  #candidates(symbol: Sym): readonly string[] {
    const landmarks = this.#landmarks.get(symbol) ?? new Map<string, string>();
    const found = new Map(landmarks);
    const empty = emptyText(symbol, this.#engine);
    // An empty number has no neighbours.
    if (symbol.type !== "string" && !found.has("0")) found.set("0", symbol.type === "hex" ? "0x0" : "0");
    if (!found.has(keyOf(symbol, empty))) found.set(keyOf(symbol, empty), empty);
    for (const key of [...found.keys()]) {
      if (!/^-?[0-9]+$/.test(key)) continue;
      for (const number of [BigInt(key) - 1n, BigInt(key) + 1n]) {
        if (found.has(String(number)) || (symbol.type === "hex" && number < 0n)) continue;
        const text = symbol.type === "hex" ? `0x${number.toString(16)}` : String(number);
        if (isValidText(symbol.type, text)) found.set(String(number), text);
      }
    }
    if (symbol.type === "string") {
      let other = "other";
      while (found.has(other)) other += "-";
      found.set(other, other);
    }
    return [...found.values()];
  }
}

/** The literal for a value that a number or string is to have; FALSE when it cannot. */
export function litOfText(
  { symbol, domain, seen }: TextLits,
  text: string,
): { readonly is: Lit; readonly stands: string } {
  const key = keyOf(symbol, text);
  const exact = domain.find(([value]) => keyOf(symbol, value) === key);
  if (exact !== undefined) return { is: exact[1], stands: exact[0] };
  if (seen === FALSE || !isValidText(symbol.type, text)) return { is: FALSE, stands: text };
  if (symbol.type === "string") {
    const other = domain.at(-1);
    return { is: other?.[1] ?? FALSE, stands: other?.[0] ?? text };
  }
  // Its neighbour below, or above where there is none, is no landmark itself: see #candidates().
  const wanted = BigInt(key);
  let best:
    | { readonly is: Lit; readonly stands: string; readonly distance: bigint; readonly below: boolean }
    | undefined;
  for (const [value, is] of domain) {
    const other = keyOf(symbol, value);
    if (other.startsWith('"')) continue;
    const number = BigInt(other);
    const below = number < wanted;
    const distance = below ? wanted - number : number - wanted;
    if (best === undefined || (below && !best.below) || (below === best.below && distance < best.distance)) {
      best = { is, stands: value, distance, below };
    }
  }
  return best ?? { is: FALSE, stands: text };
}

function emptyText(symbol: Sym, { dialect }: LoadedTree): string {
  if (symbol.type === "string" || dialect.emptyNumber) return "";
  return symbol.type === "hex" ? "0x0" : "0";
}

// A bound that is a symbol is read as that symbol's type has it.
function baseOf(symbol: Sym, other: Sym): 10 | 16 {
  const { type } = other.type === "int" || other.type === "hex" ? other : symbol;
  return type === "int" ? 10 : 16;
}
