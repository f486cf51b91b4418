/** The macro language: variables, functions and `$(shell …)` (scripts/kconfig/preprocess.c). */
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import type { KconfigSourceHost, Position } from "./source.ts";

type Flavor = "recursive" | "simple";

interface Variable {
  value: string;
  flavor: Flavor;
  /** How often it is being expanded at this moment. */
  depth: number;
}

export type Assignment = "=" | ":=" | "+=";

const MAX_ARGUMENTS = 16;
const TOO_DEEP = "Too deep recursive expansion";

export class Preprocessor {
  /** Commands whose answers are not known yet; a placeholder in a text names one by its index. */
  readonly deferred: string[] = [];
  readonly #starts: (() => void)[] = [];
  readonly #variables = new Map<string, Variable>();
  /** Environment variables that were looked at, in order; they stand in auto.conf.cmd. */
  readonly environment = new Map<string, string>();
  readonly #host: KconfigSourceHost;
  readonly #at: Position;
  readonly #output: Output;
  readonly #shellBytes: number;

  constructor(host: KconfigSourceHost, at: Position, output: Output, shellBytes: number) {
    this.#host = host;
    this.#at = at;
    this.#output = output;
    this.#shellBytes = shellBytes;
  }

  assign(name: string, value: string, how: Assignment): void {
    const known = this.#variables.get(name);
    const flavor: Flavor =
      how === ":=" ? "simple" : how === "=" ? "recursive" : (known?.flavor ?? "recursive");
    const given = flavor === "simple" ? this.#settle(this.expand(value)) : value;
    if (known === undefined) {
      this.#variables.set(name, { value: given, flavor, depth: 0 });
      return;
    }
    known.value = how === "+=" ? `${known.value} ${given}` : given;
    known.flavor = flavor;
  }

  /** Expands a whole text. */
  expand(text: string): string {
    return this.#bounded(() => this.#expandText(text, []));
  }

  /**
   * Expands the token at the start of a line; gives it and the number of characters that it took. A token that is the
   * answer of a deferred command, whole, comes with that command's index.
   */
  expandToken(
    line: string,
    wideWords: boolean,
  ): {
    readonly text: string;
    readonly length: number;
    readonly deferred?: number | undefined;
  } {
    let text = "";
    let index = 0;
    for (;;) {
      const char = line.charCodeAt(index);
      if (char === 0x24) {
        const { value, end } = this.#bounded(() => this.#expandReference(line, index + 1, []));
        text += value;
        index = end;
      } else if (isWordCode(char) || (wideWords && (char === 0x2e || char === 0x2f))) {
        text += line[index];
        index++;
      } else break;
    }
    const whole = WHOLE_PLACEHOLDER.exec(text);
    if (whole !== null) {
      const deferred = Number(whole[1]);
      this.#starts[deferred]?.();
      return { text, length: index, deferred };
    }
    return { text: this.#settle(text), length: index };
  }

  /** Puts answers for placeholders. */
  #settle(text: string): string {
    return text.includes(OPEN)
      ? text.replace(PLACEHOLDER, (_, index: string) =>
          shellValue(this.#host.shell(this.deferred[Number(index)] as string), this.#shellBytes),
        )
      : text;
  }

  #shell(command: string): string {
    const start = this.#host.defer?.(command);
    if (start === undefined) return shellValue(this.#host.shell(command), this.#shellBytes);
    let index = this.deferred.indexOf(command);
    if (index < 0) {
      index = this.deferred.push(command) - 1;
      this.#starts.push(start);
    }
    return `${OPEN}${index}${CLOSE}`;
  }

  /** Expands what follows a `$` at `index` of a line; gives the value and the index after it. */
  expandDollar(line: string, index: number): { readonly value: string; readonly end: number } {
    const { value, end } = this.#bounded(() => this.#expandReference(line, index, []));
    return { value: this.#settle(value), end };
  }

  // Up to 1000 levels are allowed, which with arguments can be more than the stack holds: the same is told of both.
  #bounded<T>(expand: () => T): T {
    try {
      return expand();
    } catch (error) {
      if (error instanceof RangeError) return this.#fail(TOO_DEEP);
      throw error;
    }
  }

  #expandText(text: string, args: readonly string[]): string {
    let from = text.indexOf("$");
    if (from < 0) return text;
    let result = "";
    let done = 0;
    while (from >= 0) {
      result += text.slice(done, from);
      const { value, end } = this.#expandReference(text, from + 1, args);
      result += value;
      done = end;
      from = text.indexOf("$", done);
    }
    return result + text.slice(done);
  }

