/** Tokens of Kconfig files (scripts/kconfig/lexer.l). */
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import type { Dialect } from "./dialect.ts";
import { isWordCode } from "./preprocess.ts";
import type { Preprocessor } from "./preprocess.ts";
import type { Position } from "./source.ts";

export type TokenKind =
  | "end"
  | "eol"
  | "word"
  | "quoted"
  | "help-text"
  | "assign-value"
  | "keyword"
  | "operator";

export interface Token {
  readonly kind: TokenKind;
  /** The keyword or operator, the word, or the text. */
  readonly text: string;
  /** The word is the answer of a command that runs yet: its index. */
  readonly deferred?: number | undefined;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "bool choice comment config def_bool def_tristate default depends endchoice endif endmenu help hex if imply int " +
    "mainmenu menu menuconfig on prompt range select source string tristate visible"
  ).split(" "),
);
// Those that a statement may have in its middle.
const INNER: ReadonlySet<string> = new Set(["if", "on"]);
const OLD_WORDS = [
  ["boolean", "bool"],
  ["def_boolean", "def_bool"],
  ["enable", "select"],
  ["requires", "depends"],
] as const;
const EOL: Token = { kind: "eol", text: "" };
const END: Token = { kind: "end", text: "" };
const OPERATORS: ReadonlyMap<string, Token> = new Map(
  ["||", "&&", "=", "!=", "<", "<=", ">", ">=", "!", "(", ")", ":=", "+="].map((text) => [
    text,
    { kind: "operator", text },
  ]),
);

interface Buffer {
  readonly text: string;
  index: number;
  readonly file: string;
  /** The line being scanned when another file was begun, and that of its `source`. */
  scanLine: number;
  sourceLine: number;
  readonly parent: Buffer | undefined;
  /** How many files came one after the other in this place, each begun by the last line of the one before. */
  readonly turn: number;
}

export class Lexer {
  readonly at: Position;
  // Where the statement began.
  #statementFile = "<none>";
  readonly #preprocessor: Preprocessor;
  readonly #output: Output;
  readonly #oldPositions: boolean;
  readonly #keywords: ReadonlyMap<string, Token>;
  readonly #firstOnly: boolean;
  readonly #wideWords: boolean;
  readonly #macros: boolean;
  #buffer: Buffer;
  /** The file that ended with the line just read, since it has no newline there. */
  #ended: Buffer | undefined;
  #state: "initial" | "assign" | "help" = "initial";
  #last: TokenKind = "eol";
  #beforeLast: TokenKind = "eol";

