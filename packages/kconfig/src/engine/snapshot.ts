/**
 * A loaded tree as bytes, and back: reading it takes a fraction of the time that parsing and finalizing take. Numbers
 * stand in one array, texts in one string; what refers to something names its index.
 */
import type { Dialect } from "./dialect.ts";
import type { Output } from "./errors.ts";
import { Evaluator } from "./evaluator.ts";
import { ExprPool } from "./expr.ts";
import type { Expr } from "./expr.ts";
import type { LoadedTree } from "./load.ts";
import { NONE, makeSymbol, menusBelow } from "./model.ts";
import type { Menu, Property, PropertyKind, Sym, SymbolType } from "./model.ts";
import { Simplifier } from "./simplify.ts";
import { SymbolTable } from "./symbol-table.ts";

const OPS = ["symbol", "!", "||", "&&", "=", "!=", "<", "<=", ">", ">=", "range"] as const;
const TYPES = ["unknown", "bool", "tristate", "int", "hex", "string"] as const;
const PROPERTIES = ["symbol", "prompt", "comment", "menu", "default", "select", "imply", "range"] as const;
const MENUS = ["symbol", "menuconfig", "choice", "comment", "if", "menu"] as const;

const PROPERTY_NUMBERS = 7;

interface Head {
  readonly files: readonly string[];
  readonly environment: readonly (readonly [string, string])[];
  readonly modules: number;
  readonly defconfigList: number;
  readonly counts: readonly [
    symbols: number,
    exprs: number,
    properties: number,
    menus: number,
    texts: number,
  ];
}

/** Encodes a tree that nothing was read into yet. */
export function encodeTree(tree: LoadedTree): Uint8Array {
  return new Encoder(tree).encode();
}

class Encoder {
  readonly #tree: LoadedTree;
  readonly #numbers: number[] = [];
  readonly #texts = new Map<string, number>();
  readonly #symbols: readonly Sym[];
  readonly #symbolIndex: ReadonlyMap<Sym, number>;
  readonly #exprs = new Map<Expr, number>();
  readonly #properties = new Map<Property, number>();
  readonly #menus = new Map<Menu, number>();

  constructor(tree: LoadedTree) {
    this.#tree = tree;
    const { table } = tree;
    this.#symbols = [table.yes, table.mod, table.no, ...[...tree.symbols].sort((a, b) => a.id - b.id)];
    this.#symbolIndex = new Map(this.#symbols.map((symbol, index) => [symbol, index]));
  }

