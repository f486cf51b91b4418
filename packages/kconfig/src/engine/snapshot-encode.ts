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

/** Numbers, as many as come. */
class Numbers {
  #numbers = new Int32Array(1 << 16);
  #count = 0;

  push(...numbers: readonly number[]): void {
    if (this.#count + numbers.length > this.#numbers.length) {
      const larger = new Int32Array(this.#numbers.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    for (const number of numbers) this.#numbers[this.#count++] = number;
  }

  all(): Int32Array {
    return this.#numbers.subarray(0, this.#count);
  }
}

/** Where something is, by its id; -1 for what is nowhere. */
class Indices {
  readonly #indices: number[] = [];

  get(id: number): number {
    return this.#indices[id] ?? -1;
  }

  set(id: number, index: number): void {
    while (this.#indices.length <= id) this.#indices.push(-1);
    this.#indices[id] = index;
  }
}

class Encoder {
  readonly #tree: LoadedTree;
  readonly #numbers = new Numbers();
  readonly #texts = new Map<string, number>();
  readonly #helps: string[] = [];
  #helpEnd = 0;
  readonly #symbols: readonly Sym[];
  readonly #symbolIndex = new Indices();
  readonly #exprs: Expr[] = [];
  readonly #exprIndex = new Indices();
  readonly #properties = new Map<Property, number>();
  readonly #menus = new Map<Menu, number>();

  constructor(tree: LoadedTree) {
    this.#tree = tree;
    const { table } = tree;
    this.#symbols = [table.yes, table.mod, table.no, ...[...tree.symbols].sort((a, b) => a.id - b.id)];
    for (const [index, symbol] of this.#symbols.entries()) this.#symbolIndex.set(symbol.id, index);
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
    for (const expr of this.#exprs) this.#expr(expr);
    for (const property of this.#properties.keys()) this.#property(property);
    for (const menu of this.#menus.keys()) this.#menu(menu);
    for (const symbol of this.#tree.symbols) this.#numbers.push(this.#symbolOf(symbol));
    for (const text of this.#texts.keys()) this.#numbers.push(text.length);
    const head: Head = {
      files,
      environment: [...environment],
      modules: this.#symbolOf(modules),
      defconfigList: this.#symbolOf(defconfigList),
      counts: [
        this.#symbols.length,
        this.#exprs.length,
        this.#properties.size,
        this.#menus.size,
        this.#texts.size,
      ],
    };
    const numbers = this.#numbers.all();
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
      if (expr === undefined || this.#exprIndex.get(expr.id) >= 0) return;
      if (expr.op === "!") add(expr.left);
      else if (expr.op === "||" || expr.op === "&&") {
        add(expr.left);
        add(expr.right);
      }
      this.#exprIndex.set(expr.id, this.#exprs.push(expr) - 1);
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
      this.#symbolOf(symbol.choice),
      this.#menuOf(symbol.choiceNode),
      this.#exprOf(symbol.dirDep),
      this.#exprOf(symbol.revDep),
      this.#exprOf(symbol.implied),
    );
    this.#symbolList(symbol.values);
    this.#list(symbol.menus, this.#menus);
    this.#list(symbol.props, this.#properties);
  }

  #expr(expr: Expr): void {
    const op = OPS.indexOf(expr.op);
    if (expr.op === "symbol") this.#numbers.push(op, this.#symbolOf(expr.left), -1);
    else if (expr.op === "!") this.#numbers.push(op, this.#exprOf(expr.left), -1);
    else if (expr.op === "||" || expr.op === "&&") {
      this.#numbers.push(op, this.#exprOf(expr.left), this.#exprOf(expr.right));
    } else this.#numbers.push(op, this.#symbolOf(expr.left), this.#symbolOf(expr.right));
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
      this.#symbolOf(menu.symbol),
      menu.prompt === undefined ? -1 : (this.#properties.get(menu.prompt) ?? -1),
      this.#exprOf(menu.visibility),
      this.#exprOf(menu.dep),
      this.#helpEnd,
      this.#help(menu.rawHelp),
      this.#text(menu.file),
      menu.line,
    );
    this.#symbolList(menu.members);
  }

  #symbolList(symbols: readonly Sym[]): void {
    this.#numbers.push(symbols.length);
    for (const symbol of symbols) this.#numbers.push(this.#symbolOf(symbol));
  }

  #list<T>(items: readonly T[], index: ReadonlyMap<T, number>): void {
    this.#numbers.push(items.length);
    for (const item of items) this.#numbers.push(index.get(item) ?? -1);
  }

  #exprOf(expr: Expr | undefined): number {
    return expr === undefined ? -1 : this.#exprIndex.get(expr.id);
  }

  #symbolOf(symbol: Sym | undefined): number {
    return symbol === undefined ? -1 : this.#symbolIndex.get(symbol.id);
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

  // Gives where it ends, or -1 when there is none.
  #help(text: string | undefined): number {
    if (text === undefined) return -1;
    this.#helps.push(text);
    this.#helpEnd += text.length;
    return this.#helpEnd;
  }
}

function bytesOf(numbers: Int32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
