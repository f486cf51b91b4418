/**
 * Where the kernels' configuration languages differ. Each behaviour is read off the tree's own scripts/kconfig, since
 * stable kernels bring single changes back; the columns are what a tree without those files gets.
 */

/** One value a behaviour; `generation` names the nearest column. */
export interface Dialect {
  readonly generation: 1 | 2 | 3;
  /** A choice is a symbol with a mode (up to 6.8), or a menu with members in order of priority (since 6.9). */
  readonly choice: "symbol" | "members";
  /** `choice` takes `bool "prompt"`. */
  readonly choiceType: boolean;
  /** The value of an int or hex without default: empty, or 0. */
  readonly emptyNumber: boolean;
  /** A user's number out of range is dropped and the default taken, or moved into the range. */
  readonly dropsOutOfRange: boolean;
  /** Text after "is not set" is ignored with the line, or accepted. */
  readonly strictNotSet: boolean;
  /** A line without "=" is warned of. */
  readonly warnsMissingEqual: boolean;
  /** Number of buckets of the symbol table, which decides the order of auto.conf. */
  readonly buckets: number;
  /** Values of expressions are kept until a symbol changes, also those seen in the middle of a recursion. */
  readonly keepsValues: boolean;
  /** How operands that stand twice are found: all pairs, or left side against right side. */
  readonly duplicates: "pairs" | "sides";
  /** The right operand is transformed first, as compilers happen to order arguments; seen in what is told on stdout. */
  readonly rightFirst: boolean;
  /** Lines in errors of syntax are one too high; recursive inclusions are told by the lines of `source`, minus one. */
  readonly oldPositions: boolean;
  /** Recursive dependencies are told with a position for each line. */
  readonly oldRecursion: boolean;
  /** Which symbols are checked for recursive dependencies: those of the table, or those of the menus. */
  readonly checksTable: boolean;
  readonly transitional: boolean;
  readonly dependsIf: boolean;
  /** A file that is sourced twice is an error. */
  readonly onceOnly: boolean;
  /** Blank or double help, and menuconfig without prompt, are errors and not warnings. */
  readonly strictHelp: boolean;
  /** A member of a choice may not have a prompt anywhere else. */
  readonly strictMember: boolean;
  /** A symbol that stands twice in a choice is one member. */
  readonly uniqueMembers: boolean;
  /** A reference that holds with the symbol off ends the automatic submenu. */
  readonly negatedEndsSubmenu: boolean;
  /** A menu that is visible for its children makes its symbol a user's. */
  readonly visibleSetsUser: boolean;
  readonly warnsChangedInput: boolean;
  /** conf ends when it has to ask for a number and there is no more input. */
  readonly stopsAtEnd: boolean;
  /** auto.conf.cmd is written with the variable `autoconfig`. */
  readonly autoconfCmdVariable: boolean;
  /** KCONFIG_WERROR turns warnings into errors. */
  readonly warningsAreErrors: boolean;
  readonly rustcCfg: boolean;
  /** Kconfiglib's `rsource`, `osource`, `orsource` and globs. */
  readonly extensions: boolean;
  readonly usage: "<kconfig-file>" | "kconfig_file";
}

type Column = Omit<Dialect, "generation">;

// behaviour: [up to 6.8, 6.9 to 6.17, since 6.18]
const COLUMNS: { readonly [K in keyof Column]: readonly [Column[K], Column[K], Column[K]] } = {
  choice: ["symbol", "members", "members"],
  choiceType: [true, true, false],
  emptyNumber: [true, false, false],
  dropsOutOfRange: [true, false, false],
  strictNotSet: [false, true, true],
  warnsMissingEqual: [false, true, true],
  buckets: [9973, 16384, 16384],
  keepsValues: [false, true, true],
  duplicates: ["pairs", "sides", "sides"],
  rightFirst: [false, true, true],
  oldPositions: [true, false, false],
  oldRecursion: [true, false, false],
  checksTable: [true, false, false],
  transitional: [false, false, true],
  dependsIf: [false, false, true],
  onceOnly: [false, false, true],
  strictHelp: [false, false, true],
  strictMember: [false, false, true],
  uniqueMembers: [false, true, false],
  negatedEndsSubmenu: [false, false, true],
  visibleSetsUser: [true, false, false],
  warnsChangedInput: [false, false, true],
  stopsAtEnd: [false, true, true],
  autoconfCmdVariable: [false, true, true],
  warningsAreErrors: [true, true, true],
  rustcCfg: [true, true, true],
  extensions: [false, false, false],
  usage: ["<kconfig-file>", "<kconfig-file>", "kconfig_file"],
};

/** The behaviours of a generation: 1 up to Linux 6.8, 2 from 6.9 to 6.17, 3 since 6.18. */
export function dialectOf(generation: 1 | 2 | 3): Dialect {
  const column: Record<string, unknown> = { generation };
  for (const [name, values] of Object.entries(COLUMNS)) column[name] = values[generation - 1];
  return column as unknown as Dialect;
}

