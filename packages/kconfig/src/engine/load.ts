/** Reads a tree of Kconfig files and makes it ready for evaluation (conf_parse() in parser.y). */
import { isAbsolute, join } from "node:path";
import { DependencyCheck } from "./check-deps.ts";
import type { Dialect } from "./dialect.ts";
import { KconfigAbort } from "./errors.ts";
import type { Output } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import { ExprPool } from "./expr.ts";
import { finalizeTree } from "./finalize.ts";
import { choiceMenu, menusBelow } from "./model.ts";
import type { Menu, Sym } from "./model.ts";
import { parseTree } from "./parser.ts";
import { Simplifier } from "./simplify.ts";
import type { KconfigSourceHost } from "./source.ts";
import { SymbolTable } from "./symbol-table.ts";

export interface LoadRequest {
  /** The first file, as it is to stand in messages. */
  readonly file: string;
  /** Where files are looked for, in order; conf has its current directory and `$srctree`. */
  readonly directories: readonly string[];
  readonly dialect: Dialect;
  readonly host: KconfigSourceHost;
  readonly output: Output;
}

/** A tree and its values. */
export interface LoadedTree {
  readonly root: Menu;
  readonly dialect: Dialect;
  readonly table: SymbolTable;
  readonly pool: ExprPool;
  readonly simplifier: Simplifier;
  readonly evaluator: Evaluator;
  /** All symbols, quoted ones and choices too, in the order in which conf walks them. */
  readonly symbols: readonly Sym[];
  readonly modules: Sym;
  readonly files: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** @throws KconfigAbort when the tree is wrong; what is wrong was told on `output`. */
export function loadTree(request: LoadRequest): LoadedTree {
  const { file, directories, dialect, host, output } = request;
  const table = new SymbolTable();
  const pool = new ExprPool();
  const simplifier = new Simplifier(pool, table, dialect, (text) => output.out(text));
  const open = (name: string): string | undefined => {
    if (isAbsolute(name)) return host.readFile(name);
    for (const directory of directories) {
      const text = host.readFile(join(directory, name));
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const parsed = parseTree(file, { host, open, output, dialect, pool, table, simplifier });
  const { root } = parsed;
  const modules = parsed.modules ?? table.no;
  finalizeTree(root, { dialect, pool, table, simplifier, output, modules });
  const symbols = table.inTableOrder(dialect.buckets);
  if (dialect.choice === "members") for (const symbol of symbols) symbol.choiceNode = choiceMenu(symbol);
  checkTree(root, symbols, dialect, output);
  const evaluator = new Evaluator({ dialect, output, modules, symbols });
  evaluator.changed = true;
  const { files, environment } = parsed;
  return { root, dialect, table, pool, simplifier, evaluator, symbols, modules, files, environment };
}

function checkTree(root: Menu, symbols: readonly Sym[], dialect: Dialect, output: Output): void {
  const check = new DependencyCheck(dialect, output);
  let errors = 0;
  if (dialect.checksTable) {
    for (const symbol of symbols) if (check.check(symbol) !== undefined) errors++;
  } else {
    for (const menu of menusBelow(root)) {
      if (menu.symbol !== undefined && check.check(menu.symbol) !== undefined) errors++;
      if (menu.symbol?.transitional === true && !isPlainTransitional(menu, output)) errors++;
      if (menu.symbol?.isChoice !== true) continue;
      for (const member of menusBelow(menu)) if (!isSoundMember(member, dialect, output)) errors++;
    }
  }
  if (errors > 0) throw new KconfigAbort("the tree is wrong");
}

// transitional_check_sanity() in parser.y
function isPlainTransitional(menu: Menu, output: Output): boolean {
  const isYes = (expr: Menu["dep"]): boolean => expr === undefined || (expr.op === "symbol" && expr.left.tri === 2 && expr.left.constant);
  const tell = (file: string, line: number): false => {
    output.err(`${file}:${line}: error: transitional symbols can only have help sections\n`);
    return false;
  };
  if (!isYes(menu.dep) || !isYes(menu.visibility)) return tell(menu.file, menu.line);
  const other = menu.symbol?.props.find((property) => property.kind !== "comment");
  return other === undefined || tell(other.file, other.line);
}

// choice_check_sanity() in parser.y
function isSoundMember(menu: Menu, dialect: Dialect, output: Output): boolean {
  let sound = true;
  const tell = (file: string, line: number, message: string): void => {
    output.err(`${file}:${line}: error: ${message}\n`);
    sound = false;
  };
  for (const property of menu.symbol?.props ?? []) {
    if (property.kind === "default") {
      tell(property.file, property.line, "defaults for choice values not supported");
    }
    if (property.menu === menu || property.kind !== "prompt") continue;
    if (dialect.strictMember) {
      tell(property.file, property.line, "choice value must not have a prompt in another entry");
    } else if (property.menu.parent !== menu.parent) {
      tell(property.file, property.line, "choice value has a prompt outside its choice group");
    }
  }
  return sound;
}
