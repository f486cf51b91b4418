/** Makes a loaded tree of bytes. */
import type { Dialect } from "./dialect.ts";
import type { Output } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import { ExprPool } from "./expr.ts";
import type { Expr } from "./expr.ts";
import type { LoadedTree } from "./load.ts";
import { NONE, makeSymbol } from "./model.ts";
import type { Menu, Property, PropertyKind, Sym, SymbolType } from "./model.ts";
import { Simplifier } from "./simplify.ts";
import { MENUS, OPS, PROPERTIES, PROPERTY_NUMBERS, TYPES } from "./snapshot-form.ts";
import type { Head } from "./snapshot-form.ts";
import { SymbolTable } from "./symbol-table.ts";

export interface DecodeRequest {
  /** That of the tree when it was encoded. */
  readonly dialect: Dialect;
  readonly output: Output;
  /** Gives the snapshot's help; called when first asked for. */
  readonly help: () => Uint8Array;
}

/** Makes the tree that encodeTree() was given. */
export function decodeTree(tree: Uint8Array, { dialect, output, help }: DecodeRequest): LoadedTree {
  let text: string | undefined;
  const allHelp = (): string => (text ??= Buffer.from(help()).toString("latin1"));
  return new Decoder(tree, allHelp).decode(dialect, output);
}

// In place where it lies on a boundary of four bytes.
function numbersAt(buffer: Buffer, start: number, count: number): Int32Array {
  const from = buffer.byteOffset + start;
  return from % 4 === 0
    ? new Int32Array(buffer.buffer, from, count)
    : new Int32Array(buffer.buffer.slice(from, from + count * 4));
}

/** A definition whose help is read when it is asked for. */
class KeptMenu implements Menu {
  readonly kind: Menu["kind"];
  next: Menu | undefined = undefined;
  parent: Menu | undefined = undefined;
  list: Menu | undefined = undefined;
  readonly symbol: Sym | undefined;
  prompt: Property | undefined = undefined;
  visibility: Expr | undefined = undefined;
  dep: Expr | undefined = undefined;
  readonly file: string;
  readonly line: number;
  members: Sym[] = NONE;
  readonly #help: Help;

  constructor({
    kind,
    symbol,
    file,
    line,
    help,
  }: Pick<Menu, "kind" | "symbol" | "file" | "line"> & { help: Help }) {
    this.kind = kind;
    this.symbol = symbol;
    this.file = file;
    this.line = line;
    this.#help = help;
  }

  get rawHelp(): string | undefined {
    const { all, start, end } = this.#help;
    return end < 0 ? undefined : all().slice(start, end);
  }
}

interface Help {
  readonly all: () => string;
  readonly start: number;
  /** Less than 0 when there is none. */
  readonly end: number;
}

// Many small methods, so that the engine that runs this compiles them after a few of many thousand calls.
class Decoder {
  readonly #head: Head;
  readonly #numbers: Int32Array;
  readonly #allHelp: () => string;
  readonly #texts: string[] = [];
  readonly #symbols: Sym[] = [];
  readonly #exprs: Expr[] = [];
  readonly #properties: Property[] = [];
  readonly #menus: Menu[] = [];
  #next = 0;

  constructor(bytes: Uint8Array, allHelp: () => string) {
    this.#allHelp = allHelp;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headLength = buffer.readInt32LE(0);
    const count = buffer.readInt32LE(4);
    this.#head = JSON.parse(buffer.toString("latin1", 8, 8 + headLength)) as Head;
    const start = 8 + Math.ceil(headLength / 4) * 4;
    this.#numbers = numbersAt(buffer, start, count);
    const all = buffer.toString("latin1", start + count * 4);
    const [, , , , texts] = this.#head.counts;
    for (let index = count - texts, at = 0; index < count; index++) {
      const end = at + (this.#numbers[index] as number);
      this.#texts.push(all.slice(at, end));
      at = end;
    }
  }

  decode(dialect: Dialect, output: Output): LoadedTree {
    const { counts, files, environment } = this.#head;
    const [symbolCount, exprCount, propertyCount, menuCount] = counts;
    const table = new SymbolTable(dialect.typedConstants);
    this.#symbols.push(table.yes, table.mod, table.no);
    // Symbols and menus name each other, so they are made first and filled when all are there.
    for (let index = 0; index < symbolCount; index++) this.#makeSymbol(index, table);
    for (let index = 0; index < exprCount; index++) this.#makeExpr(index);
    const propertiesAt = this.#next;
    this.#next += propertyCount * PROPERTY_NUMBERS;
    const menusAt = this.#next;
    for (let index = 0; index < menuCount; index++) this.#makeMenu();
    const symbols: Sym[] = [];
    for (let index = 3; index < symbolCount; index++) symbols.push(this.#symbols[this.#read()] as Sym);
    this.#next = propertiesAt;
    for (let index = 0; index < propertyCount; index++) this.#makeProperty();
    this.#next = menusAt;
    for (const menu of this.#menus) this.#fillMenu(menu);
    this.#next = 0;
    for (const symbol of this.#symbols) this.#fillSymbol(symbol);
    const pool = new ExprPool(this.#exprs);
    const simplifier = new Simplifier(pool, table, dialect, (line) => output.out(line));
    const modules = this.#symbols[this.#head.modules] as Sym;
    const contains = (one: Expr, two: Expr | undefined): boolean => simplifier.contains(one, two);
    const evaluator = new Evaluator({ dialect, output, modules, symbols, contains });
    evaluator.changed = true;
    const root = this.#menus[0] as Menu;
    return {
      root,
      dialect,
      table,
      pool,
      simplifier,
      evaluator,
      symbols,
      modules,
      defconfigList: this.#symbols[this.#head.defconfigList],
      files,
      environment: new Map(environment),
    };
  }

  #read(): number {
    return this.#numbers[this.#next++] as number;
  }

  #text(): string | undefined {
    const index = this.#read();
    return index < 0 ? undefined : this.#texts[index];
  }

  #expr(): Expr | undefined {
    const index = this.#read();
    return index < 0 ? undefined : this.#exprs[index];
  }

  #menu(): Menu | undefined {
    const index = this.#read();
    return index < 0 ? undefined : this.#menus[index];
  }

  #symbol(): Sym | undefined {
    const index = this.#read();
    return index < 0 ? undefined : this.#symbols[index];
  }

