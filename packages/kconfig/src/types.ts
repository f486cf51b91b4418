/** What a tree's symbols may be set to, for editors: TypeScript declarations and a JSON Schema. */
import { withoutBrackets } from "./internal/format-symbol.ts";
import type { ConditionalValue, KconfigSymbol, KconfigTree } from "./tree.ts";

/** One symbol in a {@link ConfigSchema}. */
export interface SymbolSchema {
  readonly type: "string" | "integer" | readonly ["string", "integer"];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description: string;
}

/** A JSON Schema (2020-12) of an object that gives values to symbols, named without `CONFIG_`. */
export interface ConfigSchema {
  readonly $schema: "https://json-schema.org/draft/2020-12/schema";
  readonly title: string;
  readonly type: "object";
  readonly properties: Readonly<Record<string, SymbolSchema>>;
  readonly additionalProperties: false;
}

/**
 * TypeScript declarations of a tree's symbols: `TreeConfig` with names as a spec has them, `PrefixedTreeConfig` with
 * `CONFIG_` before each. An editor completes the names and shows prompt, help, range and default. The same tree gives
 * the same text.
 *
 * A hex symbol takes only a text: the number 0x10 would arrive as 16, which conf reads as 0x16.
 *
 * @example
 * ```ts
 * import { loadKconfig, typesOf } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * console.log(typesOf(tree).includes('readonly NET?: "y" | "n";')); // true
 * ```
 */
export function typesOf(tree: KconfigTree): string {
  const members = settableSymbols(tree).map((symbol) => {
    const name = /^[A-Za-z_]/.test(symbol.name) ? symbol.name : JSON.stringify(symbol.name);
    return `${comment(description(symbol))}\n  readonly ${name}?: ${typeScriptType(symbol)};\n`;
  });
  return `// Generated from the Kconfig files of "${tree.title}". Do not edit.

/** Values of the symbols of this tree, named without CONFIG_. */
export interface TreeConfig {
${members.join("")}}

/** The same with CONFIG_ before each name. */
export type PrefixedTreeConfig = {
  readonly [Name in keyof TreeConfig as \`CONFIG_\${Name}\`]?: TreeConfig[Name];
};
`;
}

/**
 * A JSON Schema of values for a tree's symbols, such as `kernel.config` of an appliance's spec: names without `CONFIG_`,
 * and no others. The same tree gives the same schema.
 */
export function schemaOf(tree: KconfigTree): ConfigSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: tree.title,
    type: "object",
    properties: Object.fromEntries(
      settableSymbols(tree).map((symbol) => [symbol.name, symbolSchema(symbol)]),
    ),
    additionalProperties: false,
  };
}

// By name, so that two versions can be compared. A symbol that only others set stays in: a spec may ask for it, to be
// told when it does not come about.
function settableSymbols(tree: KconfigTree): readonly KconfigSymbol[] {
  return [...tree.names].sort().flatMap((name) => {
    const symbol = tree.symbol(name);
    return symbol === undefined || symbol.type === "unknown" ? [] : [symbol];
  });
}

function typeScriptType({ type }: KconfigSymbol): string {
  switch (type) {
    case "bool":
      return '"y" | "n"';
    case "tristate":
      return '"y" | "m" | "n"';
    case "int":
      return "number";
    case "hex":
      return "`0x${string}`";
    default:
      return "string";
  }
}

function symbolSchema(symbol: KconfigSymbol): SymbolSchema {
  const about = { description: description(symbol) };
  switch (symbol.type) {
    case "bool":
      return { type: "string", enum: ["y", "n"], ...about };
    case "tristate":
      return { type: "string", enum: ["y", "m", "n"], ...about };
    case "int":
      return { type: "integer", ...limits(symbol), ...about };
    // Editors take an unquoted 0x10 in YAML for a number.
    case "hex":
      return { type: ["string", "integer"], pattern: "^(0[xX])?[0-9a-fA-F]+$", ...about };
    default:
      return { type: "string", ...about };
  }
}

// Only what holds in every configuration: the first range whose condition is met counts.
function limits({ ranges }: KconfigSymbol): { readonly minimum?: number; readonly maximum?: number } {
  const [first] = ranges;
  const ends = first?.condition === undefined ? /^\[(-?\d+) (-?\d+)\]$/.exec(first?.value ?? "") : null;
  return ends === null ? {} : { minimum: Number(ends[1]), maximum: Number(ends[2]) };
}

function description({ definitions, ranges, defaults }: KconfigSymbol): string {
  const prompt = definitions.find((one) => one.prompt !== undefined)?.prompt;
  const help = definitions.find((one) => one.help !== undefined)?.help;
  const paragraph = (help ?? "").trim().split(/\n[ \t]*\n/)[0] ?? "";
  const facts = [
    ...ranges.map((range) => `Range: ${conditional(withoutBrackets(range))}`),
    ...defaults.map((value) => `Default: ${conditional(value)}`),
  ];
  return [prompt ?? "(no prompt: only defaults and other symbols set it)", paragraph, facts.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function conditional({ value, condition }: ConditionalValue): string {
  return condition === undefined ? value : `${value} if ${condition}`;
}

function comment(text: string): string {
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `  /** ${lines[0] ?? ""} */`;
  return ["  /**", ...lines.map((line) => `   * ${line}`.trimEnd()), "   */"].join("\n");
}
