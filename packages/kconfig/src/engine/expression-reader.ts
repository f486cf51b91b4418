/** Expressions of the grammar. */
import type { Comparison, Expr } from "./expr.ts";
import type { Sym } from "./model.ts";
import { TokenReader } from "./token-reader.ts";

const COMPARISONS: ReadonlySet<string> = new Set(["=", "!=", "<", "<=", ">", ">="]);

export class ExpressionReader extends TokenReader {
  /** Symbols that stand for the answers of commands that run yet. */
  protected readonly deferred = new Map<Sym, string>();
  readonly #deferredSymbols: Sym[] = [];

  protected condition(): Expr | undefined {
    if (!this.is("if")) return undefined;
    this.take();
    return this.expr();
  }

  protected expr(): Expr {
    let left = this.conjunction();
    while (this.isOperator("||")) {
      this.take();
      left = this.context.pool.two("||", left, this.conjunction());
    }
    return left;
  }

  protected conjunction(): Expr {
    let left = this.operand();
    while (this.isOperator("&&")) {
      this.take();
      left = this.context.pool.two("&&", left, this.operand());
    }
    return left;
  }

  protected operand(): Expr {
    const { pool } = this.context;
    if (this.isOperator("!")) {
      this.take();
      this.deeper();
      const negated = pool.not(this.operand());
      this.depth--;
      return negated;
    }
    if (this.isOperator("(")) {
      this.take();
      this.deeper();
      const inner = this.expr();
      this.depth--;
      if (!this.isOperator(")")) this.fault();
      this.take();
      return inner;
    }
    const left = this.symbol();
    const token = this.peek();
    if (token.kind !== "operator" || !COMPARISONS.has(token.text)) return pool.symbol(left);
    this.take();
    return pool.compare(token.text as Comparison, left, this.symbol());
  }

  protected symbol(): Sym {
    const { table } = this.context;
    return this.peek().kind === "quoted" ? table.lookup(this.take().text, true) : this.plainSymbol();
  }

  protected plainSymbol(): Sym {
    const { table } = this.context;
    const { kind, deferred } = this.peek();
    if (kind !== "word" || deferred === undefined) return table.lookup(this.word(), false);
    this.take();
    const symbol = (this.#deferredSymbols[deferred] ??= table.deferred());
    this.deferred.set(symbol, this.preprocessor.deferred[deferred] as string);
    return symbol;
  }
}