  constructor(
    file: { readonly name: string; readonly text: string },
    context: {
      readonly at: Position;
      readonly preprocessor: Preprocessor;
      readonly output: Output;
      readonly dialect: Dialect;
    },
  ) {
    this.at = context.at;
    this.#preprocessor = context.preprocessor;
    this.#output = context.output;
    const { dialect } = context;
    this.#oldPositions = dialect.oldPositions;
    this.#firstOnly = dialect.keywords === "first";
    this.#wideWords = dialect.wideWords;
    this.#macros = dialect.macros;
    const words = new Set(KEYWORDS);
    if (dialect.modules !== "name") words.add(dialect.modules === "keyword" ? "modules" : "option");
    if (dialect.choice === "symbol") words.add("optional");
    if (dialect.transitional) words.add("transitional");
    if (dialect.reset) words.add("reset");
    if (dialect.extensions) for (const word of ["rsource", "osource", "orsource"]) words.add(word);
    const keyword = (text: string): Token => ({ kind: "keyword", text });
    const keywords = new Map([...words].map((text) => [text, keyword(text)]));
    if (dialect.dashedHelp) keywords.set("---help---", keyword("help"));
    if (dialect.booleanWord) keywords.set("boolean", keyword("bool"));
    if (dialect.oldWords) for (const [old, text] of OLD_WORDS) keywords.set(old, keyword(text));
    this.#keywords = keywords;
    this.#buffer = {
      text: file.text,
      index: 0,
      file: file.name,
      scanLine: 1,
      sourceLine: 0,
      parent: undefined,
      turn: 0,
    };
    this.at.file = file.name;
    this.at.scanLine = 1;
  }

  /** The files being read, innermost first, with the line of each one's `source`. */
  *includes(): Generator<{ readonly file: string; readonly line: number }> {
    for (let buffer: Buffer | undefined = this.#buffer; buffer !== undefined; buffer = buffer.parent) {
      yield { file: buffer.file, line: buffer.sourceLine };
    }
  }

  /** The file that errors name: up to 6.8 that of the statement, also when its end was met since. */
  get errorFile(): string {
    return this.#oldPositions ? this.#statementFile : this.at.file;
  }

  /** Notes the `source` that stands here, before its file is looked at. */
  markSource(): void {
    this.#buffer.scanLine = this.at.scanLine;
    this.#buffer.sourceLine = this.at.line;
  }

  /** How many files have taken each other's place here; those that C would go on with for ever never end it. */
  get turn(): number {
    return this.#ended === undefined ? 0 : this.#ended.turn + 1;
  }

  /** Goes on with another file until its end. */
  include(name: string, text: string): void {
    const { turn } = this;
    this.#buffer = { text, index: 0, file: name, scanLine: 1, sourceLine: 0, parent: this.#buffer, turn };
    this.at.file = name;
    this.at.scanLine = 1;
  }

  /** Takes what follows as help text. */
  startHelp(): void {
    this.#state = "help";
  }

  /** The next token; newlines that end nothing are left out (yylex()). */
  next(): Token {
    this.#ended = undefined;
    for (;;) {
      const token = this.#scan();
      if (this.#last === "eol" || this.#last === "help-text") {
        if (token.kind === "eol") continue;
        this.at.line = this.at.scanLine;
        this.#statementFile = this.at.file;
      }
      if (
        this.#beforeLast === "eol" &&
        this.#last === "word" &&
        token.kind === "operator" &&
        (token.text === "=" || token.text === ":=" || token.text === "+=")
      ) {
        this.#state = "assign";
      }
      this.#beforeLast = this.#last;
      this.#last = token.kind;
      return token;
    }
  }

  #scan(): Token {
    if (this.#state === "help") return this.#scanHelp();
    if (this.#state === "assign") return this.#scanAssignment();
    for (;;) {
      const buffer = this.#buffer;
      const { text } = buffer;
      const start = buffer.index;
      if (start >= text.length) return this.#endOfFile();
      const code = text.charCodeAt(start);
      switch (code) {
        case 0x20: // blank
        case 0x09: // tab
          buffer.index++;
          continue;
        case 0x0a: // newline
          buffer.index++;
          this.at.scanLine++;
          return EOL;
        case 0x23: {
          // #
          const end = text.indexOf("\n", start);
          buffer.index = end < 0 ? text.length : end;
          continue;
        }
        case 0x5c: // backslash
          if (text.charCodeAt(start + 1) === 0x0a) {
            buffer.index += 2;
            this.at.scanLine++;
            continue;
          }
          break;
        case 0x22: // "
        case 0x27: // '
          buffer.index++;
          return this.#scanString(code);
        default:
          if (this.#isWordCode(code)) {
            const word = this.#scanWord();
            if (word === undefined) continue;
            return word;
          }
      }
      const two = OPERATORS.get(text.slice(start, start + 2));
      if (two !== undefined) {
        buffer.index += 2;
        return two;
      }
      const one = OPERATORS.get(text[start] ?? "");
      buffer.index++;
      if (one !== undefined) return one;
      this.#output.err(
        `${this.at.file}:${this.at.scanLine}:warning: ignoring unsupported character '${text[start]}'\n`,
      );
    }
  }

  // Of a word or a reference.
  #isWordCode(code: number): boolean {
    if (code === 0x24) return this.#macros;
    return (
      isWordCode(code) || (this.#wideWords && (code === 0x2e || code === 0x2f) && !this.#startsStatement)
    );
  }

  get #startsStatement(): boolean {
    return this.#firstOnly && (this.#last === "eol" || this.#last === "help-text");
  }

  #scanWord(): Token | undefined {
    const buffer = this.#buffer;
    const { text } = buffer;
    const start = buffer.index;
    let end = start;
    let dollar = false;
    for (;;) {
      const code = text.charCodeAt(end);
      if (!this.#isWordCode(code)) break;
      if (code === 0x24) dollar = true;
      end++;
    }
    if (!dollar) {
      buffer.index = end;
      const word = text.slice(start, end);
      const counts = !this.#firstOnly || this.#startsStatement || INNER.has(word);
      return (
        (counts ? this.#keywords.get(word) : undefined) ?? { kind: "word", text: word, deferred: undefined }
      );
    }
    const token = this.#preprocessor.expandToken(this.#restOfLine(), this.#wideWords);
    buffer.index = start + token.length;
    if (token.text === "") return undefined;
    return { kind: "word", text: token.text, deferred: token.deferred };
  }

  #restOfLine(): string {
    const { text, index } = this.#buffer;
    const end = text.indexOf("\n", index);
    return text.slice(index, end < 0 ? text.length : end);
  }

  #scanString(quote: number): Token {
    const buffer = this.#buffer;
    const { text } = buffer;
    let value = "";
    for (;;) {
      const start = buffer.index;
      if (start >= text.length) return { kind: "quoted", text: value };
      const code = text.charCodeAt(start);
      if (code === quote) {
        buffer.index++;
        return { kind: "quoted", text: value };
      }
      if (code === 0x0a) {
        this.#output.err(`${this.at.file}:${this.at.line}:warning: multi-line strings not supported\n`);
        return { kind: "quoted", text: value };
      }
      if (code === 0x24 && this.#macros) {
        const { value: part, end } = this.#preprocessor.expandDollar(this.#restOfLine(), 1);
        value += part;
        buffer.index = start + end;
      } else if (code === 0x5c) {
        const next = text[start + 1];
        if (next === undefined || next === "\n") buffer.index++;
        else {
          value += next;
          buffer.index += 2;
        }
      } else {
        let end = start + 1;
        for (; end < text.length; end++) {
          const inner = text.charCodeAt(end);
          if (inner === 0x22 || inner === 0x27 || inner === 0x5c || inner === 0x0a) break;
          if (inner === 0x24 && this.#macros) break;
        }
        value += text.slice(start, end);
        buffer.index = end;
      }
    }
  }

  #scanAssignment(): Token {
    const buffer = this.#buffer;
    const { text } = buffer;
    for (;;) {
      if (buffer.index >= text.length) return this.#endOfFile();
      const code = text.charCodeAt(buffer.index);
      if (code === 0x0a) {
        buffer.index++;
        this.at.scanLine++;
        this.#state = "initial";
        return EOL;
      }
      if (code === 0x20 || code === 0x09) {
        buffer.index++;
        continue;
      }
      const value = this.#restOfLine();
      buffer.index += value.length;
      return { kind: "assign-value", text: value };
    }
  }

  // Finds the end of a help text; formatHelp() makes of it what is shown, for the few that are.
  #scanHelp(): Token {
    const buffer = this.#buffer;
    const { text } = buffer;
    const begin = buffer.index;
    let first = 0;
    let last = 0;
    const done = (end: number): Token => {
      this.#state = "initial";
      return { kind: "help-text", text: text.slice(begin, end) };
    };
    for (;;) {
      const start = buffer.index;
      let end = start;
      let indent = 0;
      for (let code = text.charCodeAt(end); code === 0x20 || code === 0x09; code = text.charCodeAt(++end)) {
        indent = code === 0x09 ? (indent & ~7) + 8 : indent + 1;
      }
      if (text.charCodeAt(end) === 0x0a) {
        // A blank line; one before a line that is not indented ends the help.
        buffer.index = end + 1;
        this.at.scanLine++;
        const next = text.charCodeAt(end + 1);
        if (end + 1 < text.length && next !== 0x20 && next !== 0x09 && next !== 0x0a) return done(start);
        continue;
      }
      if (end > start) {
        buffer.index = end;
        last = indent;
        if (first > 0 && indent < first) return done(start);
      }
      if (end >= text.length) return done(end);
      const newline = text.indexOf("\n", end);
      buffer.index = newline < 0 ? text.length : newline;
      if (first === 0) first = last;
    }
  }

  #endOfFile(): Token {
    this.#state = "initial";
    if (this.#last !== "eol" && this.#last !== "help-text") {
      this.#output.err(`${this.at.file}:${this.at.scanLine}:warning: no new line at end of file\n`);
    }
    const { parent } = this.#buffer;
    if (parent === undefined) {
      if (this.#oldPositions) this.at.file = "<none>";
      return this.#last === "eol" || this.#last === "help-text" || !this.#oldPositions ? END : EOL;
    }
    if (this.#last !== "eol" && this.#last !== "help-text") this.#ended = this.#buffer;
    this.#buffer = parent;
    this.at.file = parent.file;
    this.at.scanLine = parent.scanLine;
    return EOL;
  }

  /** Stops with an error that is told as it stands. */
  fail(message: string): never {
    this.#output.err(`${message}\n`);
    throw new KconfigAbort(message);
  }
}
