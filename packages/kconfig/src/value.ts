import { KconfigError } from "./errors.ts";

/** How a value is written: bare `y`, `m` or `n`; a bare number; a quoted string. */
export type ValueKind = "tristate" | "number" | "string";

/** A value as read: `text` is unquoted and unescaped. */
export interface ConfigValue {
  readonly kind: ValueKind;
  readonly text: string;
}

const NUMBER = /^-?(?:0[xX][0-9a-fA-F]+|[0-9]+)$/;

/** Whether `name` can name a symbol; written without the prefix `CONFIG_`. */
export function isSymbolName(name: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(name);
}

/**
 * Reads a value as it stands right of the `=`. Returns undefined when it is none of the three kinds.
 * Strings follow conf_set_sym_val() in scripts/kconfig/confdata.c: `\x` means `x`, and the closing quote ends the line.
 */
export function readValue(text: string): ConfigValue | undefined {
  if (text === "y" || text === "m" || text === "n") return { kind: "tristate", text };
  if (NUMBER.test(text)) return { kind: "number", text };
  if (!text.startsWith('"')) return undefined;
  let value = "";
  for (let index = 1; index < text.length; index++) {
    const char = text[index];
    if (char === '"') return index === text.length - 1 ? { kind: "string", text: value } : undefined;
    if (char === "\\") {
      index++;
      value += text[index] ?? "";
    } else value += char;
  }
  return undefined;
}

/** Writes a value as it stands right of the `=`, escaped as escape_string_value() in scripts/kconfig/symbol.c does. */
export function writeValue(value: ConfigValue): string {
  return value.kind === "string" ? `"${value.text.replaceAll(/["\\]/g, "\\$&")}"` : value.text;
}

/**
 * Understands a value that a person gave for a symbol whose type is not known: `y`, `m`, `n` and numbers stand for
 * themselves, anything else is a string. A string that looks like one of those is given with its quotes: `'"5"'`.
 *
 * @example
 * ```ts
 * import { valueOf } from "@justenough/kconfig";
 * console.log(valueOf("(none)")); // { kind: "string", text: "(none)" }
 * ```
 */
export function valueOf(text: string): ConfigValue {
  if (/[\n\r\0]/.test(text)) {
    throw new KconfigError(
      "KCONFIG_VALUE",
      `A value must be one line, but this is not: ${JSON.stringify(text)}`,
    );
  }
  return readValue(text) ?? { kind: "string", text };
}

/** Whether two values mean the same; numbers are compared as numbers, so `0x10` is `16`. */
export function sameValue(a: ConfigValue, b: ConfigValue): boolean {
  if (a.kind === "number" && b.kind === "number") return toBigInt(a.text) === toBigInt(b.text);
  return a.kind === b.kind && a.text === b.text;
}

function toBigInt(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}
