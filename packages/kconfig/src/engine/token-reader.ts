/** Tokens as the grammar takes them, and what becomes of errors. */
import type { Dialect } from "./dialect.ts";
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import type { ExprPool } from "./expr.ts";
import type { FileOpener } from "./include.ts";
import { Lexer } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import type { Menu } from "./model.ts";
import { Preprocessor } from "./preprocess.ts";
import type { Simplifier } from "./simplify.ts";
import type { KconfigSourceHost, Position } from "./source.ts";
import type { SymbolTable } from "./symbol-table.ts";

/** A statement cannot be understood; caught where statements are listed. */
export class SyntaxFault extends Error {}

/** A command's answer is needed where only its own text will do; the tree is read again when it is known. */
export class AnswerNeeded extends Error {}

export interface ParserContext {
  readonly host: KconfigSourceHost;
  readonly open: FileOpener;
  readonly output: Output;
  readonly dialect: Dialect;
  readonly pool: ExprPool;
  readonly table: SymbolTable;
  readonly simplifier: Simplifier;
}

const MAX_DEPTH = 1000;

export class TokenReader {
  protected readonly context: ParserContext;
  protected readonly at: Position = { file: "", scanLine: 1, line: 0 };
  protected readonly lexer: Lexer;
  protected readonly preprocessor: Preprocessor;
  /** Blocks that are open, outermost first. */
  protected readonly blocks: Menu[] = [];
  protected errors = 0;
  /** Blocks, parentheses and negations around what is being read. */
  protected depth = 0;
  // Tokens still to be taken before another syntax error is told.
  #quiet = 0;
  #token: Token | undefined;

  constructor(name: string, context: ParserContext) {
    this.context = context;
    const { host, output, dialect, open } = context;
    const text = open(name);
    if (text === undefined) {
      output.err(`can't find file ${name}\n`);
      throw new KconfigAbort(`can't find file ${name}`);
    }
    const { at } = this;
    const preprocessor = new Preprocessor(host, at, output, dialect.shellBytes);
    this.preprocessor = preprocessor;
    this.lexer = new Lexer({ name, text }, { at, preprocessor, output, dialect });
  }

  protected peek(): Token {
    return (this.#token ??= this.lexer.next());
  }

  protected take(): Token {
    const token = this.peek();
    this.#token = undefined;
    if (this.#quiet > 0) this.#quiet--;
    return token;
  }

  protected is(keyword: string): boolean {
    const token = this.peek();
    return token.kind === "keyword" && token.text === keyword;
  }

  protected isOperator(operator: string): boolean {
    const token = this.peek();
    return token.kind === "operator" && token.text === operator;
  }

  protected keyword(keyword: string): void {
    if (!this.is(keyword)) this.fault();
    this.take();
  }

  protected word(): string {
    const { kind, deferred } = this.peek();
    if (kind !== "word") this.fault();
    if (deferred !== undefined) throw new AnswerNeeded();
    return this.take().text;
  }

  protected promptText(): string {
    if (this.peek().kind === "word" && this.context.dialect.wordPrompts) return this.word();
    if (this.peek().kind !== "quoted") this.fault();
    return this.take().text;
  }

  protected eol(): void {
    if (this.peek().kind !== "eol") this.fault();
    this.take();
  }

  protected endLine(): void {
    this.take();
    this.eol();
  }

  protected fault(message = ""): never {
    throw new SyntaxFault(message);
  }

  protected syntaxError(): void {
    if (this.#quiet > 0) return;
    this.errors++;
    const line = this.at.line + (this.context.dialect.oldPositions ? 1 : 0);
    this.context.output.err(`${this.lexer.errorFile}:${line}: syntax error\n`);
  }

  protected recover(message: string): void {
    this.syntaxError();
    this.#quiet = 3;
    for (;;) {
      const token = this.peek();
      if (token.kind === "end") this.abort();
      this.take();
      this.#quiet = 3;
      if (token.kind === "eol") break;
    }
    this.#quiet = 2;
    this.error(message);
  }

  // The files end where nothing can go on.
  protected abort(): never {
    for (const { file, line } of this.blocks.reverse()) {
      this.context.output.err(`${file}:${line}: missing end statement for this entry\n`);
    }
    throw new KconfigAbort("syntax error");
  }

  protected error(message: string): void {
    this.errors++;
    this.context.output.err(`${this.lexer.errorFile}:${this.at.line}: ${message}\n`);
  }

  protected warn(message: string): void {
    this.context.output.err(`${this.lexer.errorFile}:${this.at.line}: warning: ${message}\n`);
  }

  // bison has such a limit too, at some thousands.
  protected deeper(): void {
    if (++this.depth <= MAX_DEPTH) return;
    this.error("nested too deeply");
    this.abort();
  }
}
