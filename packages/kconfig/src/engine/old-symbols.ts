/** Symbols as variables, before there were macros (Linux 4.17 and before): `option env=` and `$NAME`. */
import type { TreeBuilder } from "./builder.ts";
import type { Dialect } from "./dialect.ts";
import type { Output } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import type { Sym } from "./model.ts";
import type { KconfigSourceHost } from "./source.ts";
import type { SymbolTable } from "./symbol-table.ts";

export interface OldSymbolsContext {
  readonly dialect: Dialect;
  readonly host: KconfigSourceHost;
  readonly output: Output;
  readonly table: SymbolTable;
}

/** Gives the symbol of the builder's entry the value of an environment variable (prop_add_env() in symbol.c). */
export function takeEnvironment(
  symbol: Sym,
  name: string,
  builder: TreeBuilder,
  { host, output, table }: OldSymbolsContext,
): void {
  symbol.noWrite = true;
  const value = host.getenv(name);
  if (value !== undefined) {
    builder.addConstant(table.lookup(value, true));
    return;
  }
  const { file, line } = builder.entry;
  output.err(`${file}:${line}:warning: environment variable ${name} undefined\n`);
}

/** Puts the values that symbols have so far for `$NAME` (sym_expand_string_value() in symbol.c). */
export function withSymbols(text: string, { dialect, output, table }: OldSymbolsContext): string {
  if (dialect.macros || !text.includes("$")) return text;
  const evaluator = new Evaluator({ dialect, output, modules: table.no, symbols: [] });
  return text.replace(/\$([A-Za-z0-9_]*)/g, (_, name: string) => {
    const symbol = table.find(name);
    if (symbol === undefined) return "";
    evaluator.calc(symbol);
    return evaluator.text(symbol);
  });
}
