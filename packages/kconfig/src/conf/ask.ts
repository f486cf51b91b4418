/** Asks for values line by line: oldconfig, oldaskconfig and syncconfig (conf() and check_conf() in conf.c). */
import { ChoicesAsMembers } from "../engine/choice-members.ts";
import { KconfigAbort } from "../engine/errors.ts";
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { Menu, Sym, Tristate } from "../engine/model.ts";
import { symbolLine } from "../engine/write.ts";
import { helpText } from "./help-text.ts";

export type AskMode = "oldaskconfig" | "oldconfig" | "syncconfig" | "listnewconfig" | "helpnewconfig";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A line of input with its newline, or undefined at the end. */
  readonly readLine: () => string | undefined;
  /** Input and output are a terminal, which shows what is typed by itself. */
  readonly echoes: boolean;
}

const SPACE = /^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g;
// How often a question is put again after the end of the input.
const PATIENCE = 100;
const LETTERS = ["n", "m", "y"] as const;

export class Questions {
  readonly #tree: LoadedTree;
  readonly #terminal: Terminal;
  readonly #prefix: string;
  #mode: AskMode;
  #indent = 1;
  #root: Menu | undefined;
  #restarts = 0;
  // Some symbols stay new whatever is answered: rounds since something was, and the one asked for last.
  #rounds = 0;
  #asked: Sym | undefined;
  #line = "";
  #ended = false;

  constructor(tree: LoadedTree, terminal: Terminal, mode: AskMode, prefix: string) {
    this.#tree = tree;
    this.#terminal = terminal;
    this.#mode = mode;
    this.#prefix = prefix;
  }

  /** Asks all that is to be asked in the mode. */
  run(): void {
    if (this.#mode === "oldaskconfig") {
      this.#root = this.#tree.root;
      this.#visit(this.#tree.root);
      this.#mode = "oldconfig";
    }
    do {
      if (this.#asked !== undefined && this.#rounds++ >= PATIENCE) this.#giveUp(this.#asked);
      this.#restarts = 0;
      this.#check(this.#tree.root);
    } while (this.#restarts > 0);
  }

  // Looks for symbols that have no value yet, and asks for the menu that each stands in.
  #check(menu: Menu): void {
    const { evaluator, dialect } = this.#tree;
    if (!evaluator.isVisible(menu)) return;
    const { symbol } = menu;
    if (
      symbol !== undefined &&
      !symbol.user.has &&
      (evaluator.isChangeable(symbol) ||
        (dialect.choice === "symbol" && symbol.isChoice && symbol.tri === YES))
    ) {
      if (this.#mode === "listnewconfig") {
        if (!dialect.listsValues) {
          if (symbol.name !== undefined && !symbol.isMember)
            this.#terminal.out(`${this.#prefix}${symbol.name}\n`);
        } else if (symbol.name !== undefined) {
          const style = { prefix: this.#prefix, no: "n", quote: "escaped" } as const;
          this.#terminal.out(symbolLine(symbol, this.#tree, style));
        }
      } else if (this.#mode === "helpnewconfig") {
        this.#terminal.out("-----\n");
        this.#help(menu);
        this.#terminal.out("-----\n");
      } else {
        if (this.#restarts++ === 0) this.#terminal.out("*\n* Restart config...\n*\n");
        this.#asked = symbol;
        this.#root = this.#menuOf(menu);
        this.#visit(this.#root);
      }
    }
    for (let child = menu.list; child !== undefined; child = child.next) this.#check(child);
  }

  #menuOf(from: Menu): Menu {
    let menu = from;
    while (menu !== this.#tree.root && menu.prompt?.kind !== "menu") menu = menu.parent ?? this.#tree.root;
    return menu;
  }

  #visit(menu: Menu): void {
    const { evaluator, dialect } = this.#tree;
    if (!evaluator.isVisible(menu)) return;
    const { symbol, prompt } = menu;
    if (prompt?.kind === "menu" && this.#mode !== "oldaskconfig" && this.#root !== menu) {
      this.#check(menu);
      return;
    }
    if (prompt?.kind === "menu" || prompt?.kind === "comment") {
      const star = `${" ".repeat(this.#indent - 1)}*`;
      this.#terminal.out(`${star}\n${star} ${prompt.text ?? ""}\n${star}\n`);
    }
    if (symbol?.isChoice === true) {
      if (dialect.choice === "members") {
        this.#askMember(menu);
        return;
      }
      this.#askChoice(menu, symbol);
      if (symbol.tri !== MOD) return;
    } else if (symbol !== undefined) {
      if (symbol.type === "int" || symbol.type === "hex" || symbol.type === "string")
        this.#askText(menu, symbol);
      else this.#askTristate(menu, symbol);
    }
    if (symbol !== undefined) this.#indent += 2;
    for (let child = menu.list; child !== undefined; child = child.next) this.#visit(child);
    if (symbol !== undefined) this.#indent -= 2;
  }

  /** Asks for a line; false when the value cannot be changed or is settled, and was shown instead. */
  #ask(symbol: Sym): boolean {
    const { out } = this.#terminal;
    if (!symbol.user.has) out("(NEW) ");
    this.#line = "\n";
    const settled = (this.#mode === "oldconfig" || this.#mode === "syncconfig") && symbol.user.has;
    if (!this.#tree.evaluator.isChangeable(symbol) || settled) {
      out(`${this.#value(symbol) ?? ""}\n`);
      return false;
    }
    this.#read();
    return true;
  }

  // A symbol may be the user's without having a text.
  #value(symbol: Sym): string | undefined {
    return isLogic(symbol.type) ? this.#tree.evaluator.text(symbol) : symbol.text;
  }

  #read(): void {
    const line = this.#terminal.readLine();
    if (line === undefined) {
      this.#ended = true;
      this.#terminal.err("\nError in reading or end of file.\n");
    } else {
      this.#line = line;
      this.#rounds = 0;
      // C knows of the end only when it meets it.
      if (!line.endsWith("\n")) this.#ended = true;
    }
    if (!this.#terminal.echoes) this.#terminal.out(this.#line);
  }

  // Nobody will answer any more. Where C asks for ever, this stops.
  #giveUp(symbol: Sym): never {
    this.#terminal.err(`\nerror: no value for new symbol '${symbol.name ?? "<choice>"}' at end of input\n`);
    throw new KconfigAbort("end of input");
  }

