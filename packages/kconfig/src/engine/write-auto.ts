/** What a build reads: auto.conf, autoconf.h, rustc_cfg and auto.conf.cmd (confdata.c). */
import type { LoadedTree } from "./load.ts";
import { isLogic } from "./model.ts";
import type { Sym } from "./model.ts";
import { heading, quote, symbolLine } from "./write.ts";

/** Works out all values, without which the texts below are those of an older state. */
export function calculateAll(tree: LoadedTree): void {
  for (const symbol of tree.symbols) tree.evaluator.calc(symbol);
}

export interface AutoOptions {
  readonly prefix: string;
  /** n is written too (KCONFIG_NEGATIVES). */
  readonly negatives?: boolean | undefined;
}

function written(tree: LoadedTree, negatives = false): readonly Sym[] {
  return tree.symbols.filter(
    (symbol) => symbol.name !== undefined && (symbol.write || (negatives && symbol.type !== "string")),
  );
}

export function autoConfText(tree: LoadedTree, { prefix, negatives = false }: AutoOptions): string {
  const style = { prefix, no: negatives ? "n" : "none", quote: tree.dialect.quotesAuto } as const;
  return (
    heading(tree, "pound") +
    written(tree, negatives)
      .map((symbol) => symbolLine(symbol, tree, style))
      .join("")
  );
}

/** tristate.conf: what is y or m, in capitals. */
export function tristateText(tree: LoadedTree, { prefix }: AutoOptions): string {
  return (
    heading(tree, "pound") +
    written(tree)
      .filter((symbol) => symbol.type === "tristate" && tree.evaluator.text(symbol) !== "n")
      .map((symbol) => `${prefix}${symbol.name ?? ""}=${tree.evaluator.text(symbol).toUpperCase()}\n`)
      .join("")
  );
}

export function autoHeaderText(tree: LoadedTree, options: AutoOptions): string {
  return (
    heading(tree, "c") +
    written(tree, options.negatives)
      .map((symbol) => definition(symbol, tree, options))
      .join("")
  );
}

function definition(symbol: Sym, tree: LoadedTree, { prefix, negatives }: AutoOptions): string {
  const value = tree.evaluator.text(symbol);
  const name = `${prefix}${symbol.name ?? ""}`;
  switch (symbol.type) {
    case "unknown":
      return "";
    case "bool":
    case "tristate":
      if (value === "n") return negatives ? `#define ${name} 0\n` : "";
      return `#define ${name}${value === "m" ? "_MODULE" : ""} 1\n`;
    case "string":
      return `#define ${name} ${quote(value, tree.dialect)}\n`;
    default:
      if (value === "" && tree.dialect.negatives) return `#define ${name} 0\n`;
      return `#define ${name} ${hexPrefix(symbol, value)}${value}\n`;
  }
}

export function rustcCfgText(tree: LoadedTree, { prefix, negatives }: AutoOptions): string {
  return written(tree, negatives)
    .map((symbol) => {
      const value = tree.evaluator.text(symbol);
      const name = `--cfg=${prefix}${symbol.name ?? ""}`;
      if (symbol.type === "unknown" || (isLogic(symbol.type) && value === "n")) return "";
      const flag = isLogic(symbol.type) ? `${name}\n` : "";
      return `${flag}${name}=${quote(hexPrefix(symbol, value) + value, tree.dialect)}\n`;
    })
    .join("");
}

function hexPrefix(symbol: Sym, value: string): string {
  return symbol.type === "hex" && !/^0[xX]/.test(value) ? "0x" : "";
}

/** The make rules that make auto.conf anew when a Kconfig file or a variable changes. */
export function autoConfCmdText(tree: LoadedTree, autoConf: string): string {
  const { files, environment, dialect } = tree;
  const list = (names: readonly string[]): string => names.map((name) => `\t${name} \\\n`).join("");
  // Symbols from the environment stood in a list that grew at its front.
  const named = dialect.macros ? [...environment] : [...environment].reverse();
  const variables = (target: string): string =>
    named
      .map(
        ([name, value]) =>
          `${dialect.autoConfCmd === "variable" ? "\n" : ""}ifneq "$(${name})" "${value}"\n${target}: FORCE\nendif\n`,
      )
      .join("");
  if (dialect.autoConfCmd === "variable") {
    return (
      `autoconfig := ${autoConf}\n\ndeps_config := \\\n${list(files)}\n` +
      `$(autoconfig): $(deps_config)\n$(deps_config): ;\n${variables("$(autoconfig)")}`
    );
  }
  const newestFirst = [...files].reverse();
  if (dialect.autoConfCmd === "old") {
    const names = newestFirst.map((name) => `\t${name}`).join(" \\\n");
    return (
      `deps_config := \\\n${names}\n\n${autoConf}: \\\n\t$(deps_config)\n\n` +
      `${variables(autoConf)}\n$(deps_config): ;\n`
    );
  }
  return (
    `deps_config := \\\n${list(newestFirst)}\n${autoConf}: $(deps_config)\n\n` +
    `${variables(autoConf)}\n$(deps_config): ;\n`
  );
}

/** Symbols whose value differs from that in the auto.conf read before; their files are to be touched. */
export function changedSymbols(tree: LoadedTree): readonly string[] {
  const { evaluator, dialect } = tree;
  const names: string[] = [];
  if (dialect.choice === "symbol") evaluator.calc(tree.modules);
  for (const symbol of tree.symbols) {
    // Reading auto.conf made generation 1 forget the values.
    if (dialect.choice === "symbol") evaluator.calc(symbol);
    if (symbol.isChoice || symbol.noWrite || symbol.name === undefined) continue;
    if (symbol.write) {
      const value = evaluator.text(symbol);
      const logic = isLogic(symbol.type);
      if (symbol.auto.has) {
        if (logic ? symbol.auto.tri === symbol.tri : symbol.type !== "unknown" && symbol.auto.text === value)
          continue;
      } else if (logic && value === "n") continue;
    } else if (!symbol.auto.has) continue;
    names.push(symbol.name);
  }
  return names;
}