  #skipList(): void {
    const length = this.#read();
    this.#next += length;
  }

  #makeSymbol(index: number, table: SymbolTable): void {
    const name = this.#text();
    const type = TYPES[this.#read()] as SymbolType;
    const flags = this.#read();
    this.#next += 5;
    this.#skipList();
    this.#skipList();
    this.#skipList();
    if (index < 3) return;
    const symbol = makeSymbol(index, name, { constant: (flags & 1) !== 0, choice: (flags & 2) !== 0 });
    symbol.type = type;
    symbol.isMember = (flags & 4) !== 0;
    symbol.optional = (flags & 8) !== 0;
    symbol.transitional = (flags & 16) !== 0;
    symbol.noWrite = (flags & 32) !== 0;
    symbol.allNoY = (flags & 64) !== 0;
    this.#symbols.push(symbol);
    table.restore(symbol);
  }

  #makeExpr(id: number): void {
    const op = OPS[this.#read()] as Expr["op"];
    const left = this.#read();
    const right = this.#read();
    const from: readonly (Sym | Expr)[] =
      op === "!" || op === "||" || op === "&&" ? this.#exprs : this.#symbols;
    this.#exprs.push({
      id,
      op,
      left: from[left],
      right: right < 0 ? undefined : from[right],
      tri: 0,
      epoch: -1,
    } as unknown as Expr);
  }

  #makeMenu(): void {
    const kind = MENUS[this.#read()] as Menu["kind"];
    this.#next += 3;
    const symbol = this.#symbol();
    this.#next += 3;
    const help = { all: this.#allHelp, start: this.#read(), end: this.#read() };
    const file = this.#text() ?? "";
    const line = this.#read();
    this.#skipList();
    this.#menus.push(new KeptMenu({ kind, symbol, file, line, help }));
  }

  #makeProperty(): void {
    const kind = PROPERTIES[this.#read()] as PropertyKind;
    const text = this.#text();
    const condition = this.#expr();
    const expr = this.#expr();
    const menu = this.#menu() as Menu;
    const file = this.#text() ?? "";
    const line = this.#read();
    this.#properties.push({ kind, text, condition, conditionTri: 0, expr, menu, file, line });
  }

  #fillMenu(menu: Menu): void {
    this.#next++;
    menu.next = this.#menu();
    menu.parent = this.#menu();
    menu.list = this.#menu();
    this.#next++;
    const prompt = this.#read();
    menu.prompt = prompt < 0 ? undefined : this.#properties[prompt];
    menu.visibility = this.#expr();
    menu.dep = this.#expr();
    this.#next += 4;
    menu.members = this.#list(this.#symbols);
  }

  #fillSymbol(symbol: Sym): void {
    this.#next += 3;
    symbol.choice = this.#symbol();
    symbol.choiceNode = this.#menu();
    symbol.dirDep = this.#expr();
    symbol.revDep = this.#expr();
    symbol.implied = this.#expr();
    symbol.values = this.#list(this.#symbols);
    symbol.menus = this.#list(this.#menus);
    symbol.props = this.#list(this.#properties);
  }

  // As long as need be: what grows by push() has room for many more.
  #list<T>(all: readonly T[]): T[] {
    const length = this.#read();
    if (length === 0) return [];
    if (length === 1) return [all[this.#read()] as T];
    const list: T[] = [];
    list.length = length;
    for (let index = 0; index < length; index++) list[index] = all[this.#read()] as T;
    return list;
  }
}
