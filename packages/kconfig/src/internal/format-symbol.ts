/** A symbol as lines for a terminal. */
import type { ConditionalValue, KconfigSymbol, SymbolDefinition, ValueOrigin } from "../tree.ts";

/** Its value as it stands in a .config. */
export function valueText({ type, value }: KconfigSymbol): string {
  return type === "string" ? JSON.stringify(value) : value;
}

/** One line: the value, the prompt, the first place. */
export function formatMatch(symbol: KconfigSymbol): string {
  const { name, definitions } = symbol;
  const definition = definitions.find(({ prompt }) => prompt !== undefined) ?? definitions[0];
  const prompt = definition?.prompt === undefined ? "" : `  ${definition.prompt}`;
  const place = definition === undefined ? "" : `  (${definition.file}:${definition.line})`;
  return `${name}=${valueText(symbol)}${prompt}${place}`;
}

/** Everything about it. */
export function formatSymbol(symbol: KconfigSymbol): string {
  const { name, type, assignable, choice, definitions, selectedBy, impliedBy } = symbol;
  const lines = [`${name}=${valueText(symbol)}`, `  ${type}, ${origin(symbol.origin)}`];
  if (assignable.length > 0) lines.push(`  can be ${assignable.join(", ")}`);
  else if (symbol.visibility === "n") lines.push("  cannot be set as things are");
  if (choice !== undefined) lines.push(`  one of the choice "${choice}"`);
  for (const one of definitions) lines.push(...definitionLines(one));
  lines.push(
    ...properties("default", symbol.defaults),
    ...properties("range", symbol.ranges.map(withoutBrackets)),
  );
  lines.push(...properties("selects", symbol.selects), ...properties("implies", symbol.implies));
  for (const by of selectedBy) lines.push(`  selected by ${by}`);
  for (const by of impliedBy) lines.push(`  implied by ${by}`);
  for (const { help } of definitions) {
    if (help === undefined) continue;
    lines.push(
      "",
      ...help
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`.trimEnd()),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A range as Kconfig files have it: two values. */
export function withoutBrackets(range: ConditionalValue): ConditionalValue {
  return { ...range, value: range.value.replace(/^\[(.*)\]$/, "$1") };
}

function origin(from: ValueOrigin): string {
  switch (from.kind) {
    case "user":
      return "set by the configuration";
    case "default":
      return "by default";
    case "range":
      return "moved into its range";
    case "choice":
      return "decided by its choice";
    case "none":
      return "set by nothing";
    default:
      return `${from.kind === "select" ? "selected" : "implied"} by ${from.by.join(", ")}`;
  }
}

function definitionLines({ file, line, prompt, menus, dependsOn, visibleIf }: SymbolDefinition): string[] {
  const lines = [`  defined at ${file}:${line}${prompt === undefined ? ", without prompt" : `: ${prompt}`}`];
  if (menus.length > 0) lines.push(`    in ${menus.join(" > ")}`);
  if (dependsOn !== undefined) lines.push(`    depends on ${dependsOn}`);
  if (visibleIf !== undefined) lines.push(`    visible if ${visibleIf}`);
  return lines;
}

function properties(word: string, values: readonly ConditionalValue[]): string[] {
  return values.map(({ value, condition, file, line }) => {
    const when = condition === undefined ? "" : ` if ${condition}`;
    return `  ${word} ${value}${when}  (${file}:${line})`;
  });
}
