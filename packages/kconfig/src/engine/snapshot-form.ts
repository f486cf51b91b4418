/**
 * A loaded tree as bytes: reading it takes a fraction of the time that parsing and finalizing take. Numbers stand in one
 * array, texts in one string; what refers to something names its index. Help stands apart: it is half of all, and most
 * who read the tree want none of it.
 */
export interface Snapshot {
  readonly tree: Uint8Array;
  readonly help: Uint8Array;
}

export const OPS = ["symbol", "!", "||", "&&", "=", "!=", "<", "<=", ">", ">=", "range"] as const;
export const TYPES = ["unknown", "bool", "tristate", "int", "hex", "string"] as const;
export const PROPERTIES = [
  "symbol",
  "prompt",
  "comment",
  "menu",
  "default",
  "select",
  "imply",
  "range",
] as const;
export const MENUS = ["symbol", "menuconfig", "choice", "comment", "if", "menu"] as const;

export const PROPERTY_NUMBERS = 7;

export interface Head {
  readonly files: readonly string[];
  readonly environment: readonly (readonly [string, string])[];
  readonly modules: number;
  readonly defconfigList: number;
  readonly counts: readonly [
    symbols: number,
    exprs: number,
    properties: number,
    menus: number,
    texts: number,
  ];
}
