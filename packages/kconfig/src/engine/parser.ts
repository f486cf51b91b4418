/**
 * The grammar (scripts/kconfig/parser.y) as recursive descent. After a syntax error bison drops the statement that it is
 * in and goes on at the end of the line; so does this, to find as many errors in one go.
 */
import { TreeBuilder } from "./builder.ts";
import type { Dialect } from "./dialect.ts";
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import type { Comparison, Expr, ExprPool } from "./expr.ts";
import { includeFiles } from "./include.ts";
import type { FileOpener, SourceKeyword } from "./include.ts";
import { Lexer } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import type { Menu, Sym, SymbolType } from "./model.ts";
import { takeEnvironment, withSymbols } from "./old-symbols.ts";
import { Preprocessor } from "./preprocess.ts";
import type { Assignment } from "./preprocess.ts";
import type { Simplifier } from "./simplify.ts";
import type { KconfigSourceHost, Position } from "./source.ts";
import type { SymbolTable } from "./symbol-table.ts";

/** A statement cannot be understood; caught where statements are listed. */
class SyntaxFault extends Error {}

const TYPES: ReadonlyMap<string, SymbolType> = new Map([
  ["bool", "bool"],
  ["tristate", "tristate"],
  ["int", "int"],
  ["hex", "hex"],
  ["string", "string"],
]);
const DEFAULT_TYPES: ReadonlyMap<string, SymbolType> = new Map([
  ["default", "unknown"],
  ["def_bool", "bool"],
  ["def_tristate", "tristate"],
]);
/** So that no stack overflows; kernels have ten levels. */
const MAX_DEPTH = 1000;
const COMPARISONS: ReadonlySet<string> = new Set(["=", "!=", "<", "<=", ">", ">="]);
const SOURCES: ReadonlySet<string> = new Set(["source", "rsource", "osource", "orsource"]);

export interface Parsed {
  readonly root: Menu;
  /** The symbol of the option `modules`. */
  readonly modules: Sym | undefined;
  /** The symbol whose defaults name files to start from, when there is no `.config` (`option defconfig_list`). */
  readonly defconfigList: Sym | undefined;
  /** Files read, in order of first mention. */
  readonly files: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  /** Symbols that stand for the answers of commands that run yet. */
  readonly deferred: ReadonlyMap<Sym, string>;
}

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

/** @throws KconfigAbort after all errors were told. */
export function parseTree(name: string, context: ParserContext): Parsed {
  return new Parser(name, context).parse();
}

class Parser {
  readonly #context: ParserContext;
  readonly #at: Position = { file: "", scanLine: 1, line: 0 };
  readonly #lexer: Lexer;
  readonly #preprocessor: Preprocessor;
  readonly #builder: TreeBuilder;
  readonly #files = new Map<string, { readonly parent: string; readonly line: number } | undefined>();
  readonly #deferred = new Map<Sym, string>();
  readonly #deferredSymbols: Sym[] = [];
  #token: Token | undefined;
  #errors = 0;
  // Tokens still to be taken before another syntax error is told.
  #quiet = 0;
  readonly #blocks: Menu[] = [];
  // Blocks, parentheses and negations around what is being read.
  #depth = 0;
  #choice: Menu | undefined;
  #modules: Sym | undefined;
  #defconfigList: Sym | undefined;

