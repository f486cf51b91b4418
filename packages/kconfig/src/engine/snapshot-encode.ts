/** Makes bytes of a loaded tree. */
import type { Expr } from "./expr.ts";
import type { LoadedTree } from "./load.ts";
import { menusBelow } from "./model.ts";
import type { Menu, Property, Sym } from "./model.ts";
import { MENUS, OPS, PROPERTIES, TYPES } from "./snapshot-form.ts";
import type { Head, Snapshot } from "./snapshot-form.ts";

/** Encodes a tree that nothing was read into yet. */
export function encodeTree(tree: LoadedTree): Snapshot {
  return new Encoder(tree).encode();
}

class Encoder {
  readonly #tree: LoadedTree;
  readonly #numbers: number[] = [];
  readonly #texts = new Map<string, number>();
  readonly #helps: string[] = [];
  #helpEnd = 0;
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

  encode(): Snapshot {
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
    const texts = Buffer.from([...this.#texts.keys()].join(""), "latin1");
    const headBytes = Buffer.from(JSON.stringify(head), "latin1");
    const start = Int32Array.of(headBytes.length, numbers.length);
    const padding = Buffer.alloc((4 - (headBytes.length % 4)) % 4);
    return {
      tree: Buffer.concat([bytesOf(start), headBytes, padding, bytesOf(numbers), texts]),
      help: Buffer.from(this.#helps.join(""), "latin1"),
    };
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
      add(symbol.dirDep);
      add(symbol.revDep);
      add(symbol.implied);
    }
    for (const property of this.#properties.keys()) {
      add(property.condition);
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
      this.#exprOf(symbol.dirDep),
      this.#exprOf(symbol.revDep),
      this.#exprOf(symbol.implied),
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
      this.#exprOf(property.condition),
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
      ...this.#help(menu.rawHelp),
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

  #help(text: string | undefined): readonly [start: number, end: number] {
    if (text === undefined) return [-1, -1];
    const start = this.#helpEnd;
    this.#helps.push(text);
    this.#helpEnd += text.length;
    return [start, this.#helpEnd];
  }
}

function bytesOf(numbers: Int32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
