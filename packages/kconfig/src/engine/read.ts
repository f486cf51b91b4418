/** Reads `.config` and its relatives into the user's values (conf_read() in confdata.c). */
import { prioritize } from "./choice-members.ts";
import type { LoadedTree } from "./load.ts";
import { MOD, NO, NOT_GIVEN, YES, give, isLogic } from "./model.ts";
import type { GivenValue, Sym } from "./model.ts";
import { isValidText } from "./text-value.ts";

export interface ReadOptions {
  /** The name in messages. */
  readonly file: string;
  /** `CONFIG_`, unless the environment says otherwise. */
  readonly prefix: string;
  readonly warnUnknown?: boolean | undefined;
  /** auto.conf: strings stand there without escapes, and wrong values are passed over. */
  readonly auto?: boolean | undefined;
  /** Called for each symbol of the file that the tree does not know. */
  readonly onUnknown?: ((name: string) => void) | undefined;
}

/** Sets the user's values to those of a file; gives the number of warnings (conf_read_simple()). */
export function readValues(text: string, tree: LoadedTree, options: ReadOptions): number {
  const { prefix, auto = false } = options;
  const { dialect, evaluator } = tree;
  resetValues(tree, auto);
  const notSet = `# ${prefix}`;
  let warnings = 0;
  let number = 0;
  const warn = (message: string): void => {
    tree.evaluator.context.output.err(`${options.file}:${number}:warning: ${message}\n`);
    warnings++;
  };
  const override = (message: string): void => {
    if (dialect.overrides === "warning") warn(`override: ${message}`);
    else if (dialect.overrides === "notice")
      tree.evaluator.context.output.err(`${options.file}:${number}:notice: override: ${message}\n`);
  };
  for (const line of linesOf(text)) {
    number++;
    if (line === "") continue;
    let name: string;
    let value: string;
    if (line.startsWith("#")) {
      if (!line.startsWith(notSet)) continue;
      const blank = line.indexOf(" ", notSet.length);
      if (blank < 0) continue;
      const rest = line.slice(blank + 1);
      if (dialect.strictNotSet ? rest !== "is not set" : !rest.startsWith("is not set")) continue;
      name = line.slice(notSet.length, blank);
      value = "n";
      const known = tree.table.find(name);
      if (!dialect.notSetIsValue && known !== undefined && !isLogic(known.type)) continue;
    } else if (line.startsWith(prefix)) {
      const equal = line.indexOf("=", prefix.length);
      if (equal < 0) {
        if (dialect.warnsMissingEqual) warn(`unexpected data: ${line}`);
        continue;
      }
      name = line.slice(prefix.length, equal);
      value = line.slice(equal + 1);
    } else {
      warn(dialect.showsUnexpected ? `unexpected data: ${line}` : "unexpected data");
      continue;
    }
    const symbol = tree.table.find(name);
    if (symbol === undefined) {
      options.onUnknown?.(name);
      if (auto) continue;
      if (dialect.strictAssignments) warn(`trying to assign nonexistent symbol ${name}`);
      if (options.warnUnknown === true) warn(`unknown symbol: ${name}`);
      evaluator.changed = true;
      continue;
    }
    const given = auto ? symbol.auto : symbol.user;
    if (given.has && dialect.strictAssignments) warn(`trying to reassign symbol ${name}`);
    else if (given.has) override(`reassigning to symbol ${name}`);
    if (!given.has || !dialect.strictAssignments) {
      const taken = givenValue(symbol, given, value, {
        raw: auto && !dialect.quotesAuto,
        silent: auto,
        escapes: dialect.escapes,
        warn,
      });
      if (taken === undefined) continue;
      if (auto) symbol.auto = taken;
      else symbol.user = taken;
    }
    if (dialect.choice === "symbol")
      settleChoice(symbol, auto, { warn, override, strict: dialect.strictAssignments });
    else if (!auto && symbol.choiceNode !== undefined) prioritize(symbol.choiceNode, symbol);
  }
  return warnings;
}

// A choice always has one (generation 1).
const CHOICE_GIVEN: GivenValue = { has: true, tri: NO, text: undefined };

function resetValues(tree: LoadedTree, auto: boolean): void {
  const asSymbol = tree.dialect.choice === "symbol";
  for (const symbol of tree.symbols) {
    const has = asSymbol && symbol.isChoice;
    const value = has ? CHOICE_GIVEN : NOT_GIVEN;
    if (auto) symbol.auto = value;
    else {
      symbol.user = value;
      symbol.userChosen = undefined;
    }
    if (asSymbol) symbol.valid = false;
  }
  if (!auto) tree.evaluator.invalidateSymbols();
}

