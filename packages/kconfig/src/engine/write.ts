/** Writes `.config` and defconfigs, byte for byte as conf does (confdata.c). */
import { ChoicesAsMembers } from "./choice-members.ts";
import { defaultText } from "./default-text.ts";
import type { LoadedTree } from "./load.ts";
import { YES, isLogic, menusBelow } from "./model.ts";
import type { Menu, Sym } from "./model.ts";

/** A double-quoted string with `"` and `\` escaped, where escapes are known. */
export function quote(text: string, { escapes }: { readonly escapes: boolean }): string {
  return escapes ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}

/** One symbol's line; n is "is not set", "=n" or nothing. */
export function symbolLine(
  symbol: Sym,
  tree: LoadedTree,
  style: {
    readonly prefix: string;
    readonly no: "not set" | "n" | "none";
    readonly quote: boolean | "escaped";
  },
): string {
  if (symbol.type === "unknown") return "";
  const { prefix, no } = style;
  const name = `${prefix}${symbol.name ?? ""}`;
  const value = tree.evaluator.text(symbol);
  if (isLogic(symbol.type) && value === "n" && no !== "n")
    return no === "none" ? "" : `# ${name} is not set\n`;
  return `${name}=${symbol.type === "string" && style.quote !== false ? quote(value, style.quote === "escaped" ? { escapes: true } : tree.dialect) : value}\n`;
}

/** The comment at the top of generated files. */
export function heading(tree: LoadedTree, style: "pound" | "c"): string {
  const title = tree.root.prompt?.text ?? "";
  if (style === "pound") return `#\n# Automatically generated file; DO NOT EDIT.\n# ${title}\n#\n`;
  const blank = tree.dialect.roomyHeading ? " *\n" : "";
  return `/*\n${blank} * Automatically generated file; DO NOT EDIT.\n * ${title}\n${blank} */\n`;
}

/** The user's values that the rules changed, a line each (KCONFIG_WARN_CHANGED_INPUT, generation 3). */
export class ChangedInput {
  #lines = "";

  note(symbol: Sym, tree: LoadedTree, prefix: string): void {
    if (!symbol.user.has || symbol.type === "unknown") return;
    const logic = isLogic(symbol.type);
    const given = logic ? ["n", "m", "y"][symbol.user.tri] : (symbol.user.text ?? "");
    const value = tree.evaluator.text(symbol);
    if (given === value) return;
    this.#lines += `  ${prefix}${symbol.name ?? ""}: ${given} -> ${value}\n`;
  }

  get text(): string {
    return this.#lines === "" ? "" : `warning: user-provided values changed by Kconfig:\n${this.#lines}`;
  }
}

export interface WriteOptions {
  readonly prefix: string;
  readonly changedInput?: ChangedInput | undefined;
}

/** The text of `.config` (conf_write()). */
export function configText(tree: LoadedTree, { prefix, changedInput }: WriteOptions): string {
  const { evaluator, root, dialect } = tree;
  const style = { prefix, no: "not set", quote: true } as const;
  const parts = [heading(tree, "pound")];
  let needNewline = false;
  if (!evaluator.changed) evaluator.invalidate();
  let menu: Menu | undefined = root.list;
  while (menu !== undefined) {
    const { symbol } = menu;
    if (symbol === undefined) {
      if (evaluator.isVisible(menu)) {
        parts.push(`\n#\n# ${menu.prompt?.text ?? ""}\n#\n`);
        needNewline = false;
      }
    } else if (!symbol.isChoice && !symbol.written) {
      evaluator.calc(symbol);
      if (dialect.warnsChangedInput) {
        changedInput?.note(symbol, tree, prefix);
        symbol.written = true;
      }
      if (symbol.write) {
        if (needNewline) {
          parts.push("\n");
          needNewline = false;
        }
        symbol.written = true;
        parts.push(symbolLine(symbol, tree, style));
        if (dialect.keepsMembers) symbol.write = false;
      }
    }
    if (menu.list !== undefined) {
      menu = menu.list;
      continue;
    }
    for (let filled = false; ; filled = true) {
      if (
        (dialect.menuEnds === "all" || (dialect.menuEnds === "filled" && filled)) &&
        menu.symbol === undefined &&
        menu !== root &&
        evaluator.isVisible(menu) &&
        menu.prompt?.kind === "menu"
      ) {
        parts.push(`# end of ${menu.prompt.text ?? ""}\n`);
        needNewline = true;
      }
      if (menu.next !== undefined) {
        menu = menu.next;
        break;
      }
      menu = menu.parent;
      if (menu === undefined) break;
    }
  }
  for (const symbol of tree.symbols) symbol.written = false;
  return parts.join("");
}

/** The text of a minimal configuration: only what differs from the defaults (conf_write_defconfig()). */
export function defconfigText(tree: LoadedTree, { prefix, changedInput }: WriteOptions): string {
  const { evaluator, root, dialect } = tree;
  const style = { prefix, no: "not set", quote: true } as const;
  let text = "";
  evaluator.invalidate();
  for (const menu of menusBelow(root)) {
    const { symbol } = menu;
    if (symbol === undefined) {
      // Generation 1 looks at menus on the way, which can make their symbols the user's.
      if (dialect.choice === "symbol") evaluator.isVisible(menu);
      continue;
    }
    if (symbol.isChoice || (dialect.warnsChangedInput && symbol.written)) continue;
    evaluator.calc(symbol);
    if (dialect.warnsChangedInput) {
      changedInput?.note(symbol, tree, prefix);
      symbol.written = true;
    }
    if (!symbol.write) continue;
    symbol.write = false;
    if (!evaluator.isChangeable(symbol)) continue;
    if (evaluator.text(symbol) === defaultText(symbol, evaluator)) continue;
    if (isDefaultMember(symbol, tree)) continue;
    text += symbolLine(symbol, tree, style);
  }
  for (const symbol of tree.symbols) symbol.written = false;
  return text;
}

function isDefaultMember(symbol: Sym, tree: LoadedTree): boolean {
  const { choices } = tree.evaluator;
  if (symbol.tri !== YES) return false;
  if (choices instanceof ChoicesAsMembers) {
    return symbol.choiceNode !== undefined && choices.defaultMember(symbol.choiceNode) === symbol;
  }
  const { choice } = symbol;
  if (!symbol.isMember || choice === undefined || choice.optional || symbol.type !== "bool") return false;
  return choices.defaultMember(choice) === symbol;
}
