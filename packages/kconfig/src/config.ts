import { KconfigError } from "./errors.ts";
import type { Location } from "./errors.ts";
import { readValue, writeValue } from "./value.ts";
import type { ConfigValue } from "./value.ts";

/** One symbol's line. `CONFIG_X=n` and `# CONFIG_X is not set` are both the tristate `n`. */
export interface ConfigEntry {
  /** Without the prefix `CONFIG_`. */
  readonly symbol: string;
  readonly value: ConfigValue;
  readonly location: Location;
}

/** One line: a symbol's, or any other (comment, blank) kept as it was. */
export type ConfigLine = { readonly entry: ConfigEntry; readonly raw: string } | { readonly raw: string };

/** A configuration: a `.config`, a defconfig or the assignments of a fragment. */
export interface Config {
  readonly file: string;
  /** Every line in order, so that printing gives back the bytes that were read. */
  readonly lines: readonly ConfigLine[];
  /** The value in effect of each symbol that is named; as in conf, the last line that names it wins. */
  readonly values: ReadonlyMap<string, ConfigValue>;
}

const ASSIGNMENT = /^CONFIG_([A-Za-z0-9_]+)=(.*)$/;
const NOT_SET = /^# CONFIG_([A-Za-z0-9_]+) is not set$/;

/**
 * Reads a `.config`. Comments and blank lines are kept; a line that conf would skip with a warning is an error here,
 * since a configuration that loses a line silently is a wrong one.
 *
 * @throws KconfigError KCONFIG_SYNTAX with file, line and column.
 * @example
 * ```ts
 * import { parseConfig } from "@justenough/kconfig";
 * const config = parseConfig('CONFIG_SMP=y\n# CONFIG_NET is not set\nCONFIG_DEFAULT_HOSTNAME="box"\n');
 * console.log(config.values.get("DEFAULT_HOSTNAME")?.text); // box
 * ```
 */
export function parseConfig(text: string, options: { readonly file?: string | undefined } = {}): Config {
  const file = options.file ?? ".config";
  const lines: ConfigLine[] = [];
  const values = new Map<string, ConfigValue>();
  const rows = text.split("\n");
  // A last line without newline is a line; what follows the last newline is not.
  if (rows.at(-1) === "") rows.pop();
  for (const [index, raw] of rows.entries()) {
    const entry = parseLine(raw, file, index + 1);
    if (entry === undefined) lines.push({ raw });
    else {
      lines.push({ entry, raw });
      values.set(entry.symbol, entry.value);
    }
  }
  return { file, lines, values };
}

/** Makes a configuration of values. */
export function configOf(values: ReadonlyMap<string, ConfigValue>, file = ".config"): Config {
  const lines = [...values].map(([symbol, value], index): ConfigLine => {
    const location = { file, line: index + 1, column: 1 };
    return { entry: { symbol, value, location }, raw: printEntry(symbol, value) };
  });
  return { file, lines, values };
}

/** The text of a configuration: exactly what was parsed, each line ended. */
export function printConfig(config: Pick<Config, "lines">): string {
  return config.lines.map((line) => `${line.raw}\n`).join("");
}

/** One symbol's line as conf writes it: `# CONFIG_X is not set` for n (print_symbol_for_dotconfig() in confdata.c). */
export function printEntry(symbol: string, value: ConfigValue): string {
  return value.kind === "tristate" && value.text === "n"
    ? `# CONFIG_${symbol} is not set`
    : `CONFIG_${symbol}=${writeValue(value)}`;
}

function parseLine(raw: string, file: string, line: number): ConfigEntry | undefined {
  // conf tolerates CR LF (conf_read_simple() in confdata.c).
  const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  const unset = NOT_SET.exec(text);
  if (unset !== null) {
    const location = { file, line, column: 3 };
    return { symbol: unset[1] ?? "", value: { kind: "tristate", text: "n" }, location };
  }
  if (text.startsWith("#") || text.trim() === "") return undefined;
  const assigned = ASSIGNMENT.exec(text);
  if (assigned === null) {
    throw new KconfigError("KCONFIG_SYNTAX", `Cannot understand "${clip(text)}"`, {
      location: { file, line, column: 1 },
      hint: 'A line is "CONFIG_NAME=value", "# CONFIG_NAME is not set", another comment or blank',
    });
  }
  const symbol = assigned[1] ?? "";
  const right = assigned[2] ?? "";
  // Before 6.9, conf writes an int without default as an empty value.
  const value: ConfigValue | undefined = right === "" ? { kind: "number", text: "" } : readValue(right);
  if (value === undefined) {
    throw new KconfigError("KCONFIG_SYNTAX", `Cannot understand the value of "${symbol}": ${clip(right)}`, {
      location: { file, line, column: text.length - right.length + 1 },
      hint: "A value is y, m, n, a number (0x for hexadecimal) or a string in double quotes",
    });
  }
  return { symbol, value, location: { file, line, column: 1 } };
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
