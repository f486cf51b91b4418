/** `.config` and autoconf.h as Linux 2.6 and BusyBox write them: both in the order of the menus, with all symbols. */
import type { LoadedTree } from "./load.ts";
import { isLogic, menusBelow } from "./model.ts";
import type { Sym } from "./model.ts";
import { quote } from "./write.ts";

export interface OldWriteOptions {
  readonly prefix: string;
  readonly version: string;
  /** When it is written; undefined for KCONFIG_NOTIMESTAMP. */
  readonly time: { readonly local: string; readonly header: string } | undefined;
}

export interface OldTexts {
  readonly config: string;
  readonly header: string;
}

/** conf_write() in confdata.c; the header is BusyBox's. */
export function oldTexts(tree: LoadedTree, { prefix, version, time }: OldWriteOptions): OldTexts {
  const { evaluator } = tree;
  const { project, lettersWrite } = tree.dialect;
  let config = `#\n# Automatically generated make config: don't edit\n# ${project} version: ${version}\n`;
  config += `${time === undefined ? "" : `# ${time.local}\n`}#\n`;
  let header = `/*\n * Automatically generated C config: don't edit\n * ${project} version: ${version}\n */\n`;
  header += `#define AUTOCONF_TIMESTAMP "${time?.header ?? ""}"\n\n`;
  if (!evaluator.changed) evaluator.invalidate();
  const seen = new Set<Sym>();
  for (const menu of menusBelow(tree.root)) {
    const { symbol, prompt } = menu;
    if (symbol === undefined) {
      if (!evaluator.isVisible(menu)) continue;
      config += `\n#\n# ${prompt?.text ?? ""}\n#\n`;
      header += `\n/*\n * ${prompt?.text ?? ""}\n */\n`;
    } else if (!symbol.isChoice && symbol.type !== "unknown") {
      if (lettersWrite === "config" && seen.has(symbol)) continue;
      seen.add(symbol);
      evaluator.calc(symbol);
      config += configLine(symbol, tree, prefix);
      header += headerLines(symbol, tree, prefix);
    }
  }
  return { config, header };
}

function configLine(symbol: Sym, tree: LoadedTree, prefix: string): string {
  const name = `${prefix}${symbol.name ?? ""}`;
  const value = valueOf(symbol, tree);
  return isLogic(symbol.type) && value === "n" ? `# ${name} is not set\n` : `${name}=${value}\n`;
}

function headerLines(symbol: Sym, tree: LoadedTree, prefix: string): string {
  const name = symbol.name ?? "";
  const value = valueOf(symbol, tree);
  if (!isLogic(symbol.type)) {
    const hex = symbol.type === "hex" && !/^0[xX]/.test(value) ? "0x" : "";
    return `#define ${prefix}${name} ${hex}${value}\n${enabled(name, prefix)}`;
  }
  if (value === "m") return `#define ${prefix}${name}_MODULE 1\n`;
  if (value === "y") return `#define ${prefix}${name} 1\n${enabled(name, prefix)}`;
  return (
    `#undef ${prefix}${name}\n#define ENABLE_${name} 0\n` +
    `#define IF_${name}(...)\n#define IF_NOT_${name}(...) __VA_ARGS__\n`
  );
}

function enabled(name: string, prefix: string): string {
  return (
    `#define ENABLE_${name} 1\n#ifdef MAKE_SUID\n` +
    `# define IF_${name}(...) __VA_ARGS__ "${prefix}${name}"\n#else\n` +
    `# define IF_${name}(...) __VA_ARGS__\n#endif\n#define IF_NOT_${name}(...)\n`
  );
}

function valueOf(symbol: Sym, tree: LoadedTree): string {
  const value = tree.evaluator.text(symbol);
  if (symbol.type === "string") return quote(value, tree.dialect);
  const empty = value === "" && (symbol.type === "int" || tree.dialect.lettersWrite === "config");
  return empty ? "0" : value;
}

/** The files that a tree was read from, as make rules for what is made of them. */
export function oldDependencies(tree: LoadedTree): string {
  const names = [...tree.files].reverse().map((name) => `\t${name}`);
  return (
    `deps_config := \\\n${names.join(" \\\n")}\n\n.config include/autoconf.h: $(deps_config)\n\n` +
    `include/autoconf.h: .config\n\n$(deps_config):\n`
  );
}