  constructor(name: string, context: ParserContext) {
    this.#context = context;
    const { host, output, dialect, pool, open } = context;
    const text = open(name);
    if (text === undefined) {
      output.err(`can't find file ${name}\n`);
      throw new KconfigAbort(`can't find file ${name}`);
    }
    this.#preprocessor = new Preprocessor(host, this.#at, output, dialect.shellBytes);
    const { preprocessor, at } = { preprocessor: this.#preprocessor, at: this.#at };
    this.#lexer = new Lexer({ name, text }, { at, preprocessor, output, dialect });
    this.#builder = new TreeBuilder(pool, this.#at, output, dialect.choice === "symbol");
    this.#files.set(name, undefined);
  }

  parse(): Parsed {
    const { dialect, table } = this.#context;
    if (dialect.modules === "name") this.#modules = table.lookup("MODULES", false);
    if (dialect.mainmenu === "first" && this.#is("mainmenu")) this.#mainMenu();
    for (;;) {
      this.#statements(false);
      if (this.#peek().kind === "end") break;
      this.#guarded(() => this.#fault());
    }
    if (this.#errors > 0) throw new KconfigAbort("syntax errors");
    const { root } = this.#builder;
    if (root.prompt === undefined) {
      this.#builder.entry = root;
      this.#builder.addPrompt("menu", dialect.title, undefined);
    }
    if (root.prompt !== undefined) root.prompt.text = withSymbols(root.prompt.text ?? "", this.#context);
    return {
      root,
      modules: this.#modules,
      defconfigList: this.#defconfigList,
      files: [...this.#files.keys()],
      environment: this.#preprocessor.environment,
      deferred: this.#deferred,
    };
  }

  // There is nothing yet that bison could go back to.
  #mainMenu(): void {
    try {
      this.#take();
      const text = this.#promptText();
      this.#eol();
      this.#builder.addPrompt("menu", text, undefined);
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      this.#syntaxError();
      throw new KconfigAbort("syntax error");
    }
  }

  // Statements up to one that ends the block, or the end of all files. Bison tells of an error and goes on.
  #statements(inChoice: boolean): void {
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end" || isEnd(token)) return;
      this.#guarded(() => this.#statement(token, inChoice));
    }
  }

  #guarded(parse: () => void): boolean {
    const depth = this.#depth;
    try {
      parse();
      return true;
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      this.#depth = depth;
      this.#recover(fault.message === "" ? "invalid statement" : fault.message);
      return false;
    }
  }

  #statement(token: Token, inChoice: boolean): void {
    const { dialect } = this.#context;
    const holds = !inChoice || dialect.extensions ? "statements" : dialect.choiceHolds;
    if (token.kind === "word") return this.#assignment(holds !== "statements");
    if (token.kind !== "keyword") return this.#fault();
    switch (token.text) {
      case "config":
      case "menuconfig":
        if (token.text === "menuconfig" && holds !== "statements") this.#fault();
        return this.#config(token.text);
      case "comment":
        return this.#comment();
      case "if":
        return this.#if(inChoice && holds !== "statements");
      case "choice":
        if (inChoice) this.#fault();
        return this.#choiceBlock();
      case "menu":
        if (inChoice) this.#fault();
        return this.#menu();
      case "mainmenu":
        if (dialect.mainmenu !== "ignored") this.#fault();
        this.#take();
        this.#promptText();
        return this.#eol();
      default:
        if (!SOURCES.has(token.text) || holds === "members") this.#fault();
        this.#take();
        return this.#source(token.text as SourceKeyword);
    }
  }

  #assignment(refused: boolean): void {
    if (refused || !this.#context.dialect.macros) this.#fault();
    if (this.#peek().deferred !== undefined) throw new AnswerNeeded();
    const name = this.#take().text;
    const how = this.#peek();
    if (how.kind !== "operator" || !["=", ":=", "+="].includes(how.text)) {
      this.#fault(`unknown statement "${name}"`);
    }
    this.#take();
    const value = this.#peek().kind === "assign-value" ? this.#take().text : "";
    if (this.#peek().kind !== "eol") this.#fault(`unknown statement "${name}"`);
    this.#eol();
    this.#preprocessor.assign(name, value, how.text as Assignment);
  }

  #config(keyword: "config" | "menuconfig"): void {
    const { table, dialect } = this.#context;
    this.#take();
    const name = this.#word();
    this.#eol();
    const symbol = table.lookup(name, false);
    if (dialect.choice === "symbol") symbol.optional = true;
    const entry = this.#builder.addEntry(keyword === "config" ? "symbol" : "menuconfig", symbol);
    while (this.#configOption());
    if (keyword === "menuconfig") {
      if (entry.prompt !== undefined) entry.prompt.kind = "menu";
      else if (dialect.strictHelp) this.#error("menuconfig statement without prompt");
      else this.#warn("menuconfig statement without prompt");
    } else if (this.#choice !== undefined && dialect.choice === "members") this.#member(entry, symbol);
  }

  #member(entry: Menu, symbol: Sym): void {
    const tell = (message: string): void => {
      this.#context.output.err(`${entry.file}:${entry.line}: error: ${message}\n`);
      this.#errors++;
    };
    if (entry.prompt === undefined) tell("choice member must have a prompt");
    if (symbol.type !== "bool") tell("choice member must be bool");
    if (symbol.isMember && this.#context.dialect.uniqueMembers) return;
    symbol.isMember = true;
    this.#choice?.members.push(symbol);
  }

  /** One option of a config; false when what follows is none. */
  #configOption(): boolean {
    const token = this.#peek();
    if (token.kind !== "keyword") return false;
    const type = TYPES.get(token.text);
    if (type !== undefined) {
      this.#take();
      this.#optionalPrompt();
      this.#eol();
      this.#builder.setType(type);
      return true;
    }
    const defaultType = DEFAULT_TYPES.get(token.text);
    if (defaultType !== undefined) {
      this.#take();
      const expr = this.#expr();
      const condition = this.#condition();
      this.#eol();
      this.#builder.addExpr("default", expr, condition);
      if (defaultType !== "unknown") this.#builder.setType(defaultType);
      return true;
    }
    switch (token.text) {
      case "prompt":
        this.#prompt();
        return true;
      case "select":
      case "imply": {
        this.#take();
        const symbol = this.#plainSymbol();
        const condition = this.#condition();
        this.#eol();
        this.#builder.addExpr(token.text, this.#context.pool.symbol(symbol), condition);
        return true;
      }
      case "range": {
        this.#take();
        const low = this.#symbol();
        const high = this.#symbol();
        const condition = this.#condition();
        this.#eol();
        this.#builder.addExpr("range", this.#context.pool.compare("range", low, high), condition);
        return true;
      }
      case "modules": {
        this.#take();
        this.#eol();
        this.#setModules();
        return true;
      }
      case "option":
        this.#oldOption();
        return true;
      case "transitional":
        this.#take();
        this.#eol();
        if (this.#builder.entry.symbol !== undefined) this.#builder.entry.symbol.transitional = true;
        return true;
      default:
        return this.#dependsOrHelp(token);
    }
  }

  #setModules(): void {
    const symbol = this.#builder.entry.symbol;
    if (this.#modules !== undefined) {
      this.#error(
        `symbol '${symbol?.name ?? ""}' redefines option 'modules' already defined by symbol ` +
          `'${this.#modules.name ?? ""}'`,
      );
    }
    this.#modules = symbol;
  }

  // What `option` is followed by, up to Linux 5.13.
  #oldOption(): void {
    this.#take();
    const option = this.#word();
    const argument = this.#isOperator("=") ? (this.#take(), this.#promptText()) : undefined;
    this.#eol();
    const { symbol } = this.#builder.entry;
    if (symbol === undefined) return;
    if (option === "modules") this.#setModules();
    else if (option === "allnoconfig_y") symbol.allNoY = true;
    else if (option === "defconfig_list") {
      this.#defconfigList ??= symbol;
      if (this.#defconfigList !== symbol) this.#error("trying to redefine defconfig symbol");
      this.#defconfigList.noWrite = true;
    } else if (option === "env" && !this.#context.dialect.macros && argument !== undefined) {
      takeEnvironment(symbol, argument, this.#builder, this.#context);
    } else this.#warn(`ignoring unknown option ${option}`);
  }

  #dependsOrHelp(token: Token): boolean {
    if (token.text === "depends") {
      this.#depends();
      return true;
    }
    if (token.text !== "help") return false;
    this.#take();
    this.#eol();
    this.#lexer.startHelp();
    const text = this.#peek();
    if (text.kind !== "help-text") this.#fault();
    this.#take();
    const { entry } = this.#builder;
    const name = entry.symbol?.name ?? "<choice>";
    const strict = this.#context.dialect.strictHelp;
    if (entry.rawHelp !== undefined) {
      if (strict) this.#error(`'${name}' defined with more than one help text`);
      else this.#warn(`'${name}' defined with more than one help text -- only the last one will be used`);
    }
    if (/^[ \f\n\r\t\v]*$/.test(text.text)) {
      if (strict) this.#error(`'${name}' defined with blank help text`);
      else this.#warn(`'${name}' defined with blank help text`);
    }
    entry.rawHelp = text.text;
    return true;
  }

  #depends(): void {
    this.#take();
    if (this.#is("on") || !this.#context.dialect.oldWords) this.#keyword("on");
    let expr = this.#expr();
    const condition = this.#context.dialect.dependsIf ? this.#condition() : undefined;
    this.#eol();
    if (condition !== undefined) {
      // "depends on X if Y" is X || Y=n.
      const { pool, simplifier, table } = this.#context;
      expr = pool.two("||", expr, simplifier.compareWith(condition, "=", table.no));
    }
    this.#builder.addDependency(expr);
  }

  #prompt(): void {
    this.#take();
    const text = this.#promptText();
    const condition = this.#condition();
    this.#eol();
    this.#builder.addPrompt("prompt", text, condition);
  }

  #optionalPrompt(): void {
    const { kind } = this.#peek();
    if (kind !== "quoted" && !(kind === "word" && this.#context.dialect.wordPrompts)) return;
    const text = this.#promptText();
    const condition = this.#condition();
    this.#builder.addPrompt("prompt", text, condition);
  }

  #choiceBlock(): void {
    const { table, dialect, output } = this.#context;
    const asSymbol = dialect.choice === "symbol";
    this.#take();
    const name = asSymbol && this.#peek().kind === "word" ? this.#word() : undefined;
    this.#eol();
    const symbol = table.choice(name);
    const entry = this.#builder.addEntry("choice", symbol);
    if (!asSymbol) this.#builder.setType("bool");
    while (this.#choiceOption());
    if (!asSymbol && entry.prompt === undefined) {
      output.err(`${entry.file}:${entry.line}: error: choice must have a prompt\n`);
      this.#errors++;
    }
    this.#block("choice", true, () => {
      this.#choice = entry;
    });
  }

