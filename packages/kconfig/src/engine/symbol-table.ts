/** The symbols of a tree, and the order in which conf walks them. */
import { makeSymbol } from "./model.ts";
import type { Sym } from "./model.ts";

/** FNV-1a, 32 bits, over signed characters (hash_str() in scripts/include/hash.h). */
function hashName(name: string): number {
  let hash = 2166136261;
  for (let index = 0; index < name.length; index++) {
    // Names are latin-1: a byte of 128 or more is a negative char.
    hash = Math.imul(hash ^ ((name.charCodeAt(index) << 24) >> 24), 0x01000193);
  }
  return hash >>> 0;
}

// Linux 2.6 added up characters, and had the last of its 257 buckets for choices.
function bucketOf(name: string | undefined, buckets: number): number {
  if (buckets !== 257) return name === undefined ? 0 : hashName(name) % buckets;
  if (name === undefined) return 256;
  let sum = 0;
  for (let index = 0; index < name.length; index++) sum += (name.charCodeAt(index) << 24) >> 24;
  return sum & 0xff;
}

export class SymbolTable {
  readonly yes: Sym;
  readonly mod: Sym;
  readonly no: Sym;
  readonly #plain = new Map<string, Sym>();
  readonly #quoted = new Map<string, Sym>();
  readonly #choices = new Map<string, Sym>();
  readonly #all: Sym[] = [];
  #ids = 0;

  /** `typed`: y, m and n are tristates, and not just words. */
  constructor(typed: boolean) {
    const constant = (name: string, tri: 0 | 1 | 2): Sym => {
      const symbol = makeSymbol(this.#ids++, name, { constant: true, choice: false });
      if (typed) symbol.type = "tristate";
      symbol.tri = tri;
      symbol.text = name;
      symbol.valid = true;
      return symbol;
    };
    this.yes = constant("y", 2);
    this.mod = constant("m", 1);
    this.no = constant("n", 0);
  }

  /** The symbol of a name, made if need be; quoted names are another space (sym_lookup() in symbol.c). */
  lookup(name: string, quoted: boolean): Sym {
    const found = this.#builtin(name) ?? (quoted ? this.#quoted : this.#plain).get(name);
    if (found !== undefined) return found;
    const symbol = this.#make(name, { constant: quoted, choice: false });
    (quoted ? this.#quoted : this.#plain).set(name, symbol);
    return symbol;
  }

  /** A choice; generation 1 lets them have names, and one of the same name is the same. */
  choice(name: string | undefined): Sym {
    const found = name === undefined ? undefined : (this.#builtin(name) ?? this.#choices.get(name));
    if (found !== undefined) return found;
    const symbol = this.#make(name, { constant: false, choice: true });
    if (name !== undefined) this.#choices.set(name, symbol);
    return symbol;
  }

  /** A symbol of conf's own. */
  nameless(): Sym {
    return this.#make(undefined, { constant: false, choice: false });
  }

  /** Takes a symbol that was made before; they come in the order in which they were made. */
  restore(symbol: Sym): void {
    const { name } = symbol;
    this.#ids = symbol.id + 1;
    this.#all.push(symbol);
    if (name === undefined) return;
    (symbol.isChoice ? this.#choices : symbol.constant ? this.#quoted : this.#plain).set(name, symbol);
  }

  /** A symbol that stands for a value that is not known yet. In no table. */
  deferred(): Sym {
    return makeSymbol(this.#ids++, undefined, { constant: false, choice: false });
  }

  /** The symbol of a name, also when that is a choice's; of two the one that came last (sym_find() in symbol.c). */
  find(name: string): Sym | undefined {
    const plain = this.#plain.get(name);
    const choice = this.#choices.get(name);
    if (choice !== undefined && (plain === undefined || plain.id < choice.id)) return choice;
    return plain ?? this.#builtin(name);
  }

  /** Symbols with a name and without quotes, in order of first mention. */
  named(): IterableIterator<Sym> {
    return this.#plain.values();
  }

  /** Bucket after bucket, the newest first (for_all_symbols()). */
  inTableOrder(buckets: number): readonly Sym[] {
    // Loops, since most buckets of a small tree are empty.
    const table: (Sym[] | undefined)[] = [];
    table.length = buckets;
    for (const symbol of this.#all) {
      const bucket = bucketOf(symbol.name, buckets);
      (table[bucket] ??= []).push(symbol);
    }
    const ordered: Sym[] = [];
    for (let bucket = 0; bucket < buckets; bucket++) {
      const symbols = table[bucket];
      if (symbols !== undefined)
        for (let at = symbols.length - 1; at >= 0; at--) ordered.push(symbols[at] as Sym);
    }
    return ordered;
  }

  #builtin(name: string): Sym | undefined {
    if (name.length !== 1) return undefined;
    return name === "y" ? this.yes : name === "m" ? this.mod : name === "n" ? this.no : undefined;
  }

  #make(name: string | undefined, kind: { constant: boolean; choice: boolean }): Sym {
    const symbol = makeSymbol(this.#ids++, name, kind);
    this.#all.push(symbol);
    return symbol;
  }
}
