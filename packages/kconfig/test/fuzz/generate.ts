/**
 * Small Kconfig trees with all that the language has, mostly right, sometimes with recursive dependencies and wrong types.
 * Words and order are drawn; see expressions.ts for the one thing that is left out on purpose.
 */
import { bound, condition, defaultValue, quoted } from "./expressions.ts";
import { macros } from "./macros.ts";
import type { Random } from "./random.ts";
import { earlier, isLogic, later, planSymbols } from "./symbols.ts";
import type { Generation, Plan, Planned, Type } from "./symbols.ts";

/** Files by name, a line an element. */
export type Lines = Readonly<Record<string, readonly string[]>>;

export interface Tree {
  readonly plan: Plan;
  readonly files: Record<string, string[]>;
}

const TYPES: readonly Type[] = ["bool", "tristate", "int", "hex", "string"];

export function generateTree(random: Random, generation: Generation): Tree {
  const writer = new Writer(planSymbols(random, generation));
  return { plan: writer.plan, files: writer.write() };
}

class Writer {
  readonly plan: Plan;
  readonly #random: Random;
  readonly #files: Record<string, string[]> = {};
  #lines: string[] = [];
  #next = 0;
  #choices = 0;
  // Members of choices and transitional symbols.
  readonly #once = new Set<Planned>();

  constructor(plan: Plan) {
    this.plan = plan;
    this.#random = plan.random;
  }

  write(): Record<string, string[]> {
    const random = this.#random;
    this.#files["Kconfig"] = this.#lines;
    if (random.chance(25))
      this.#lines.push(`mainmenu ${random.chance(80) ? '"Title"' : quoted(this.plan)}`, "");
    if (random.chance(30)) this.#lines.push(...macros(this.plan));
    // First, since every m depends on it.
    const [first] = this.plan.symbols;
    if (first?.name === "MODULES" && random.chance(95)) this.#config(this.#take() ?? first, 0);
    while (this.#next < this.plan.symbols.length) this.#statement(0);
    // Symbols are defined again, further down.
    while (random.chance(20)) this.#again(0);
    if (random.chance(4)) this.#spoil();
    return this.#files;
  }

  #take(): Planned | undefined {
    return this.plan.symbols[this.#next++];
  }

  #put(depth: number, text: string): void {
    this.#lines.push(`${"\t".repeat(depth)}${text}`);
  }