  encode(): Uint8Array {
    const { root, modules, defconfigList, files, environment } = this.#tree;
    this.#menus.set(root, 0);
    for (const menu of menusBelow(root)) this.#menus.set(menu, this.#menus.size);
    // An `if` that was dissolved is in no list any more, but properties name the menus that they came from.
    for (const symbol of this.#symbols) {
      for (const property of symbol.props) {
        this.#properties.set(property, this.#properties.size);
        if (!this.#menus.has(property.menu)) this.#menus.set(property.menu, this.#menus.size);
      }
      for (const menu of symbol.menus) if (!this.#menus.has(menu)) this.#menus.set(menu, this.#menus.size);
    }
    for (const menu of this.#menus.keys()) {
      if (menu.prompt !== undefined && !this.#properties.has(menu.prompt)) {
        this.#properties.set(menu.prompt, this.#properties.size);
      }
    }
    this.#collectExprs();
    for (const symbol of this.#symbols) this.#symbol(symbol);
    for (const expr of this.#exprs.keys()) this.#expr(expr);
    for (const property of this.#properties.keys()) this.#property(property);
    for (const menu of this.#menus.keys()) this.#menu(menu);
    for (const symbol of this.#tree.symbols) this.#numbers.push(this.#symbolIndex.get(symbol) ?? 0);
    const lengths = [...this.#texts.keys()].map((text) => text.length);
    const head: Head = {
      files,
      environment: [...environment],
      modules: this.#symbolIndex.get(modules) ?? 2,
      defconfigList: defconfigList === undefined ? -1 : (this.#symbolIndex.get(defconfigList) ?? -1),
      counts: [
        this.#symbols.length,
        this.#exprs.size,
        this.#properties.size,
        this.#menus.size,
        lengths.length,
      ],
    };
    const numbers = Int32Array.from([...this.#numbers, ...lengths]);
    const headBytes = Buffer.from(JSON.stringify(head), "latin1");
    const start = Int32Array.of(headBytes.length, numbers.length);
    const texts = Buffer.from([...this.#texts.keys()].join(""), "latin1");
    const padding = Buffer.alloc((4 - (headBytes.length % 4)) % 4);
    return Buffer.concat([bytesOf(start), headBytes, padding, bytesOf(numbers), texts]);
  }

  #collectExprs(): void {
    const add = (expr: Expr | undefined): void => {
      if (expr === undefined || this.#exprs.has(expr)) return;
      if (expr.op === "!") add(expr.left);
      else if (expr.op === "||" || expr.op === "&&") {
        add(expr.left);
        add(expr.right);
      }
      this.#exprs.set(expr, this.#exprs.size);
    };
    for (const symbol of this.#symbols) {
      add(symbol.dirDep.expr);
      add(symbol.revDep.expr);
      add(symbol.implied.expr);
    }
    for (const property of this.#properties.keys()) {
      add(property.visible.expr);
      add(property.expr);
    }
    for (const menu of this.#menus.keys()) {
      add(menu.visibility);
      add(menu.dep);
    }
  }

  #symbol(symbol: Sym): void {
    const flags =
      (symbol.constant ? 1 : 0) |
      (symbol.isChoice ? 2 : 0) |
      (symbol.isMember ? 4 : 0) |
      (symbol.optional ? 8 : 0) |
      (symbol.transitional ? 16 : 0) |
      (symbol.noWrite ? 32 : 0) |
      (symbol.allNoY ? 64 : 0);
    this.#numbers.push(
      this.#text(symbol.name),
      TYPES.indexOf(symbol.type),
      flags,
      symbol.choice === undefined ? -1 : (this.#symbolIndex.get(symbol.choice) ?? -1),
      this.#menuOf(symbol.choiceNode),
      this.#exprOf(symbol.dirDep.expr),
      this.#exprOf(symbol.revDep.expr),
      this.#exprOf(symbol.implied.expr),
    );
    this.#list(symbol.values, this.#symbolIndex);
    this.#list(symbol.menus, this.#menus);
    this.#list(symbol.props, this.#properties);
  }

  #expr(expr: Expr): void {
    const index = (value: Sym | Expr | undefined): number => {
      if (value === undefined) return -1;
      return this.#exprs.get(value as Expr) ?? this.#symbolIndex.get(value as Sym) ?? -1;
    };
    this.#numbers.push(OPS.indexOf(expr.op), index(expr.left), "right" in expr ? index(expr.right) : -1);
  }

  #property(property: Property): void {
    this.#numbers.push(
      PROPERTIES.indexOf(property.kind),
      this.#text(property.text),
      this.#exprOf(property.visible.expr),
      this.#exprOf(property.expr),
      this.#menuOf(property.menu),
      this.#text(property.file),
      property.line,
    );
  }

  #menu(menu: Menu): void {
    this.#numbers.push(
      MENUS.indexOf(menu.kind),
      this.#menuOf(menu.next),
      this.#menuOf(menu.parent),
      this.#menuOf(menu.list),
      menu.symbol === undefined ? -1 : (this.#symbolIndex.get(menu.symbol) ?? -1),
      menu.prompt === undefined ? -1 : (this.#properties.get(menu.prompt) ?? -1),
      this.#exprOf(menu.visibility),
      this.#exprOf(menu.dep),
      this.#text(menu.rawHelp),
      this.#text(menu.file),
      menu.line,
    );
    this.#list(menu.members, this.#symbolIndex);
  }

  #list<T>(items: readonly T[], index: ReadonlyMap<T, number>): void {
    this.#numbers.push(items.length);
    for (const item of items) this.#numbers.push(index.get(item) ?? -1);
  }

  #exprOf(expr: Expr | undefined): number {
    return expr === undefined ? -1 : (this.#exprs.get(expr) ?? -1);
  }

  // A parent that was dissolved itself stands for nothing any more.
  #menuOf(menu: Menu | undefined): number {
    return menu === undefined ? -1 : (this.#menus.get(menu) ?? -1);
  }

  #text(text: string | undefined): number {
    if (text === undefined) return -1;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, this.#texts.size);
    return this.#texts.size - 1;
  }
}

function bytesOf(numbers: Int32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Decodes what encodeTree() made for the same dialect. */
export function decodeTree(bytes: Uint8Array, dialect: Dialect, output: Output): LoadedTree {
  return new Decoder(bytes).decode(dialect, output);
}

// Many small methods, so that the engine that runs this compiles them after a few of many thousand calls.
class Decoder {
  readonly #head: Head;
  readonly #numbers: Int32Array;
  readonly #texts: string[] = [];
  readonly #symbols: Sym[] = [];
  readonly #exprs: Expr[] = [];
  readonly #properties: Property[] = [];
  readonly #menus: Menu[] = [];
  #next = 0;

  constructor(bytes: Uint8Array) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headLength = buffer.readInt32LE(0);
    const count = buffer.readInt32LE(4);
    this.#head = JSON.parse(buffer.toString("latin1", 8, 8 + headLength)) as Head;
    const start = 8 + Math.ceil(headLength / 4) * 4;
    this.#numbers = new Int32Array(
      buffer.buffer.slice(buffer.byteOffset + start, buffer.byteOffset + start + count * 4),
    );
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
    const evaluator = new Evaluator({ dialect, output, modules, symbols });
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
      transformed: undefined,
      deduped: undefined,
      simplified: -1,
    } as unknown as Expr);
  }

  #makeMenu(): void {
    const kind = MENUS[this.#read()] as Menu["kind"];
    this.#next += 3;
    const symbol = this.#symbol();
    this.#next += 3;
    const rawHelp = this.#text();
    const file = this.#text() ?? "";
    const line = this.#read();
    this.#skipList();
    this.#menus.push({
      kind,
      next: undefined,
      parent: undefined,
      list: undefined,
      symbol,
      prompt: undefined,
      visibility: undefined,
      dep: undefined,
      rawHelp,
      file,
      line,
      members: kind === "choice" ? [] : NONE,
    });
  }

  #makeProperty(): void {
    const kind = PROPERTIES[this.#read()] as PropertyKind;
    const text = this.#text();
    const visible = this.#expr();
    const expr = this.#expr();
    const menu = this.#menu() as Menu;
    const file = this.#text() ?? "";
    const line = this.#read();
    this.#properties.push({ kind, text, visible: { expr: visible, tri: 0 }, expr, menu, file, line });
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
    this.#next += 3;
    for (let count = this.#read(); count > 0; count--) menu.members.push(this.#symbol() as Sym);
  }

  #fillSymbol(symbol: Sym): void {
    this.#next += 3;
    symbol.choice = this.#symbol();
    symbol.choiceNode = this.#menu();
    symbol.dirDep.expr = this.#expr();
    symbol.revDep.expr = this.#expr();
    symbol.implied.expr = this.#expr();
    for (let count = this.#read(); count > 0; count--) symbol.values.push(this.#symbol() as Sym);
    for (let count = this.#read(); count > 0; count--) symbol.menus.push(this.#menu() as Menu);
    for (let count = this.#read(); count > 0; count--) {
      symbol.props.push(this.#properties[this.#read()] as Property);
    }
  }
}
