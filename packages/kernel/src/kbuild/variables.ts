/** The variables of one directory's Makefile while it is read. */
import { ALWAYS, and, NEVER, not, or, whenSymbol } from "./condition.ts";
import type { Condition } from "./condition.ts";
import { callFunction, forEach, onlyText, substitute } from "./functions.ts";
import { splitArguments } from "./makefile.ts";
import type { AssignOperator, Test } from "./makefile.ts";
import type { Value, Word } from "./words.ts";
import { choiceOf, constant, glued, listOf, NotUnderstood, presence, under } from "./words.ts";

/** Where a word was written. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What one assignment added to a variable. */
interface Segment extends Place {
  readonly when: Condition;
  /** Words; text that is expanded at each use, as make does after "="; or why it is not understood. */
  readonly content:
    | { readonly words: readonly Word[] }
    | { readonly later: string }
    | { readonly why: string };
}

/** A word with the place of its assignment. */
export interface PlacedWord extends Word, Place {}

/** What is there before a directory's Makefile is read. */
export interface Environment {
  /** `srctree`, `SRCARCH` and the like; `BITS` depends on 64BIT. */
  readonly values: ReadonlyMap<string, Value>;
  /** Names that the top Makefile and its like set to something that is not known here. */
  readonly outside: ReadonlySet<string>;
}

/** Reads and expands variables. */
export interface Variables {
  readonly names: () => readonly string[];
  readonly assign: (
    name: string,
    operator: AssignOperator,
    value: string,
    when: Condition,
    place: Place,
  ) => void;
  /** When a test of ifeq or ifdef holds; `unknown` when that cannot be told. */
  readonly test: (test: Test) => Condition;
  readonly expand: (text: string) => Value;
  /** The words of a list with their places, and what of it is not understood. */
  readonly words: (name: string) => {
    readonly words: readonly PlacedWord[];
    readonly why: readonly (Place & { readonly why: string })[];
  };
}

export function makeVariables(environment: Environment): Variables {
  const variables = new Map<string, { deferred: boolean; segments: Segment[] }>();
  const busy = new Set<string>();

  const expand = (text: string): Value => {
    const words: Value[] = [];
    for (const pieces of tokens(text)) {
      words.push(
        glued(pieces.map((piece) => ("text" in piece ? constant(piece.text) : reference(piece.inside)))),
      );
    }
    const [only] = words;
    if (only === undefined) return { kind: "list", words: [] };
    return words.length === 1 ? only : { kind: "list", words: words.flatMap(listOf) };
  };

  const reference = (inside: string): Value => {
    if (/^foreach\s/.test(inside)) return forEach(splitArguments(inside.replace(/^foreach\s+/, "")), expand);
    const called = callFunction(inside, expand);
    if (called !== undefined) return called;
    const [, name = inside, from, to = ""] = /^([^:]+):([^=]*)=(.*)$/.exec(inside) ?? [];
    const value = variable(name.includes("$") ? onlyText(expand(name)) : name);
    if (from === undefined) return value;
    const [pattern, replacement] = from.includes("%") ? [from, to] : [`%${from}`, `%${to}`];
    const words = value.words.map(({ text, when }) => ({
      text: substitute(text, pattern, replacement),
      when,
    }));
    return { kind: value.kind, words };
  };

  const variable = (name: string): Value => {
    const symbol = /^CONFIG_(\w+)$/.exec(name)?.[1];
    if (symbol !== undefined) return ofSymbol(symbol);
    const known = variables.get(name);
    if (known === undefined) {
      const value = environment.values.get(name);
      if (value !== undefined) return value;
      // As in make; who gives variables on make's command line has to know what they do.
      if (!environment.outside.has(name)) return { kind: "list", words: [] };
      throw new NotUnderstood(`$(${name})`);
    }
    if (busy.has(name)) throw new NotUnderstood(`$(${name}) refers to itself`);
    busy.add(name);
    try {
      const words = known.segments.flatMap((segment) => under(segmentWords(segment), segment.when));
      return { kind: "list", words };
    } finally {
      busy.delete(name);
    }
  };

  const segmentWords = ({ content }: Segment): readonly Word[] => {
    if ("words" in content) return content.words;
    if ("later" in content) return listOf(expand(content.later));
    throw new NotUnderstood(content.why);
  };

  const assign: Variables["assign"] = (name, operator, value, when, place) => {
    const known = variables.get(name);
    if (operator === "?=" && (known !== undefined || environment.values.has(name))) return;
    const deferred = operator === "+=" ? (known?.deferred ?? true) : operator !== ":=";
    const content = contentOf(value, deferred);
    const before = operator === "+=" ? (known?.segments ?? []) : leftOver(known?.segments ?? [], when);
    variables.set(name, { deferred, segments: [...before, { ...place, when, content }] });
  };

  const contentOf = (value: string, deferred: boolean): Segment["content"] => {
    if (!value.includes("$")) return { words: listOf(constant(value)) };
    if (deferred) return { later: value };
    try {
      return { words: listOf(expand(value)) };
    } catch (error) {
      if (error instanceof NotUnderstood) return { why: error.message };
      throw error;
    }
  };

  const test = (asked: Test): Condition => {
    try {
      const found =
        asked.kind === "def" ? defined(asked.name) : equal(expand(asked.left), expand(asked.right));
      return asked.negated ? not(found) : found;
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      const text = asked.kind === "def" ? `ifdef ${asked.name}` : `${asked.left} = ${asked.right}`;
      return asked.negated ? not({ kind: "unknown", text }) : { kind: "unknown", text };
    }
  };

  const defined = (name: string): Condition => {
    const symbol = /^CONFIG_(\w+)$/.exec(name)?.[1];
    if (symbol !== undefined) return whenSymbol(symbol, "on");
    const known = variables.get(name);
    if (known !== undefined) return or(...known.segments.map(({ when }) => when));
    if (environment.values.has(name)) return ALWAYS;
    if (!environment.outside.has(name)) return NEVER;
    throw new NotUnderstood(name);
  };

  const words: Variables["words"] = (name) => {
    const found: PlacedWord[] = [];
    const why: (Place & { readonly why: string })[] = [];
    for (const segment of variables.get(name)?.segments ?? []) {
      const { file, line } = segment;
      try {
        for (const word of under(segmentWords(segment), segment.when)) found.push({ ...word, file, line });
      } catch (error) {
        if (!(error instanceof NotUnderstood)) throw error;
        why.push({ file, line, why: error.message });
      }
    }
    return { words: found, why };
  };

  return { names: () => [...variables.keys()], assign, test, expand, words };
}