  #choiceOption(): boolean {
    const { dialect, pool } = this.#context;
    const token = this.#peek();
    if (token.kind !== "keyword") return false;
    switch (token.text) {
      case "prompt":
        this.#prompt();
        return true;
      case "bool":
      case "tristate":
        if (!dialect.choiceType) return false;
        if (dialect.choice === "members") {
          if (token.text === "tristate") return false;
          this.#prompt();
          return true;
        }
        this.#take();
        this.#optionalPrompt();
        this.#eol();
        this.#builder.setType(token.text);
        return true;
      case "optional":
        this.#take();
        this.#eol();
        if (this.#builder.entry.symbol !== undefined) this.#builder.entry.symbol.optional = true;
        return true;
      case "default": {
        this.#take();
        const symbol = this.#plainSymbol();
        const condition = this.#condition();
        this.#eol();
        this.#builder.addExpr("default", pool.symbol(symbol), condition);
        return true;
      }
      default:
        return this.#dependsOrHelp(token);
    }
  }

  #if(inChoice: boolean): void {
    this.#take();
    const expr = this.#expr();
    this.#eol();
    this.#builder.addEntry("if", undefined);
    this.#builder.addDependency(expr);
    this.#block("if", inChoice, () => {});
  }

  #menu(): void {
    this.#take();
    const text = this.#promptText();
    this.#eol();
    this.#builder.addEntry("menu", undefined);
    this.#builder.addPrompt("menu", text, undefined);
    for (;;) {
      const token = this.#peek();
      if (token.kind === "keyword" && token.text === "depends") this.#depends();
      else if (token.kind === "keyword" && token.text === "visible") {
        this.#take();
        const condition = this.#condition();
        this.#eol();
        this.#builder.addVisibility(condition);
      } else break;
    }
    this.#block("menu", false, () => {});
  }

  // The statements of a block and the word that ends it (zconf_endtoken()).
  #block(kind: "menu" | "choice" | "if", inChoice: boolean, opened: () => void): void {
    const { output } = this.#context;
    this.#deeper();
    this.#blocks.push(this.#builder.open());
    opened();
    let token: Token;
    do {
      this.#statements(inChoice);
      token = this.#peek();
      if (token.kind === "end") {
        this.#syntaxError();
        this.#abort();
      }
    } while (!this.#guarded(() => this.#endLine()));
    this.#blocks.pop();
    this.#depth--;
    if (kind === "choice") this.#choice = undefined;
    const ends = token.text.slice(3);
    if (ends !== kind) this.#error(`unexpected '${ends}' within ${kind} block`);
    else if (this.#builder.menu.file !== this.#at.file) {
      const { file, line } = this.#builder.menu;
      this.#error(`'${ends}' in different file than '${kind}'`);
      output.err(`${file}:${line}: location of the '${kind}'\n`);
    } else this.#builder.close();
  }

  #endLine(): void {
    this.#take();
    this.#eol();
  }

  #comment(): void {
    this.#take();
    const text = this.#promptText();
    this.#eol();
    this.#builder.addEntry("comment", undefined);
    this.#builder.addPrompt("comment", text, undefined);
    for (;;) {
      const token = this.#peek();
      if (token.kind !== "keyword" || token.text !== "depends") return;
      this.#depends();
    }
  }

  #source(keyword: SourceKeyword): void {
    const name = withSymbols(this.#promptText(), this.#context);
    // The file begins before anything after this line is looked at.
    this.#eol();
    const { output, dialect, host, open } = this.#context;
    includeFiles(name, keyword, {
      lexer: this.#lexer,
      at: this.#at,
      files: this.#files,
      output,
      dialect,
      host,
      open,
    });
  }

  #condition(): Expr | undefined {
    if (!this.#is("if")) return undefined;
    this.#take();
    return this.#expr();
  }

  #expr(): Expr {
    let left = this.#conjunction();
    while (this.#isOperator("||")) {
      this.#take();
      left = this.#context.pool.two("||", left, this.#conjunction());
    }
    return left;
  }

  #conjunction(): Expr {
    let left = this.#operand();
    while (this.#isOperator("&&")) {
      this.#take();
      left = this.#context.pool.two("&&", left, this.#operand());
    }
    return left;
  }

  #operand(): Expr {
    const { pool } = this.#context;
    if (this.#isOperator("!")) {
      this.#take();
      this.#deeper();
      const negated = pool.not(this.#operand());
      this.#depth--;
      return negated;
    }
    if (this.#isOperator("(")) {
      this.#take();
      this.#deeper();
      const inner = this.#expr();
      this.#depth--;
      if (!this.#isOperator(")")) this.#fault();
      this.#take();
      return inner;
    }
    const left = this.#symbol();
    const token = this.#peek();
    if (token.kind !== "operator" || !COMPARISONS.has(token.text)) return pool.symbol(left);
    this.#take();
    return pool.compare(token.text as Comparison, left, this.#symbol());
  }

  // bison has such a limit too, at some thousands.
  #deeper(): void {
    if (++this.#depth <= MAX_DEPTH) return;
    this.#error("nested too deeply");
    this.#abort();
  }

  #symbol(): Sym {
    const { table } = this.#context;
    return this.#peek().kind === "quoted" ? table.lookup(this.#take().text, true) : this.#plainSymbol();
  }

  #plainSymbol(): Sym {
    const { table } = this.#context;
    const { kind, deferred } = this.#peek();
    if (kind !== "word" || deferred === undefined) return table.lookup(this.#word(), false);
    this.#take();
    const symbol = (this.#deferredSymbols[deferred] ??= table.deferred());
    this.#deferred.set(symbol, this.#preprocessor.deferred[deferred] as string);
    return symbol;
  }

  #peek(): Token {
    return (this.#token ??= this.#lexer.next());
  }

  #take(): Token {
    const token = this.#peek();
    this.#token = undefined;
    if (this.#quiet > 0) this.#quiet--;
    return token;
  }

  #is(keyword: string): boolean {
    const token = this.#peek();
    return token.kind === "keyword" && token.text === keyword;
  }

  #isOperator(operator: string): boolean {
    const token = this.#peek();
    return token.kind === "operator" && token.text === operator;
  }

  #keyword(keyword: string): void {
    if (!this.#is(keyword)) this.#fault();
    this.#take();
  }

  #word(): string {
    const { kind, deferred } = this.#peek();
    if (kind !== "word") this.#fault();
    if (deferred !== undefined) throw new AnswerNeeded();
    return this.#take().text;
  }

  #promptText(): string {
    if (this.#peek().kind === "word" && this.#context.dialect.wordPrompts) return this.#word();
    if (this.#peek().kind !== "quoted") this.#fault();
    return this.#take().text;
  }

  #eol(): void {
    if (this.#peek().kind !== "eol") this.#fault();
    this.#take();
  }

  #fault(message = ""): never {
    throw new SyntaxFault(message);
  }

  #syntaxError(): void {
    if (this.#quiet > 0) return;
    this.#errors++;
    const line = this.#at.line + (this.#context.dialect.oldPositions ? 1 : 0);
    this.#context.output.err(`${this.#lexer.errorFile}:${line}: syntax error\n`);
  }

  #recover(message: string): void {
    this.#syntaxError();
    this.#quiet = 3;
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") this.#abort();
      this.#take();
      this.#quiet = 3;
      if (token.kind === "eol") break;
    }
    this.#quiet = 2;
    this.#error(message);
  }

  // The files end where nothing can go on.
  #abort(): never {
    for (const { file, line } of this.#blocks.reverse()) {
      this.#context.output.err(`${file}:${line}: missing end statement for this entry\n`);
    }
    throw new KconfigAbort("syntax error");
  }

  #error(message: string): void {
    this.#errors++;
    this.#context.output.err(`${this.#lexer.errorFile}:${this.#at.line}: ${message}\n`);
  }

  #warn(message: string): void {
    this.#context.output.err(`${this.#lexer.errorFile}:${this.#at.line}: warning: ${message}\n`);
  }
}

function isEnd(token: Token): boolean {
  return (
    token.kind === "keyword" &&
    (token.text === "endmenu" || token.text === "endchoice" || token.text === "endif")
  );
}