  #statement(depth: number): void {
    const random = this.#random;
    const kind = random.weighted({
      config: 60,
      choice: 14,
      menu: 7,
      if: 9,
      comment: 3,
      source: 3,
      macro: 2,
      again: 3,
    });
    const deep = depth > 4;
    switch (kind) {
      case "choice":
        if (!deep) return this.#choice(depth);
        break;
      case "menu":
        if (!deep) return this.#menu(depth);
        break;
      case "if":
        if (!deep) return this.#if(depth, () => this.#some(depth + 1));
        break;
      case "comment":
        return this.#comment(depth);
      case "source":
        return this.#source(depth);
      case "macro":
        this.#lines.push(...macros(this.plan));
        return;
      case "again":
        return this.#again(depth);
      default:
    }
    const symbol = this.#take();
    if (symbol !== undefined) this.#config(symbol, depth);
  }

  // One more definition. Below a condition only of what comes later, which may depend on the condition.
  #again(depth: number): void {
    const { plan } = this;
    const known = plan.symbols.filter(
      (symbol, place) => (depth === 0 || place >= this.#next) && (plan.careless || !this.#once.has(symbol)),
    );
    if (known.length > 0) this.#config(this.#random.pick(known), depth);
  }

  #some(depth: number): void {
    for (let left = this.#random.from(0, 3); left > 0; left--) this.#statement(depth);
  }

  #user(): Planned | undefined {
    return this.plan.symbols[this.#next];
  }

  #if(depth: number, inside: () => void, user = this.#user()): void {
    this.#put(depth, `if ${condition(this.plan, user)}`);
    inside();
    this.#put(depth, "endif");
  }

  #menu(depth: number): void {
    const random = this.#random;
    this.#put(depth, `menu "Menu ${this.#lines.length}"`);
    while (random.chance(35)) this.#depends(depth + 1, this.#user());
    while (random.chance(30)) {
      this.#put(depth + 1, `visible${random.chance(95) ? ` if ${condition(this.plan, this.#user())}` : ""}`);
    }
    this.#some(depth + 1);
    this.#put(depth, "endmenu");
  }

  #comment(depth: number): void {
    this.#put(depth, `comment "Comment ${this.#lines.length}"`);
    while (this.#random.chance(50)) this.#depends(depth + 1, this.#user());
  }

  #source(depth: number): void {
    const random = this.#random;
    const known = Object.keys(this.#files);
    if (random.chance(4)) {
      // The same file once more, or one that is being read: only generation 1 and 2 take the first.
      this.#put(0, `source "${random.pick([...known, "missing"])}"`);
      return;
    }
    const name = `${random.chance(50) ? "sub/" : ""}Kconfig.${known.length}`;
    this.#put(0, `source "${name}"`);
    const outer = this.#lines;
    this.#files[name] = this.#lines = [];
    this.#some(depth);
    this.#lines = outer;
  }

  #depends(depth: number, user: Planned | undefined): void {
    const { generation } = this.plan;
    const suffix = generation === 3 && this.#random.chance(30) ? ` if ${condition(this.plan, user)}` : "";
    this.#put(depth, `depends on ${condition(this.plan, user)}${suffix}`);
  }

  #suffix(user: Planned | undefined, percent: number): string {
    return this.#random.chance(percent) ? ` if ${condition(this.plan, user)}` : "";
  }

  #prompt(user: Planned | undefined): string {
    const random = this.#random;
    const text = random.chance(92)
      ? `"Prompt ${this.#lines.length}"`
      : random.pick(['"  lead"', quoted(this.plan), "'single'"]);
    return `${text}${this.#suffix(user, 15)}`;
  }

  #config(symbol: Planned, depth: number): void {
    const random = this.#random;
    const menuconfig = random.chance(8);
    this.#put(depth, `${menuconfig ? "menuconfig" : "config"} ${symbol.name}`);
    if (symbol.name === "MODULES") {
      if (random.chance(96)) this.#put(depth + 1, "modules");
    } else if (this.plan.generation === 3 && random.chance(depth === 0 ? 9 : 1)) {
      this.#put(depth + 1, symbol.type);
      this.#put(depth + 1, "transitional");
      this.#once.add(symbol);
      if (random.chance(95)) return;
    }
    const type = symbol.mixed && random.chance(50) ? random.pick(TYPES) : symbol.type;
    this.#typeLine(symbol, type, depth + 1, menuconfig);
    const options = random.weighted({ 0: 3, 1: 5, 2: 4, 4: 1 });
    for (let left = Number(options); left > 0; left--) this.#option(symbol, type, depth + 1);
    if (random.chance(12)) this.#help(depth + 1);
  }

  #typeLine(symbol: Planned, type: Type, depth: number, prompted: boolean): void {
    const random = this.#random;
    const logic = type === "bool" || type === "tristate";
    if (logic && random.chance(12)) {
      this.#put(depth, `def_${type} ${defaultValue(this.plan, symbol, type)}${this.#suffix(symbol, 25)}`);
      if (prompted || random.chance(20)) this.#put(depth, `prompt ${this.#prompt(symbol)}`);
      return;
    }
    if (random.chance(1)) return;
    if (random.chance(prompted ? 97 : 72)) {
      if (random.chance(90)) this.#put(depth, `${type} ${this.#prompt(symbol)}`);
      else {
        this.#put(depth, `prompt ${this.#prompt(symbol)}`);
        this.#put(depth, type);
      }
    } else this.#put(depth, type);
  }

  // Members of a choice depend on one another: what they refer to comes before the first or after the last.
  #option(symbol: Planned, type: Type, depth: number, first = symbol, last = symbol): void {
    const random = this.#random;
    const { plan } = this;
    const logic = type === "bool" || type === "tristate";
    const kind = random.weighted({ depends: 10, default: 12, reverse: 9, range: 7 });
    if (kind === "depends") this.#depends(depth, first);
    else if (kind === "default" && (first === last || plan.careless)) {
      this.#put(depth, `default ${defaultValue(plan, first, type)}${this.#suffix(first, 40)}`);
    } else if (kind === "reverse" && (logic || plan.careless)) {
      const target = later(plan, last);
      const name = target?.name ?? (random.chance(10) ? "U1" : undefined);
      if (name === undefined) return;
      this.#put(depth, `${random.chance(55) ? "select" : "imply"} ${name}${this.#suffix(first, 35)}`);
    } else if (kind === "range" && (!logic || plan.careless) && (type !== "string" || plan.careless)) {
      const base = type === "hex" ? "hex" : "int";
      this.#put(
        depth,
        `range ${bound(plan, symbol, base)} ${bound(plan, symbol, base)}${this.#suffix(symbol, 25)}`,
      );
    }
  }

  #help(depth: number): void {
    const random = this.#random;
    this.#put(depth, "help");
    if (random.chance(3)) return;
    const indent = "\t".repeat(depth) + random.pick(["  ", "\t", " "]);
    // A line that is less indented than the first ends the text.
    for (let left = random.from(1, 3), inner = false; left > 0; left--, inner = true) {
      this.#lines.push(
        random.chance(15)
          ? ""
          : `${indent}${inner && random.chance(20) ? "  " : ""}Help # "of" it.${random.chance(10) ? "  " : ""}`,
      );
    }
    if (random.chance(60)) this.#lines.push("");
  }

  #choice(depth: number): void {
    const random = this.#random;
    const { plan } = this;
    const { generation } = plan;
    const user = this.#user();
    const name = generation === 1 && random.chance(20) ? ` ${random.pick(["CH", `CH${this.#choices}`])}` : "";
    this.#choices++;
    this.#put(depth, `choice${name}`);
    const tristate = generation === 1 && random.chance(35);
    const members: Planned[] = [];
    for (let left = random.from(0, 4); left > 0; left--) {
      // Since generation 2 members are bools; see expressions.ts for why no other symbol becomes one.
      if (generation !== 1 && this.#user()?.type !== "bool") break;
      const member = this.#take();
      if (member !== undefined) members.push(member);
      if (member !== undefined) this.#once.add(member);
    }
    this.#choiceHead(depth + 1, tristate, user);
    while (random.chance(30)) this.#depends(depth + 1, user);
    while (random.chance(40)) {
      const standard =
        members.length > 0 && random.chance(93) ? random.pick(members) : earlier(plan, user, isLogic);
      if (standard !== undefined) this.#put(depth + 1, `default ${standard.name}${this.#suffix(user, 30)}`);
    }
    if (random.chance(8)) this.#help(depth + 1);
    for (const member of members) {
      const write = (at: number): void => this.#member(member, at, tristate, members);
      if (random.chance(12)) this.#if(depth + 1, () => write(depth + 2), user);
      else write(depth + 1);
      if (random.chance(5)) this.#comment(depth + 1);
    }
    this.#put(depth, "endchoice");
  }

  #choiceHead(depth: number, tristate: boolean, user: Planned | undefined): void {
    const random = this.#random;
    const { generation } = this.plan;
    if (generation === 1) {
      const kind = random.weighted({ typed: 10, prompt: 4, nothing: 1 });
      if (kind === "typed") this.#put(depth, `${tristate ? "tristate" : "bool"} ${this.#prompt(user)}`);
      else if (kind === "prompt") this.#put(depth, `prompt ${this.#prompt(user)}`);
      if (random.chance(20)) this.#put(depth, "optional");
    } else if (random.chance(99)) {
      this.#put(depth, `${generation === 2 && random.chance(50) ? "bool" : "prompt"} ${this.#prompt(user)}`);
    }
  }

  #member(symbol: Planned, depth: number, tristate: boolean, all: readonly Planned[]): void {
    const random = this.#random;
    const [first = symbol] = all;
    const last = all.at(-1) ?? symbol;
    this.#put(depth, `config ${symbol.name}`);
    const old = this.plan.generation === 1;
    const wrong = random.chance(old ? 25 : 1);
    const type: Type = wrong ? random.pick(TYPES) : tristate ? "tristate" : "bool";
    const prompted = random.chance(old ? 93 : 99);
    if (!(old && random.chance(8)))
      this.#put(depth + 1, `${type}${prompted ? ` ${this.#prompt(first)}` : ""}`);
    else if (prompted) this.#put(depth + 1, `prompt ${this.#prompt(first)}`);
    while (random.chance(25)) this.#depends(depth + 1, first);
    if (random.chance(old ? 3 : 1)) this.#put(depth + 1, `default y${this.#suffix(first, 50)}`);
    if (random.chance(15)) this.#option(symbol, type, depth + 1, { ...first }, last);
    if (random.chance(8)) this.#help(depth + 1);
  }

  // One fault of syntax, so that what is told of it is compared too.
  #spoil(): void {
    const random = this.#random;
    const lines = random.pick(Object.values(this.#files));
    const at = random.below(lines.length + 1);
    switch (random.weighted({ insert: 3, remove: 2, replace: 2, token: 3 })) {
      case "insert":
        lines.splice(
          at,
          0,
          random.pick([
            "bogus",
            "endif",
            "endmenu",
            "config",
            "depends on",
            "bool bool",
            "if y",
            "?",
            "optional",
          ]),
        );
        break;
      case "remove":
        lines.splice(at, 1);
        break;
      case "replace":
        lines.splice(
          at,
          1,
          random.pick([
            "\tselect",
            "\trange 1",
            "menu",
            "choice X",
            'source "x',
            '\tprompt "x',
            "\tbool 'a' if",
          ]),
        );
        break;
      default: {
        const words = (lines[at] ?? "").split(" ");
        words.splice(
          random.below(words.length + 1),
          random.below(2),
          random.pick(["if", "(", "&&", "y", "=", '"x"', "!"]),
        );
        if (at < lines.length) lines[at] = words.join(" ");
      }
    }
  }
}