  #askText(menu: Menu, symbol: Sym): void {
    const { evaluator, dialect } = this.#tree;
    const { out } = this.#terminal;
    for (let round = 0; ; round++) {
      const value = this.#value(symbol);
      const shown = value === undefined ? "" : `[${value}] `;
      out(`${this.#space()}${menu.prompt?.text ?? ""} (${symbol.name ?? ""}) ${shown}`);
      if (!this.#ask(symbol)) return;
      let answer = value;
      if (this.#line === "?\n") {
        this.#help(menu);
        answer = undefined;
      } else if (!this.#line.startsWith("\n")) answer = this.#line.slice(0, -1);
      if (answer !== undefined && evaluator.setText(symbol, answer)) return;
      if (this.#ended && (dialect.stopsAtEnd || round >= PATIENCE)) this.#giveUp(symbol);
    }
  }

  #askTristate(menu: Menu, symbol: Sym): void {
    const { evaluator } = this.#tree;
    for (let round = 0; ; round++) {
      if (this.#ended && round >= PATIENCE) this.#giveUp(symbol);
      const old = symbol.tri;
      const name = symbol.name === undefined ? "" : `(${symbol.name}) `;
      const others = ([NO, MOD, YES] as const)
        .filter((value) => value !== old && evaluator.allows(symbol, value))
        .map((value) => `/${LETTERS[value]}`);
      const letter = LETTERS[old].toUpperCase();
      this.#terminal.out(
        `${this.#space()}${menu.prompt?.text ?? ""} ${name}[${letter}${others.join("")}/?] `,
      );
      if (!this.#ask(symbol)) return;
      const line = this.#line.replace(SPACE, "");
      const value = answerOf(line, old);
      if (value === "again") continue;
      if (value !== "help" && evaluator.setTristate(symbol, value)) return;
      this.#help(menu);
    }
  }

  // Generation 1: the mode of a choice, then its member.
  #askChoice(menu: Menu, choice: Sym): void {
    const { evaluator } = this.#tree;
    const isNew = !choice.user.has;
    if (evaluator.isChangeable(choice)) {
      this.#askTristate(menu, choice);
      evaluator.calc(choice);
      if (choice.tri !== YES) return;
    } else if (choice.tri !== YES) {
      if (choice.tri === MOD) this.#terminal.out(`${this.#space()}${menu.prompt?.text ?? ""}\n`);
      return;
    }
    const child = this.#pick(menu, () => ({ chosen: choice.chosen, isNew }));
    evaluator.setTristate(child.symbol as Sym, YES);
    for (let below = child.list; below !== undefined; below = below.next) {
      this.#indent += 2;
      this.#visit(below);
      this.#indent -= 2;
    }
  }

  #askMember(menu: Menu): void {
    const choices = this.#tree.evaluator.choices as ChoicesAsMembers;
    const child = this.#pick(menu, () => ({ chosen: choices.calculate(menu), isNew: false }));
    choices.set(menu, child.symbol as Sym);
  }

