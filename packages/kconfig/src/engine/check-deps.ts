/** Recursive dependencies, found and told as conf does (sym_check_deps() in symbol.c). */
import type { Dialect } from "./dialect.ts";
import type { Output } from "./errors.ts";
import type { Expr } from "./expr.ts";
import { menusBelow } from "./model.ts";
import type { Menu, Property, Sym } from "./model.ts";

type Part = "depends" | "selected" | "implied" | "value" | "visible";

interface Frame {
  readonly symbol: Sym;
  property: Property | undefined;
  part: Part;
}

export class DependencyCheck {
  readonly #stack: Frame[] = [];
  readonly #output: Output;
  readonly #dialect: Dialect;

  constructor(dialect: Dialect, output: Output) {
    this.#dialect = dialect;
    this.#output = output;
  }

  /** A symbol that depends on itself by way of `symbol`, or undefined. */
  check(symbol: Sym): Sym | undefined {
    if (symbol.checking) {
      this.#tell(symbol);
      return symbol;
    }
    if (symbol.checked) return undefined;
    const found = this.#checkNew(symbol);
    return found === symbol && !this.#dialect.recursionIsError ? undefined : found;
  }

  #checkNew(symbol: Sym): Sym | undefined {
    const choice = this.#choiceOf(symbol);
    if (choice !== undefined) {
      // Members are checked with their choice.
      this.#push(symbol);
      const found = this.check(choice);
      this.#stack.pop();
      return found;
    }
    if (symbol.isChoice) return this.#checkChoice(symbol);
    symbol.checking = true;
    symbol.checked = true;
    const found = this.#checkSymbol(symbol);
    symbol.checking = false;
    return found;
  }

  #checkChoice(choice: Sym): Sym | undefined {
    this.#push(choice);
    const members = this.#membersOf(choice);
    for (const member of members) {
      member.checking = true;
      member.checked = true;
    }
    choice.checking = true;
    choice.checked = true;
    let found = this.#checkSymbol(choice);
    choice.checking = false;
    for (const member of members) {
      if (found !== undefined) break;
      found = this.#checkSymbol(member);
    }
    for (const member of members) member.checking = false;
    if (found !== undefined && this.#choiceOf(found) === choice) found = choice;
    this.#stack.pop();
    return found;
  }

  #checkSymbol(symbol: Sym): Sym | undefined {
    const frame = this.#push(symbol);
    const found = this.#checkParts(symbol, frame);
    this.#stack.pop();
    return found;
  }

  #checkParts(symbol: Sym, frame: Frame): Sym | undefined {
    for (const [part, expr] of [
      ["depends", symbol.dirDep],
      ["selected", symbol.revDep],
      ["implied", symbol.implied],
    ] as const) {
      frame.part = part;
      const found = this.#checkExpr(expr);
      if (found !== undefined) return found;
    }
    frame.part = "visible";
    for (const property of symbol.props) {
      if (property.kind === "select" || property.kind === "imply") continue;
      frame.property = property;
      const visible = this.#checkExpr(property.condition);
      if (visible !== undefined) return visible;
      if (property.kind !== "default" || symbol.isChoice) continue;
      frame.part = "value";
      const value = this.#checkExpr(property.expr);
      if (value !== undefined) return value;
      frame.part = "visible";
    }
    return undefined;
  }

  #checkExpr(expr: Expr | undefined): Sym | undefined {
    if (expr === undefined) return undefined;
    switch (expr.op) {
      case "||":
      case "&&":
        return this.#checkExpr(expr.left) ?? this.#checkExpr(expr.right);
      case "!":
        return this.#checkExpr(expr.left);
      case "symbol":
        return this.check(expr.left);
      case "range":
        return undefined;
      default:
        return this.check(expr.left) ?? this.check(expr.right);
    }
  }

  #push(symbol: Sym): Frame {
    const frame: Frame = { symbol, property: undefined, part: "visible" };
    this.#stack.push(frame);
    return frame;
  }

  #choiceOf(symbol: Sym): Sym | undefined {
    return this.#dialect.choice === "symbol" ? symbol.choice : symbol.choiceNode?.symbol;
  }

  #membersOf(choice: Sym): readonly Sym[] {
    if (this.#dialect.choice === "symbol") return choice.values;
    const node = choice.menus[0];
    return node === undefined ? [] : [...menusBelow(node)].flatMap(({ symbol }) => symbol ?? []);
  }

  #tell(symbol: Sym): void {
    let last = symbol;
    const choice = this.#choiceOf(symbol);
    if (choice !== undefined) {
      this.#push(symbol);
      last = choice;
    }
    const from = this.#stack.findLastIndex((frame) => frame.symbol === last);
    if (from < 0) this.#output.err("unexpected recursive dependency error\n");
    else {
      const frames = this.#stack.slice(from);
      for (const [index, frame] of frames.entries()) {
        const next = frames[index + 1]?.symbol ?? last;
        if (this.#dialect.oldRecursion) this.#tellOld(frame, next, last);
        else this.#tellNew(frame, next, last);
      }
      this.#output.err(
        "For a resolution refer to Documentation/kbuild/kconfig-language.rst\n" +
          'subsection "Kconfig recursive dependency limitations"\n\n',
      );
    }
    // C takes the extra frame off only after it has told all.
    if (choice !== undefined && (from >= 0 || this.#stack.at(-1)?.symbol === symbol)) this.#stack.pop();
  }

  #tellNew(frame: Frame, next: Sym, last: Sym): void {
    const { symbol, part, property } = frame;
    const name = symbol.name ?? "<choice>";
    const nextName = next.name ?? "(null)";
    const kind = property?.kind ?? "unknown";
    if (symbol === last) this.#output.err("error: recursive dependency detected!\n");
    let text: string;
    if (next.isChoice) {
      const node: Menu | undefined = next.menus[0];
      text = `symbol ${name} is part of choice block at ${node?.file ?? ""}:${node?.line ?? 0}`;
    } else if (part === "depends") text = `symbol ${name} depends on ${nextName}`;
    else if (part === "selected") text = `symbol ${symbol.name ?? "(null)"} is selected by ${nextName}`;
    else if (part === "implied") text = `symbol ${symbol.name ?? "(null)"} is implied by ${nextName}`;
    else if (part === "value") text = `symbol ${name} ${kind} value contains ${nextName}`;
    else text = `symbol ${name} ${kind} is visible depending on ${nextName}`;
    this.#output.err(`\t${text}\n`);
  }

  #tellOld(frame: Frame, next: Sym, last: Sym): void {
    const { symbol, part } = frame;
    const name = symbol.name ?? "<choice>";
    const nextName = next.name ?? "<choice>";
    const isInChoice = symbol.isChoice || symbol.isMember;
    const property = (isInChoice ? undefined : frame.property) ?? symbol.props[0];
    const kind = property?.kind ?? "unknown";
    const say = (text: string): void =>
      this.#output.err(`${property?.file ?? ""}:${property?.line ?? 0}:${text}\n`);
    if (symbol === last) say("error: recursive dependency detected!");
    if (symbol.isChoice) say(`\tchoice ${name} contains symbol ${nextName}`);
    else if (symbol.isMember) say(`\tsymbol ${name} is part of choice ${nextName}`);
    else if (part === "depends") say(`\tsymbol ${name} depends on ${nextName}`);
    else if (part === "selected") say(`\tsymbol ${name} is selected by ${nextName}`);
    else if (part === "implied") say(`\tsymbol ${name} is implied by ${nextName}`);
    else if (part === "value") say(`\tsymbol ${name} ${kind} value contains ${nextName}`);
    else say(`\tsymbol ${name} ${kind} is visible depending on ${nextName}`);
  }
}