type Files = Readonly<
  Record<
    "conf.c" | "confdata.c" | "expr.c" | "expr.h" | "lexer" | "menu.c" | "parser" | "symbol.c" | "util.c",
    string
  >
>;

// How the sources show each behaviour.
const SIGNS: { readonly [K in keyof Column]: (files: Files) => Column[K] } = {
  choice: (files) => (files["expr.h"].includes("choice_members") ? "members" : "symbol"),
  choiceType: (files) => /choice_option: *(T_BOOL|logic_type|T_TYPE)/.test(files.parser),
  emptyNumber: (files) => !files["symbol.c"].includes('newval.val = "0x0"'),
  dropsOutOfRange: (files) => files["confdata.c"].includes("Reset a string value if it's out of range"),
  strictNotSet: (files) => files["confdata.c"].includes('strcmp(p, "is not set")'),
  warnsMissingEqual: (files) => /'='\);\s*if \(!p\) \{\s*conf_warning/.test(files["confdata.c"]),
  buckets: (files) => (files["expr.h"].includes("SYMBOL_HASHSIZE") ? 9973 : 16384),
  keepsValues: (files) => files["expr.c"].includes("expr_invalidate_all"),
  duplicates: (files) => (files["expr.c"].includes("l = expr_eliminate_dups(") ? "sides" : "pairs"),
  rightFirst: (files) => files["expr.c"].includes("e = expr_alloc_two(e->type,"),
  oldPositions: (files) => files.parser.includes("zconf_lineno() + 1"),
  oldRecursion: (files) => files["symbol.c"].includes("%s:%d:error: recursive dependency detected!"),
  checksTable: (files) => /for_all_symbols\([^)]*\)\s*\{?\s*if \(sym_check_deps/.test(files.parser),
  transitional: (files) => files.lexer.includes('"transitional"'),
  dependsIf: (files) => files.parser.includes("T_DEPENDS T_ON expr if_expr"),
  onceOnly: (files) => files["util.c"].includes("repeated inclusion"),
  strictHelp: (files) => files.parser.includes('zconf_error("menuconfig statement without prompt"'),
  strictMember: (files) => files.parser.includes("must not have a prompt in another entry"),
  uniqueMembers: (files) => files.parser.includes("list_empty(&current_entry->sym->choice_link)"),
  negatedEndsSubmenu: (files) => files["menu.c"].includes("expr_contains_symbol_negated"),
  visibleSetsUser: (files) => files["menu.c"].includes("sym->flags |= SYMBOL_DEF_USER"),
  warnsChangedInput: (files) => files["confdata.c"].includes("KCONFIG_WARN_CHANGED_INPUT"),
  stopsAtEnd: (files) => files["conf.c"].includes("at end of input"),
  autoconfCmdVariable: (files) => files["confdata.c"].includes("autoconfig := "),
  warningsAreErrors: (files) => files["confdata.c"].includes("KCONFIG_WERROR"),
  rustcCfg: (files) => files["confdata.c"].includes("rustc_cfg"),
  extensions: () => false,
  usage: (files) => (files["conf.c"].includes("[options] kconfig_file") ? "kconfig_file" : "<kconfig-file>"),
};

const FOLDERS = [
  "scripts/kconfig",
  "support/kconfig",
  "util/kconfig",
  "tools/kconfig",
  "scripts/config",
  "config",
];

/**
 * Reads the dialect off a tree. `readFile` takes a path in the tree. A tree without sources of its own kconfig has the
 * second generation's: nothing there is older than what people write today, nor too new for them.
 */
export function detectDialect(readFile: (path: string) => string | undefined): Dialect {
  for (const folder of FOLDERS) {
    const read = (...names: string[]): string => {
      for (const name of names) {
        const text = readFile(`${folder}/${name}`);
        if (text !== undefined) return text;
      }
      return "";
    };
    const parser = read("parser.y", "zconf.y");
    if (parser === "") continue;
    const files: Files = {
      "conf.c": read("conf.c"),
      "confdata.c": read("confdata.c"),
      "expr.c": read("expr.c"),
      "expr.h": read("expr.h"),
      lexer: read("lexer.l", "zconf.l"),
      "menu.c": read("menu.c"),
      parser,
      "symbol.c": read("symbol.c"),
      "util.c": read("util.c"),
    };
    const found: Record<string, unknown> = {};
    for (const [name, sign] of Object.entries(SIGNS)) found[name] = sign(files);
    const generation = found["transitional"] === true ? 3 : found["choice"] === "members" ? 2 : 1;
    return { generation, ...(found as unknown as Column) };
  }
  return { ...dialectOf(2), extensions: true };
}
