/**
 * The questions of conf in Linux 2.6, which all of its modes go through: most answer them by themselves (conf.c of that
 * time, as BusyBox has it).
 */
import { formatHelp } from "../engine/help-text.ts";
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { Menu, Sym, Tristate } from "../engine/model.ts";
import type { ConfHost } from "./host.ts";
import { Exit } from "./host.ts";

export type OldMode = "all" | "new" | "silent" | "default" | "yes" | "mod" | "no" | "random";

const NO_HELP = "Sorry, no help available for this option yet.\n";
const PATIENCE = 10;
const LETTERS = ["n", "m", "y"] as const;
const SPACE = /^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g;

export class OldQuestions {
  readonly #tree: LoadedTree;
  readonly #host: ConfHost;
  readonly #random: () => number;
  #mode: OldMode;
  #root: Menu;
  #indent = 1;
  #restarts = 0;
  #ended = false;
  #line = "";

  constructor(tree: LoadedTree, host: ConfHost, mode: OldMode, random: () => number) {
    this.#tree = tree;
    this.#host = host;
    this.#random = random;
    this.#mode = mode;
    this.#root = tree.root;
  }

  run(): void {
    if (this.#mode !== "silent") {
      this.#visit(this.#root);
      // What was selected, and whose selector was refused later, is refused now.
      const insists = this.#tree.dialect.insists && ["no", "mod", "yes"].includes(this.#mode);
      if (insists) this.#visit(this.#root);
      if (this.#mode === "all") this.#mode = "silent";
    }
    do {
      this.#restarts = 0;
      this.#check(this.#tree.root);
    } while (this.#restarts > 0);
  }

  #check(menu: Menu): void {
    const { evaluator, root } = this.#tree;
    if (!evaluator.isVisible(menu)) return;
    const { symbol } = menu;
    if (
      symbol !== undefined &&
      !symbol.user.has &&
      (evaluator.isChangeable(symbol) || (symbol.isChoice && symbol.tri === YES))
    ) {
      if (this.#restarts++ === 0) this.#host.out("*\n* Restart config...\n*\n");
      let above = menu;
      while (above !== root && above.prompt?.kind !== "menu") above = above.parent ?? root;
      this.#root = above;
      this.#visit(above);
    }
    for (let child = menu.list; child !== undefined; child = child.next) this.#check(child);
  }

  #visit(menu: Menu): void {
    if (!this.#tree.evaluator.isVisible(menu)) return;
    const { symbol, prompt } = menu;
    if (prompt?.kind === "menu" && this.#mode === "silent" && this.#root !== menu) {
      this.#check(menu);
      return;
    }
    if (prompt?.kind === "menu" || prompt?.kind === "comment") {
      const star = `${this.#space()}*`;
      this.#host.out(`${star}\n${star} ${prompt.text ?? ""}\n${star}\n`);
    }
    if (symbol?.isChoice === true) {
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

  /** The line that answers; empty for the value that there is (conf_askvalue()). */
  #ask(symbol: Sym, value: string): string {
    const { evaluator } = this.#tree;
    const { out } = this.#host;
    if (!symbol.user.has) out("(NEW) ");
    const shown = (text: string, line = "\n"): string => {
      out(`${text}\n`);
      return line;
    };
    if (!evaluator.isChangeable(symbol)) return shown(value);
    const wanted = symbol.user.has && !this.#tree.dialect.insists ? undefined : this.#wanted(symbol);
    if (wanted !== undefined) return shown(LETTERS[wanted], `${LETTERS[wanted]}\n`);
    switch (this.#mode) {
      case "default":
        return shown(value);
      case "new":
      case "silent":
      case "all":
        return this.#mode !== "all" && symbol.user.has ? shown(value) : this.#read();
      default:
    }
    if (symbol.user.has || !isLogic(symbol.type)) return shown(value);
    for (;;) {
      const drawn = (this.#random() % 3) as Tristate;
      if (evaluator.allows(symbol, drawn)) return shown(LETTERS[drawn], `${LETTERS[drawn]}\n`);
    }
  }

  // What all*config gives, as far as the symbol takes it.
  #wanted(symbol: Sym): Tristate | undefined {
    const { evaluator } = this.#tree;
    if (!isLogic(symbol.type)) return undefined;
    const most = evaluator.typeOf(symbol) === "tristate" ? MOD : YES;
    const wishes: Partial<Record<OldMode, readonly Tristate[]>> = {
      yes: [YES, most, NO],
      mod: [most, NO],
      no: [NO],
    };
    return wishes[this.#mode]?.find((value) => evaluator.allows(symbol, value));
  }

  #read(): string {
    const line = this.#host.readLine();
    if (line === undefined) this.#ended = true;
    if (this.#ended && this.#tree.dialect.stopsAtEnd) throw new Exit(1);
    return line ?? "\n";
  }

  #askText(menu: Menu, symbol: Sym): void {
    const { evaluator } = this.#tree;
    const reads = this.#mode === "all" || this.#mode === "new" || this.#mode === "silent";
    for (let round = 0; ; round++) {
      // Where C asks for ever, this stops.
      if ((this.#ended || !reads) && round >= PATIENCE) throw new Exit(1);
      const value = evaluator.text(symbol);
      this.#host.out(`${this.#space()}${menu.prompt?.text ?? ""} (${symbol.name ?? ""}) [${value}] `);
      const line = this.#ask(symbol, value);
      if (line === "?\n") this.#help(symbol);
      else if (evaluator.setText(symbol, line.startsWith("\n") ? value : line.slice(0, -1))) return;
    }
  }

  #askTristate(menu: Menu, symbol: Sym): void {
    const { evaluator } = this.#tree;
    for (;;) {
      const old = symbol.tri;
      const others = ([NO, MOD, YES] as const)
        .filter((value) => value !== old && evaluator.allows(symbol, value))
        .map((value) => `/${LETTERS[value]}`);
      const name = symbol.name === undefined ? "" : `(${symbol.name}) `;
      const choices = `${LETTERS[old].toUpperCase()}${others.join("")}${helpOf(symbol) === undefined ? "" : "/?"}`;
      this.#host.out(`${this.#space()}${menu.prompt?.text ?? ""} ${name}[${choices}] `);
      const line = this.#ask(symbol, evaluator.text(symbol)).replace(SPACE, "");
      const value = line === "" ? old : VALUES.get(line.toLowerCase());
      if (value !== undefined && evaluator.setTristate(symbol, value)) return;
      if (value !== undefined || line.startsWith("?")) this.#help(symbol);
    }
  }

  #askChoice(menu: Menu, choice: Sym): void {
    const { evaluator } = this.#tree;
    const isNew = !choice.user.has;
    if (evaluator.isChangeable(choice)) {
      this.#askTristate(menu, choice);
      evaluator.calc(choice);
      if (choice.tri !== YES) return;
    } else if (choice.tri !== YES) {
      if (choice.tri === MOD) this.#host.out(`${this.#space()}${menu.prompt?.text ?? ""}\n`);
      return;
    }
    for (;;) {
      const child = this.#pick(menu, choice, isNew);
      if (child === undefined) continue;
      if (this.#line.endsWith("?")) {
        this.#help(child.symbol as Sym);
        continue;
      }
      evaluator.setTristate(child.symbol as Sym, YES);
      if (child.list === undefined) return;
      this.#indent += 2;
      this.#visit(child.list);
      this.#indent -= 2;
      return;
    }
  }

  #pick(menu: Menu, choice: Sym, isNew: boolean): Menu | undefined {
    const { evaluator } = this.#tree;
    const { out } = this.#host;
    out(`${this.#space()}${menu.prompt?.text ?? ""}\n`);
    this.#line = "";
    const members: Menu[] = [];
    let standard = 0;
    for (let child = menu.list; child !== undefined; child = child.next) {
      if (!evaluator.isVisible(child)) continue;
      const text = child.prompt?.text ?? "";
      const { symbol } = child;
      if (symbol === undefined) {
        out(`${this.#space()}* ${text}\n`);
        continue;
      }
      members.push(child);
      if (symbol === choice.chosen) standard = members.length;
      const mark = symbol === choice.chosen ? ">" : " ";
      const fresh = symbol.user.has ? "" : " (NEW)";
      out(`${this.#space()}${mark} ${members.length}. ${text} (${symbol.name ?? ""})${fresh}\n`);
    }
    out(`${this.#space()}choice`);
    if (members.length === 1) {
      out("[1]: 1\n");
      return members[0];
    }
    out(`[1-${members.length}${helpOf(choice) === undefined ? "" : "?"}]: `);
    const asks = this.#mode === "all" || (isNew && (this.#mode === "new" || this.#mode === "silent"));
    if (!asks) {
      const answer = this.#mode === "random" ? (this.#random() % members.length) + 1 : standard;
      out(`${answer}\n`);
      return members[answer - 1];
    }
    this.#line = this.#read().replace(SPACE, "");
    if (this.#line.startsWith("?")) this.#help(choice);
    if (this.#line === "") return members[standard - 1];
    return members[Number.parseInt(this.#line, 10) - 1];
  }

  #help(symbol: Sym): void {
    this.#host.out(`\n${helpOf(symbol) ?? NO_HELP}\n`);
  }

  #space(): string {
    return " ".repeat(this.#indent - 1);
  }
}

const VALUES: ReadonlyMap<string, Tristate> = new Map([
  ["n", NO],
  ["no", NO],
  ["m", MOD],
  ["y", YES],
  ["yes", YES],
]);

// A symbol has one help, that of its last definition.
function helpOf(symbol: Sym): string | undefined {
  const raw = symbol.menus.findLast(({ rawHelp }) => rawHelp !== undefined)?.rawHelp;
  return raw === undefined ? undefined : formatHelp(raw);
}
