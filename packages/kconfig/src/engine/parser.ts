/**
 * The grammar (scripts/kconfig/parser.y) as recursive descent. After a syntax error bison drops the statement that it is
 * in and goes on at the end of the line; so does this, to find as many errors in one go.
 */
import { KconfigAbort } from "./errors.ts";
import { includeFiles } from "./include.ts";
import type { SourceKeyword } from "./include.ts";
import type { Token } from "./lexer.ts";
import type { Menu, Sym } from "./model.ts";
import { withSymbols } from "./old-symbols.ts";
import { OptionReader } from "./option-reader.ts";
import type { Assignment } from "./preprocess.ts";
import { AnswerNeeded, SyntaxFault } from "./token-reader.ts";
import type { ParserContext } from "./token-reader.ts";

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

/** @throws KconfigAbort after all errors were told. */
export function parseTree(name: string, context: ParserContext): Parsed {
  return new Parser(name, context).parse();
}

class Parser extends OptionReader {
  readonly #files = new Map<string, { readonly parent: string; readonly line: number } | undefined>();
  #choice: Menu | undefined;

  constructor(name: string, context: ParserContext) {
    super(name, context);
    this.#files.set(name, undefined);
  }

  parse(): Parsed {
    const { dialect, table } = this.context;
    if (dialect.modules === "name") this.modules = table.lookup("MODULES", false);
    if (dialect.modules === "own") {
      this.modules = table.nameless();
      this.modules.type = "bool";
      this.modules.noWrite = true;
    }
    if (dialect.mainmenu === "first" && this.is("mainmenu")) this.#mainMenu();
    for (;;) {
      this.#statements(false);
      if (this.peek().kind === "end") break;
      this.#guarded(() => this.fault());
    }
    if (this.errors > 0) throw new KconfigAbort("syntax errors");
    if (dialect.modules === "own" && this.modules?.props.length === 0) {
      this.builder.addConstant(table.lookup("MODULES", false), this.modules);
    }
    const { root } = this.builder;
    if (root.prompt === undefined) {
      this.builder.entry = root;
      this.builder.addPrompt("menu", dialect.title, undefined);
    }
    if (root.prompt !== undefined) root.prompt.text = withSymbols(root.prompt.text ?? "", this.context);
    return {
      root,
      modules: this.modules,
      defconfigList: this.defconfigList,
      files: [...this.#files.keys()],
      environment: this.preprocessor.environment,
      deferred: this.deferred,
    };
  }

  // There is nothing yet that bison could go back to.
  #mainMenu(): void {
    try {
      this.take();
      const text = this.promptText();
      this.eol();
      this.builder.addPrompt("menu", text, undefined);
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      this.syntaxError();
      throw new KconfigAbort("syntax error");
    }
  }

