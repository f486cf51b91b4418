/** Reads a tree of Kconfig files and makes it ready for evaluation (conf_parse() in parser.y). */
import { isAbsolute, join } from "node:path";
import { DependencyCheck } from "./check-deps.ts";
import type { Dialect } from "./dialect.ts";
import { KconfigAbort, withinStack } from "./errors.ts";
import type { Output } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import { ExprPool } from "./expr.ts";
import type { Expr } from "./expr.ts";
import { finalizeTree } from "./finalize.ts";
import { choiceMenu, menusBelow } from "./model.ts";
import type { Menu, Sym } from "./model.ts";
import { parseTree } from "./parser.ts";
import type { Parsed } from "./parser.ts";
import { AnswerNeeded } from "./token-reader.ts";
import { shellValue } from "./preprocess.ts";
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
  readonly defconfigList: Sym | undefined;
  readonly files: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** A tree that was read, while commands that it asks for still run. */
export interface LoadInProgress {
  /** Commands whose answers `finish` asks the host for. */
  readonly commands: readonly string[];
  /** @throws KconfigAbort when the tree is wrong; what is wrong was told on `output`. */
  readonly finish: () => LoadedTree;
}

/**
 * Reads a tree in one go.
 *
 * @throws KconfigAbort when the tree is wrong; what is wrong was told on `output`.
 */
export function loadTree(request: LoadRequest): LoadedTree {
  const { host } = request;
  return beginLoad({ ...request, host: { ...host, defer: undefined } }).finish();
}

/** Reads a tree as far as that is possible without the answers of the commands that the host defers. */
export function beginLoad(request: LoadRequest): LoadInProgress {
  // Nothing is told before it is certain that what was read stands.
  const held: (() => void)[] = [];
  let certain = false;
  const { output } = request;
  const deferring = request.host.defer !== undefined;
  const holding = (tell: () => void): void => {
    if (certain) tell();
    else held.push(tell);
  };
  const hold: Output = {
    out: (text) => holding(() => output.out(text)),
    err: (text) => holding(() => output.err(text)),
  };
  try {
    const read = readTree(deferring ? { ...request, output: hold } : request);
    const commands = [...new Set(read.parsed.deferred.values())];
    return {
      commands,
      finish: () => {
        const answers = answersOf(read, request);
        if (answers === undefined) return loadTree(request);
        for (const tell of held) tell();
        certain = true;
        return finishTree(read, answers, request);
      },
    };
  } catch (error) {
    if (!(error instanceof AnswerNeeded) && !(deferring && error instanceof KconfigAbort)) throw error;
    return { commands: [], finish: () => loadTree(request) };
  }
}

interface ReadTree {
  readonly parsed: Parsed;
  readonly table: SymbolTable;
  readonly pool: ExprPool;
  readonly simplifier: Simplifier;
}

function readTree(request: LoadRequest): ReadTree {
  const { file, directories, dialect, host, output } = request;
  const table = new SymbolTable(dialect.typedConstants);
  const pool = new ExprPool();
  const simplifier = new Simplifier(pool, table, dialect, (text) => request.output.out(text));
  const open = (name: string): string | undefined => {
    if (isAbsolute(name)) return host.readFile(name);
    for (const directory of directories) {
      const text = host.readFile(join(directory, name));
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const glob =
    host.glob &&
    ((pattern: string): readonly string[] => {
      for (const directory of isAbsolute(pattern) ? [""] : directories) {
        const found = host.glob?.(isAbsolute(pattern) ? pattern : join(directory, pattern)) ?? [];
        const from = directory === "" ? 0 : join(directory, "/").length;
        if (found.length > 0) return found.map((path) => path.slice(from));
      }
      return [];
    });
  const parsed = parseTree(file, { host: { ...host, glob }, open, output, dialect, pool, table, simplifier });
  return { parsed, table, pool, simplifier };
}

// The symbols that the answers name; undefined when one is such that the tree has to be read with it.
function answersOf(
  { parsed, table }: ReadTree,
  { host, dialect }: LoadRequest,
): ReadonlyMap<Sym, Sym> | undefined {
  const answers = new Map<Sym, Sym>();
  for (const [symbol, command] of parsed.deferred) {
    const answer = shellValue(host.shell(command), dialect.shellBytes);
    // Any other word would have made a symbol where it stands, or none at all.
    if (!/^([ymn]|[0-9]+)$/.test(answer)) return undefined;
    answers.set(symbol, table.lookup(answer, false));
  }
  return answers;
}

function finishTree(read: ReadTree, answers: ReadonlyMap<Sym, Sym>, request: LoadRequest): LoadedTree {
  const { parsed, table, pool, simplifier } = read;
  const { dialect, output } = request;
  const { root } = parsed;
  if (answers.size > 0) replaceSymbols(root, answers, pool);
  const modules = parsed.modules ?? table.no;
  const at: { menu: Menu } = { menu: root };
  const symbols = withinStack(
    output,
    () => at.menu,
    () => {
      finalizeTree(root, { dialect, pool, table, simplifier, output, modules, at });
      const symbols = table.inTableOrder(dialect.buckets);
      if (dialect.choice === "members") for (const symbol of symbols) symbol.choiceNode = choiceMenu(symbol);
      checkTree(root, symbols, { dialect, output, at });
      return symbols;
    },
  );
  const contains = (one: Expr, two: Expr | undefined): boolean => simplifier.contains(one, two);
  const evaluator = new Evaluator({ dialect, output, modules, symbols, contains });
  evaluator.changed = true;
  const { files, environment, defconfigList } = parsed;
  return {
    root,
    dialect,
    table,
    pool,
    simplifier,
    evaluator,
    symbols,
    modules,
    defconfigList,
    files,
    environment,
  };
}

function replaceSymbols(root: Menu, answers: ReadonlyMap<Sym, Sym>, pool: ExprPool): void {
  const replaced = <E extends Expr | undefined>(expr: E): E =>
    expr === undefined ? expr : (pool.replace(expr, answers) as E);
  for (const menu of menusBelow(root)) {
    menu.dep = replaced(menu.dep);
    menu.visibility = replaced(menu.visibility);
    for (const property of menu.symbol?.props ?? (menu.prompt === undefined ? [] : [menu.prompt])) {
      if (property.menu !== menu) continue;
      property.expr = replaced(property.expr);
      property.condition = replaced(property.condition);
    }
  }
}

interface CheckContext {
  readonly dialect: Dialect;
  readonly output: Output;
  readonly at: { menu: Menu };
}

function checkTree(root: Menu, symbols: readonly Sym[], { dialect, output, at }: CheckContext): void {
  const check = new DependencyCheck(dialect, output);
  let errors = 0;
  if (dialect.checksTable) {
    for (const symbol of symbols) {
      at.menu = symbol.menus[0] ?? at.menu;
      if (check.check(symbol) !== undefined) errors++;
    }
  } else {
    for (const menu of menusBelow(root)) {
      at.menu = menu;
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
  const isYes = (expr: Menu["dep"]): boolean =>
    expr === undefined || (expr.op === "symbol" && expr.left.tri === 2 && expr.left.constant);
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