  #pick(menu: Menu, state: () => { chosen: Sym | undefined; isNew: boolean }): Menu {
    const { evaluator, dialect } = this.#tree;
    const { out } = this.#terminal;
    let newMember = false;
    let ask = true;
    for (let round = 0; ; round++) {
      if ((this.#ended || !ask) && round >= PATIENCE) this.#giveUp(menu.symbol as Sym);
      out(`${this.#space()}${menu.prompt?.text ?? ""}\n`);
      const { chosen, isNew } = state();
      let count = 0;
      let standard = 0;
      this.#line = "";
      for (let child = menu.list; child !== undefined; child = child.next) {
        if (!evaluator.isVisible(child)) continue;
        const { symbol } = child;
        if (symbol === undefined) {
          out(`${this.#space()}* ${child.prompt?.text ?? ""}\n`);
          continue;
        }
        count++;
        if (symbol === chosen) standard = count;
        if (!symbol.user.has) newMember = true;
        out(
          `${this.#space()}${symbol === chosen ? ">" : " "} ${count}. ${child.prompt?.text ?? ""} ` +
            `(${symbol.name ?? ""})${symbol.user.has ? "" : " (NEW)"}\n`,
        );
      }
      out(`${this.#space()}choice`);
      let answer: number;
      if (count === 1) {
        out("[1]: 1\n");
        answer = 1;
      } else {
        out(`[1-${count}?]: `);
        ask = this.#mode === "oldaskconfig" || (dialect.choice === "members" ? newMember : isNew);
        if (ask) {
          this.#read();
          this.#line = this.#line.replace(SPACE, "");
          if (this.#line.startsWith("?")) {
            this.#help(menu);
            continue;
          }
          if (this.#line === "") answer = standard;
          else if (/^[0-9]/.test(this.#line)) answer = Number.parseInt(this.#line, 10);
          else continue;
        } else {
          answer = standard;
          out(`${answer}\n`);
        }
      }
      const child = this.#nthVisible(menu, answer);
      if (child === undefined) continue;
      if (this.#line.endsWith("?")) {
        this.#help(child);
        continue;
      }
      return child;
    }
  }

  #nthVisible(menu: Menu, number: number): Menu | undefined {
    let left = number;
    for (let child = menu.list; child !== undefined; child = child.next) {
      if (child.symbol === undefined || !this.#tree.evaluator.isVisible(child)) continue;
      if (--left === 0) return child;
    }
    return undefined;
  }

  #help(menu: Menu): void {
    this.#terminal.out(`\n${helpText(menu, this.#tree, this.#prefix)}\n`);
  }

  #space(): string {
    return " ".repeat(this.#indent - 1);
  }
}

function answerOf(line: string, old: Tristate): Tristate | "help" | "again" {
  switch (line[0]) {
    case undefined:
      return old;
    case "n":
    case "N":
      return line.length === 1 || line.slice(1) === "o" ? NO : "again";
    case "m":
    case "M":
      return line.length === 1 ? MOD : "again";
    case "y":
    case "Y":
      return line.length === 1 || line.slice(1) === "es" ? YES : "again";
    case "?":
      return "help";
    default:
      return "again";
  }
}