  // Statements up to one that ends the block, or the end of all files. Bison tells of an error and goes on.
  #statements(inChoice: boolean): void {
    for (;;) {
      const token = this.peek();
      if (token.kind === "end" || isEnd(token)) return;
      this.#guarded(() => this.#statement(token, inChoice));
    }
  }

  #guarded(parse: () => void): boolean {
    const depth = this.depth;
    try {
      parse();
      return true;
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      this.depth = depth;
      this.recover(fault.message === "" ? "invalid statement" : fault.message);
      return false;
    }
  }

  #statement(token: Token, inChoice: boolean): void {
    const { dialect } = this.context;
    const holds = !inChoice || dialect.extensions ? "statements" : dialect.choiceHolds;
    if (token.kind === "word") return this.#assignment(holds !== "statements");
    if (token.kind !== "keyword") return this.fault();
    switch (token.text) {
      case "config":
      case "menuconfig":
        if (token.text === "menuconfig" && holds !== "statements") this.fault();
        return this.#config(token.text);
      case "comment":
        return this.#comment();
      case "if":
        return this.#if(inChoice && holds !== "statements");
      case "choice":
        if (inChoice) this.fault();
        return this.#choiceBlock();
      case "menu":
        if (inChoice) this.fault();
        return this.#menu();
      case "mainmenu":
        if (dialect.mainmenu !== "ignored") this.fault();
        this.take();
        this.promptText();
        return this.eol();
      default:
        if (!SOURCES.has(token.text) || holds === "members") this.fault();
        this.take();
        return this.#source(token.text as SourceKeyword);
    }
  }

  #assignment(refused: boolean): void {
    if (refused || !this.context.dialect.macros) this.fault();
    if (this.peek().deferred !== undefined) throw new AnswerNeeded();
    const name = this.take().text;
    const how = this.peek();
    if (how.kind !== "operator" || !["=", ":=", "+="].includes(how.text)) {
      this.fault(`unknown statement "${name}"`);
    }
    this.take();
    const value = this.peek().kind === "assign-value" ? this.take().text : "";
    if (this.peek().kind !== "eol") this.fault(`unknown statement "${name}"`);
    this.eol();
    this.preprocessor.assign(name, value, how.text as Assignment);
  }

  #config(keyword: "config" | "menuconfig"): void {
    const { table, dialect } = this.context;
    this.take();
    const name = this.word();
    this.eol();
    const symbol = table.lookup(name, false);
    if (dialect.choice === "symbol") symbol.optional = true;
    const entry = this.builder.addEntry(keyword === "config" ? "symbol" : "menuconfig", symbol);
    while (this.configOption());
    if (keyword === "menuconfig") {
      if (entry.prompt !== undefined) entry.prompt.kind = "menu";
      else if (dialect.strictHelp) this.error("menuconfig statement without prompt");
      else this.warn("menuconfig statement without prompt");
    } else if (this.#choice !== undefined && dialect.choice === "members") this.#member(entry, symbol);
  }

  #member(entry: Menu, symbol: Sym): void {
    const tell = (message: string): void => {
      this.context.output.err(`${entry.file}:${entry.line}: error: ${message}\n`);
      this.errors++;
    };
    if (entry.prompt === undefined) tell("choice member must have a prompt");
    if (symbol.type !== "bool") tell("choice member must be bool");
    if (symbol.isMember && this.context.dialect.uniqueMembers) return;
    symbol.isMember = true;
    this.#choice?.members.push(symbol);
  }

  #choiceBlock(): void {
    const { table, dialect, output } = this.context;
    const asSymbol = dialect.choice === "symbol";
    this.take();
    const name = asSymbol && this.peek().kind === "word" ? this.word() : undefined;
    this.eol();
    const symbol = table.choice(name);
    const entry = this.builder.addEntry("choice", symbol);
    if (!asSymbol) this.builder.setType("bool");
    while (this.choiceOption());
    if (!asSymbol && entry.prompt === undefined) {
      output.err(`${entry.file}:${entry.line}: error: choice must have a prompt\n`);
      this.errors++;
    }
    this.#block("choice", true, () => {
      this.#choice = entry;
    });
  }

  #if(inChoice: boolean): void {
    this.take();
    const expr = this.expr();
    this.eol();
    this.builder.addEntry("if", undefined);
    this.builder.addDependency(expr);
    this.#block("if", inChoice, () => {});
  }

  #menu(): void {
    this.take();
    const text = this.promptText();
    this.eol();
    this.builder.addEntry("menu", undefined);
    this.builder.addPrompt("menu", text, undefined);
    for (;;) {
      const token = this.peek();
      if (token.kind === "keyword" && token.text === "depends") this.depends();
      else if (token.kind === "keyword" && token.text === "visible") {
        this.take();
        const condition = this.condition();
        this.eol();
        this.builder.addVisibility(condition);
      } else break;
    }
    this.#block("menu", false, () => {});
  }

  // The statements of a block and the word that ends it (zconf_endtoken()).
  #block(kind: "menu" | "choice" | "if", inChoice: boolean, opened: () => void): void {
    const { output } = this.context;
    this.deeper();
    this.blocks.push(this.builder.open());
    opened();
    let token: Token;
    do {
      this.#statements(inChoice);
      token = this.peek();
      if (token.kind === "end") {
        this.syntaxError();
        this.abort();
      }
    } while (!this.#guarded(() => this.endLine()));
    this.blocks.pop();
    this.depth--;
    if (kind === "choice") this.#choice = undefined;
    const ends = token.text.slice(3);
    if (ends !== kind) this.error(`unexpected '${ends}' within ${kind} block`);
    else if (this.builder.menu.file !== this.at.file) {
      const { file, line } = this.builder.menu;
      this.error(`'${ends}' in different file than '${kind}'`);
      output.err(`${file}:${line}: location of the '${kind}'\n`);
    } else this.builder.close();
  }

  #comment(): void {
    this.take();
    const text = this.promptText();
    this.eol();
    this.builder.addEntry("comment", undefined);
    this.builder.addPrompt("comment", text, undefined);
    for (;;) {
      const token = this.peek();
      if (token.kind !== "keyword" || token.text !== "depends") return;
      this.depends();
    }
  }

  #source(keyword: SourceKeyword): void {
    const name = withSymbols(this.promptText(), this.context);
    // The file begins before anything after this line is looked at.
    this.eol();
    const { output, dialect, host, open } = this.context;
    includeFiles(name, keyword, {
      lexer: this.lexer,
      at: this.at,
      files: this.#files,
      output,
      dialect,
      host,
      open,
    });
  }
}

function isEnd(token: Token): boolean {
  return (
    token.kind === "keyword" &&
    (token.text === "endmenu" || token.text === "endchoice" || token.text === "endif")
  );
}