  // A reference is always "$(…)"; any other "$" is itself.
  #expandReference(text: string, start: number, args: readonly string[]): { value: string; end: number } {
    if (text[start] !== "(") return { value: "$", end: start };
    let nest = 0;
    for (let index = start + 1; index < text.length; index++) {
      const char = text[index];
      if (char === "(") nest++;
      else if (char === ")" && nest-- === 0) {
        return { value: this.#evaluate(text.slice(start + 1, index), args), end: index + 1 };
      }
    }
    return this.#fail(`unterminated reference to '${text.slice(start + 1)}': missing ')'`);
  }

  #evaluate(clause: string, args: readonly string[]): string {
    // "$(1)" is the argument of the function around it, if there is one (strtoul: blanks and a sign may lead).
    const number = /^[ \t\n\v\f\r]*\+?0*(\d{1,3})$/.exec(clause);
    if (number !== null) {
      const local = args[Number(number[1]) - 1];
      if (local !== undefined) return local;
    }
    const parts: string[] = [];
    let nest = 0;
    let from = 0;
    for (let index = 0; index < clause.length; index++) {
      const char = clause[index];
      if (char === "," && nest === 0) {
        if (parts.length >= MAX_ARGUMENTS) this.#fail("too many function arguments");
        parts.push(clause.slice(from, index));
        from = index + 1;
      } else if (char === "(") nest++;
      else if (char === ")") nest--;
    }
    if (parts.length >= MAX_ARGUMENTS) this.#fail("too many function arguments");
    parts.push(clause.slice(from));
    const [name = "", ...given] = parts.map((part) => this.#settle(this.#expandText(part, args)));
    return this.#variable(name, given) ?? this.#function(name, given) ?? this.#environment(name, given) ?? "";
  }

  #variable(name: string, args: readonly string[]): string | undefined {
    const variable = this.#variables.get(name);
    if (variable === undefined) return undefined;
    if (args.length === 0 && variable.depth > 0) {
      this.#fail(`Recursive variable '${name}' references itself (eventually)`);
    }
    if (variable.depth > 1000) this.#fail(TOO_DEEP);
    variable.depth++;
    const value = variable.flavor === "recursive" ? this.#expandText(variable.value, args) : variable.value;
    variable.depth--;
    return value;
  }

  #function(name: string, args: readonly string[]): string | undefined {
    const arity = ARITIES.get(name);
    if (arity === undefined) return undefined;
    if (args.length < arity) this.#fail(`too few function arguments passed to '${name}'`);
    if (args.length > arity) this.#fail(`too many function arguments passed to '${name}'`);
    const [first = "", second = ""] = args;
    const at = this.#at;
    switch (name) {
      case "error-if":
        return first === "y" ? this.#fail(second) : "";
      case "filename":
        return at.file;
      case "info":
        this.#output.out(`${first}\n`);
        return "";
      case "lineno":
        return String(at.scanLine);
      case "warning-if":
        if (first === "y") this.#output.err(`${at.file}:${at.scanLine}: ${second}\n`);
        return "";
      default:
        return this.#shell(first);
    }
  }

  #environment(name: string, args: readonly string[]): string | undefined {
    if (args.length > 0 || name === "") return undefined;
    const known = this.environment.get(name);
    if (known !== undefined) return known;
    const value = this.#host.getenv(name);
    if (value !== undefined) this.environment.set(name, value);
    return value;
  }

  #fail(message: string): never {
    this.#output.err(`${this.#at.file}:${this.#at.scanLine}: ${message}\n`);
    throw new KconfigAbort(message);
  }
}

// Texts are latin-1, so nothing in them looks like this.
const OPEN = "\uF000";
const CLOSE = "\uF001";
const PLACEHOLDER = /\uF000(\d+)\uF001/g;
const WHOLE_PLACEHOLDER = /^\uF000(\d+)\uF001$/;

const ARITIES: ReadonlyMap<string, number> = new Map([
  ["error-if", 2],
  ["filename", 0],
  ["info", 1],
  ["lineno", 0],
  ["shell", 1],
  ["warning-if", 2],
]);

/** What `$(shell …)` makes of a command's output: so many bytes, no newlines at the end, blanks for others. */
export function shellValue(output: string, bytes: number): string {
  const text = output.slice(0, bytes);
  const nul = text.indexOf("\0");
  let end = text.length;
  while (end > 0 && text[end - 1] === "\n") end--;
  const value = text.slice(0, end).replaceAll("\n", " ");
  return nul >= 0 && nul < end ? value.slice(0, nul) : value;
}

/** A character of words: letters, digits, `_` and `-`. */
export function isWordCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d
  );
}
