/** Options of symbols and choices. */
import { TreeBuilder } from "./builder.ts";
import { ExpressionReader } from "./expression-reader.ts";
import type { Token } from "./lexer.ts";
import type { Sym, SymbolType } from "./model.ts";
import { takeEnvironment } from "./old-symbols.ts";
import type { ParserContext } from "./token-reader.ts";

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

export class OptionReader extends ExpressionReader {
  protected readonly builder: TreeBuilder;
  protected modules: Sym | undefined;
  protected defconfigList: Sym | undefined;

  constructor(name: string, context: ParserContext) {
    super(name, context);
    this.builder = new TreeBuilder(
      context.pool,
      this.at,
      context.output,
      context.dialect.choice === "symbol",
    );
  }

  /** One option of a config; false when what follows is none. */
  protected configOption(): boolean {
    const token = this.peek();
    if (token.kind !== "keyword") return false;
    const type = TYPES.get(token.text);
    if (type !== undefined) {
      this.take();
      this.optionalPrompt();
      this.eol();
      this.builder.setType(type);
      return true;
    }
    const defaultType = DEFAULT_TYPES.get(token.text);
    if (defaultType !== undefined) {
      this.take();
      const expr = this.expr();
      const condition = this.condition();
      this.eol();
      this.builder.addExpr("default", expr, condition);
      if (defaultType !== "unknown") this.builder.setType(defaultType);
      return true;
    }
    switch (token.text) {
      case "prompt":
        this.prompt();
        return true;
      case "select":
      case "imply": {
        this.take();
        const symbol = this.plainSymbol();
        const condition = this.condition();
        this.eol();
        this.builder.addExpr(token.text, this.context.pool.symbol(symbol), condition);
        return true;
      }
      case "range": {
        this.take();
        const low = this.symbol();
        const high = this.symbol();
        const condition = this.condition();
        this.eol();
        this.builder.addExpr("range", this.context.pool.compare("range", low, high), condition);
        return true;
      }
      case "modules": {
        this.take();
        this.eol();
        this.setModules();
        return true;
      }
      case "option":
        this.oldOption();
        return true;
      case "transitional":
        this.take();
        this.eol();
        if (this.builder.entry.symbol !== undefined) this.builder.entry.symbol.transitional = true;
        return true;
      default:
        return this.dependsOrHelp(token);
    }
  }

  protected setModules(): void {
    const symbol = this.builder.entry.symbol;
    if (this.context.dialect.modules === "own") {
      if (symbol !== undefined) this.builder.addConstant(symbol, this.modules);
      return;
    }
    if (this.modules !== undefined) {
      this.error(
        `symbol '${symbol?.name ?? ""}' redefines option 'modules' already defined by symbol ` +
          `'${this.modules.name ?? ""}'`,
      );
    }
    this.modules = symbol;
  }

  // What `option` is followed by, up to Linux 5.13.
  protected oldOption(): void {
    this.take();
    const option = this.word();
    const argument = this.isOperator("=") ? (this.take(), this.promptText()) : undefined;
    this.eol();
    const { symbol } = this.builder.entry;
    if (symbol === undefined) return;
    if (option === "modules") this.setModules();
    else if (option === "allnoconfig_y") symbol.allNoY = true;
    else if (option === "defconfig_list") {
      this.defconfigList ??= symbol;
      if (this.defconfigList !== symbol) this.error("trying to redefine defconfig symbol");
      this.defconfigList.noWrite = true;
    } else if (option === "env" && !this.context.dialect.macros && argument !== undefined) {
      this.preprocessor.environment.set(argument, this.context.host.getenv(argument) ?? "");
      takeEnvironment(symbol, argument, this.builder, this.context);
    } else this.warn(`ignoring unknown option ${option}`);
  }

  protected dependsOrHelp(token: Token): boolean {
    if (token.text === "depends") {
      this.depends();
      return true;
    }
    if (token.text !== "help") return false;
    this.take();
    this.eol();
    this.lexer.startHelp();
    const text = this.peek();
    if (text.kind !== "help-text") this.fault();
    this.take();
    const { entry } = this.builder;
    const name = entry.symbol?.name ?? "<choice>";
    const strict = this.context.dialect.strictHelp;
    if (entry.rawHelp !== undefined) {
      if (strict) this.error(`'${name}' defined with more than one help text`);
      else if (this.context.dialect.tellsDoubleHelp)
        this.warn(`'${name}' defined with more than one help text -- only the last one will be used`);
    }
    if (/^[ \f\n\r\t\v]*$/.test(text.text)) {
      if (strict) this.error(`'${name}' defined with blank help text`);
      else if (this.context.dialect.tellsBlankHelp) this.warn(`'${name}' defined with blank help text`);
    }
    entry.rawHelp = text.text;
    return true;
  }

  protected depends(): void {
    this.take();
    if (this.is("on") || !this.context.dialect.oldWords) this.keyword("on");
    let expr = this.expr();
    const condition = this.context.dialect.dependsIf ? this.condition() : undefined;
    this.eol();
    if (condition !== undefined) {
      // "depends on X if Y" is X || Y=n.
      const { pool, simplifier, table } = this.context;
      expr = pool.two("||", expr, simplifier.compareWith(condition, "=", table.no));
    }
    this.builder.addDependency(expr);
  }

  protected prompt(): void {
    this.take();
    const text = this.promptText();
    const condition = this.condition();
    this.eol();
    this.builder.addPrompt("prompt", text, condition);
  }

  protected optionalPrompt(): void {
    const { kind } = this.peek();
    if (kind !== "quoted" && !(kind === "word" && this.context.dialect.wordPrompts)) return;
    const text = this.promptText();
    const condition = this.condition();
    this.builder.addPrompt("prompt", text, condition);
  }

  protected choiceOption(): boolean {
    const { dialect, pool } = this.context;
    const token = this.peek();
    if (token.kind !== "keyword") return false;
    switch (token.text) {
      case "prompt":
        this.prompt();
        return true;
      case "bool":
      case "tristate":
        if (!dialect.choiceType) return false;
        if (dialect.choice === "members") {
          if (token.text === "tristate") return false;
          this.prompt();
          return true;
        }
        this.take();
        this.optionalPrompt();
        this.eol();
        this.builder.setType(token.text);
        return true;
      case "reset":
        this.take();
        this.condition();
        this.eol();
        return true;
      case "optional":
        this.take();
        this.eol();
        if (this.builder.entry.symbol !== undefined) this.builder.entry.symbol.optional = true;
        return true;
      case "default": {
        this.take();
        const symbol = this.plainSymbol();
        const condition = this.condition();
        this.eol();
        this.builder.addExpr("default", pool.symbol(symbol), condition);
        return true;
      }
      default:
        return this.dependsOrHelp(token);
    }
  }
}