// What a new assignment under a condition leaves of the one before.
function leftOver(segments: readonly Segment[], when: Condition): Segment[] {
  const otherwise = not(when);
  if (otherwise.kind === "never") return [];
  return segments.map((segment) => ({ ...segment, when: and(segment.when, otherwise) }));
}

function ofSymbol(symbol: string): Value {
  const words = [
    { text: "y", when: whenSymbol(symbol, "y") },
    { text: "m", when: whenSymbol(symbol, "m") },
    { text: "", when: not(whenSymbol(symbol, "on")) },
  ];
  return { kind: "choice", words };
}

function equal(left: Value, right: Value): Condition {
  const isEmpty = ({ words }: Value): boolean => words.every(({ text }) => text === "");
  if (isEmpty(right)) return not(presence(left));
  if (isEmpty(left)) return not(presence(right));
  const others = choiceOf(right);
  const pairs = choiceOf(left).flatMap((one) =>
    others.filter(({ text }) => text === one.text).map(({ when }) => and(one.when, when)),
  );
  return or(...pairs);
}

/** Words of pieces: text, or what is between the parentheses of a reference. */
function tokens(text: string): ({ readonly text: string } | { readonly inside: string })[][] {
  const found: ({ text: string } | { inside: string })[][] = [];
  let pieces: ({ text: string } | { inside: string })[] = [];
  let plain = "";
  const endPiece = (): void => {
    if (plain !== "") pieces.push({ text: plain });
    plain = "";
  };
  const endWord = (): void => {
    endPiece();
    if (pieces.length > 0) found.push(pieces);
    pieces = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    const next = text[at + 1] ?? "";
    if (char === "$" && (next === "(" || next === "{")) {
      const end = closing(text, at + 1);
      endPiece();
      pieces.push({ inside: text.slice(at + 2, end) });
      at = end;
    } else if (char === "$" && next === "$") {
      plain += "$";
      at += 1;
    } else if (char === "$" && /\w/.test(next)) {
      endPiece();
      pieces.push({ inside: next });
      at += 1;
    } else if (/\s/.test(char)) endWord();
    else plain += char;
  }
  endWord();
  return found;
}

function closing(text: string, open: number): number {
  const [left, right] = text[open] === "(" ? ["(", ")"] : ["{", "}"];
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === left) depth += 1;
    else if (text[at] === right && (depth -= 1) === 0) return at;
  }
  throw new NotUnderstood(`"${text}" has no end`);
}
