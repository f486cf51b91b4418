/** Values as text: what is valid for a type, and numbers as C reads them. */
import type { Comparison } from "./expr.ts";
import { MOD, NO, YES } from "./model.ts";
import type { SymbolType, Tristate } from "./model.ts";

/** sym_string_valid() in symbol.c */
export function isValidText(type: SymbolType, text: string): boolean {
  switch (type) {
    case "string":
      return true;
    case "int":
      return /^-?(0|[1-9][0-9]*)$/.test(text);
    case "hex":
      return /^(0[xX])?[0-9a-fA-F]+$/.test(text);
    case "bool":
    case "tristate":
      return /^[yYmMnN]/.test(text);
    default:
      return false;
  }
}

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

interface Parsed {
  readonly value: bigint;
  /** Index after the number; 0 when there is none. */
  readonly end: number;
  /** Out of the range of 64 bits. */
  readonly overflow: boolean;
}

/** strtoll() of C for base 10, 16 or 0. */
function parseNumber(text: string, base: 0 | 10 | 16): Parsed {
  const match = /^([ \t\n\v\f\r]*)([+-]?)/.exec(text);
  let index = match?.[0].length ?? 0;
  const negative = match?.[2] === "-";
  let radix: 8 | 10 | 16 = base === 0 ? 10 : base;
  if (base !== 10 && /^0[xX][0-9a-fA-F]/.test(text.slice(index))) {
    radix = 16;
    index += 2;
  } else if (base === 0 && text[index] === "0") radix = 8;
  const digits = (radix === 16 ? /^[0-9a-fA-F]+/ : radix === 8 ? /^[0-7]+/ : /^[0-9]+/).exec(
    text.slice(index),
  )?.[0];
  if (digits === undefined) return { value: 0n, end: 0, overflow: false };
  const prefix = radix === 16 ? "0x" : radix === 8 ? "0o" : "";
  const size = BigInt(prefix + digits);
  return { value: negative ? -size : size, end: index + digits.length, overflow: false };
}

/** strtoll(): clamped to 64 bits, 0 when there is no number. */
export function toSigned(text: string, base: 10 | 16): bigint {
  const { value } = parseNumber(text, base);
  return value > MAX ? MAX : value < MIN ? MIN : value;
}

/** A number as C prints it. */
export function spellNumber(value: bigint, base: 10 | 16): string {
  return base === 10 ? String(value) : `0x${BigInt.asUintN(64, value).toString(16)}`;
}

type Comparable =
  | { readonly kind: "text" }
  | { readonly kind: "signed" | "unsigned"; readonly value: bigint };

const TRISTATES: ReadonlyMap<string, bigint> = new Map([
  ["n", 0n],
  ["m", 1n],
  ["y", 2n],
]);

/** expr_parse_string() in expr.c: a value as something that can be compared. */
function comparable(text: string, type: SymbolType): Comparable {
  if (type === "bool" || type === "tristate") return { kind: "signed", value: TRISTATES.get(text) ?? -1n };
  const parsed = parseNumber(text, type === "int" ? 10 : type === "hex" ? 16 : 0);
  const unsigned = type === "hex";
  const tooBig = unsigned
    ? parsed.value >= 2n ** 64n || parsed.value <= -(2n ** 64n)
    : parsed.value > MAX || parsed.value < MIN;
  if (tooBig || parsed.end === 0 || parsed.end !== text.length) return { kind: "text" };
  return { kind: unsigned ? "unsigned" : "signed", value: parsed.value };
}

/** Compares two values as an expression does: below 0, 0 or above 0. */
export function compareValues(
  left: { readonly text: string; readonly type: SymbolType },
  right: { readonly text: string; readonly type: SymbolType },
): number {
  if (left.type !== "string" || right.type !== "string") {
    const one = comparable(left.text, left.type);
    const two = comparable(right.text, right.type);
    if (one.kind !== "text" && two.kind !== "text") {
      const wrap = one.kind === "unsigned" || two.kind === "unsigned";
      const a = wrap ? BigInt.asUintN(64, one.value) : one.value;
      const b = wrap ? BigInt.asUintN(64, two.value) : two.value;
      return a < b ? -1 : a > b ? 1 : 0;
    }
  }
  return left.text < right.text ? -1 : left.text > right.text ? 1 : 0;
}

/** Whether a comparison is true of values that compareValues() puts in this order. */
export function holds(op: Comparison, order: number): boolean {
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

/** A tristate by its first letter; anything else is n. */
export function toTristate(text: string): Tristate {
  return /^[yY]/.test(text) ? YES : /^[mM]/.test(text) ? MOD : NO;
}