/** Lines without their ends; CR LF is tolerated. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    let end = text.indexOf("\n", from);
    const last = end < 0;
    if (last) end = text.length;
    const stop = !last && end > from && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
    yield text.slice(from, stop);
    from = end + 1;
  }
}

interface Setting {
  /** Strings stand without quotes. */
  readonly raw: boolean;
  readonly silent: boolean;
  readonly escapes: boolean;
  readonly warn: (message: string) => void;
}

// conf_set_sym_val(): only the first letter of a bool counts. Undefined when the value is refused.
function givenValue(
  symbol: Sym,
  before: GivenValue,
  value: string,
  { raw, silent, escapes, warn }: Setting,
): GivenValue | undefined {
  const refuse = (): undefined => {
    if (!silent) warn(`symbol value '${value}' invalid for ${symbol.name ?? ""}`);
    return undefined;
  };
  if (isLogic(symbol.type)) {
    const letter = value[0];
    const { text } = before;
    if (letter === "m" && symbol.type === "tristate") return { has: true, tri: MOD, text };
    if (letter === "y") return { has: true, tri: YES, text };
    return letter === "n" ? { has: true, tri: NO, text } : refuse();
  }
  let text = value;
  if (symbol.type === "unknown") return before;
  if (symbol.type === "string" && !raw) {
    // C leaves the old value and goes on.
    if (!value.startsWith('"')) return before;
    const unquoted = escapes ? unquote(value) : value.endsWith('"') ? value.slice(1, -1) : undefined;
    if (unquoted === undefined) {
      if (!silent) warn("invalid string found");
      return undefined;
    }
    text = unquoted;
  }
  if (!isValidText(symbol.type, text)) return refuse();
  return { has: true, tri: before.tri, text };
}

// Up to the closing quote; what follows it is ignored.
function unquote(value: string): string | undefined {
  let text = "";
  for (let index = 1; index < value.length; index++) {
    const char = value[index];
    if (char === '"') return text;
    if (char === "\\") {
      index++;
      text += value[index] ?? "";
    } else text += char;
  }
  return undefined;
}

// Generation 1: what a member's value makes of its choice.
function settleChoice(
  symbol: Sym,
  auto: boolean,
  { warn, override, strict }: Record<"warn" | "override", (message: string) => void> & { strict: boolean },
): void {
  const { choice } = symbol;
  if (!symbol.isMember || choice === undefined) return;
  const value = (auto ? symbol.auto : symbol.user).tri;
  const { has, tri, text } = auto ? choice.auto : choice.user;
  const settle = (settled: GivenValue): void => {
    if (auto) choice.auto = settled;
    else choice.user = settled;
  };
  const odd = (value === MOD && tri === YES) || (value === YES && tri !== NO && strict);
  if (odd) warn(`${symbol.name ?? ""} creates inconsistent choice state`);
  if (odd && value === YES) {
    settle({ has: false, tri, text });
    return;
  }
  if (value === YES) {
    if (tri !== NO) override(`${symbol.name ?? ""} changes choice state`);
    if (!auto) choice.userChosen = symbol;
  }
  settle({ has: has && !odd, tri: value > tri ? value : tri, text });
}

/** Reads a configuration and works out whether it has to be written again (conf_read()). */
export function readConfig(text: string | undefined, tree: LoadedTree, options: ReadOptions): number {
  const { evaluator, modules, dialect } = tree;
  evaluator.changed = false;
  if (text === undefined) {
    evaluator.calc(modules);
    return 0;
  }
  const warnings = readValues(text, tree, options);
  evaluator.calc(modules);
  let unsaved = false;
  for (const symbol of tree.symbols) {
    evaluator.calc(symbol);
    if (symbol.isChoice || symbol.noWrite) continue;
    if (symbol.user.has && symbol.write) {
      if (isLogic(symbol.type) ? symbol.user.tri === symbol.tri : symbol.text === symbol.user.text) continue;
    } else if (!symbol.user.has && !symbol.write) continue;
    unsaved = true;
  }
  if (dialect.unfitValues !== "keep") unsaved = dropUnfit(tree, unsaved);
  if (warnings > 0 || unsaved) evaluator.changed = true;
  return warnings;
}

// Generation 1: values of invisible symbols are new again should they become visible; numbers out of range are dropped.
function dropUnfit(tree: LoadedTree, before: boolean): boolean {
  const { unfitValues } = tree.dialect;
  let unsaved = before;
  for (const symbol of tree.symbols) {
    if (!symbol.user.has || symbol.isMember) continue;
    if (symbol.visible === NO && (!unsaved || unfitValues === "forget all")) give(symbol, { has: false });
    if (symbol.type !== "string" && symbol.type !== "int" && symbol.type !== "hex") continue;
    if (tree.evaluator.allowsText(symbol, symbol.user.text ?? "")) continue;
    symbol.valid = false;
    if (unfitValues !== "tell") give(symbol, { has: false });
    unsaved = true;
  }
  return unsaved;
}
