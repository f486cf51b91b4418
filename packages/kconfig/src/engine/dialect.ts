/**
 * Where configuration languages differ: those of the kernels, and those of projects that took a kernel's conf at some
 * time and changed it. Each behaviour is read off the tree's own kconfig sources, since stable kernels and projects bring
 * single changes back; the columns are what a tree without those files gets.
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
  /**
   * A user's value out of range: the default is taken, or it is moved into the range and the file told to differ, or not.
   * `forget all` forgets values of invisible symbols in every file too.
   */
  readonly unfitValues: "forget all" | "forget" | "tell" | "keep";
  /** Text after "is not set" is ignored with the line, or accepted. */
  readonly strictNotSet: boolean;
  /** A line without "=" is warned of. */
  readonly warnsMissingEqual: boolean;
  /** A line that means nothing is shown in the warning of it. */
  readonly showsUnexpected: boolean;
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
  /** How auto.conf.cmd is written: with the variable `autoconfig`, without, or with a list that ends without "\\". */
  readonly autoConfCmd: "variable" | "plain" | "old";
  /** KCONFIG_WERROR turns warnings into errors. */
  readonly warningsAreErrors: boolean;
  readonly rustcCfg: boolean;
  /** Kconfiglib's `rsource`, `osource`, `orsource` and globs. */
  readonly extensions: boolean;
  /** What the usage calls the file, or that the README tells of usage. */
  readonly usage: "<kconfig-file>" | "kconfig_file" | "README";

  // What is older than Linux 6.1, or a project's own.

  /** Keywords count everywhere, or at the start of a statement, with `if` and `on` after it (up to 4.20). */
  readonly keywords: "anywhere" | "first";
  /** Words may have "." and "/" in them. */
  readonly wideWords: boolean;
  /** `$(…)` is expanded (since 4.18), or `$NAME` of a symbol in `source` and the title, which `option env=` sets. */
  readonly macros: boolean;
  /**
   * The symbol that tells of modules: by `modules`, by `option modules` (up to 5.13), the one named MODULES, or one
   * without a name, whose value is that of those with `option modules` or of MODULES.
   */
  readonly modules: "keyword" | "option" | "name" | "own";
  /** Words of Linux 2.6 and before: `depends` without `on`, `requires`, `enable`, `boolean`, `def_boolean`. */
  readonly oldWords: boolean;
  /** `---help---` is `help`. */
  readonly dashedHelp: boolean;
  /** Prompts may stand without quotes. */
  readonly wordPrompts: boolean;
  /** What stands in a choice: configs, comments and ifs, `source` too, or anything but menus and choices. */
  readonly choiceHolds: "members" | "sources" | "statements";
  /**
   * `source` takes a pattern: what matches is read in order and finding nothing is no error, or backwards, looked for
   * beside the file too, and only a pattern may find nothing.
   */
  readonly globs: "none" | "silent" | "beside";
  /** A choice may have `reset`, which only menus on a screen look at. */
  readonly reset: boolean;
  /** `mainmenu` is for the first statement, or means nothing. */
  readonly mainmenu: "first" | "ignored";
  /** The title of a tree without `mainmenu`. */
  readonly title: string;
  /** "FOO!=n" of a tristate is FOO in what belongs to a bool. */
  readonly transformsBool: boolean;
  /** `imply` within the dependencies, or only when they are not n, and then a y rules out m. */
  readonly imply: "bounded" | "gated";
  /** y, m and n are tristates, or words. */
  readonly typedConstants: boolean;
  /** m reads as n without modules. */
  readonly modNeedsModules: boolean;
  /** A number moved into its range is written anew, or as the bound is spelled. */
  readonly respellsBounds: boolean;
  /** "is not set" is the value n, which a number refuses, or says something of bools only. */
  readonly notSetIsValue: boolean;
  /** Assigning twice is told as a warning, as a notice, or not. */
  readonly overrides: "warning" | "notice" | "silent";
  /** Strings have escapes in them. */
  readonly escapes: boolean;
  /** Strings stand in quotes in auto.conf. */
  readonly quotesAuto: boolean;
  /** "# end of" after all menus, those with something in them, or none. */
  readonly menuEnds: "all" | "filled" | "none";
  /** The comment at the top of autoconf.h has blank lines around. */
  readonly roomyHeading: boolean;
  /** A file that would be the same is left alone, and told so. */
  readonly keepsUnchanged: boolean;
  /** auto.conf is made by every mode when it is missing, by syncconfig only, or never. */
  readonly autoConf: "missing" | "sync" | "never";
  readonly tristateConf: boolean;
  /** What is touched for a changed FOO_BAR: that name, or foo/bar.h. */
  readonly touches: "name" | "path";
  /** n is written to auto.conf and autoconf.h when KCONFIG_NEGATIVES is set; KCONFIG_SPLITCONFIG is touched. */
  readonly negatives: boolean;
  /** A randconfig goes on while any choice was drawn, or the last one. */
  readonly drawsOn: "any" | "last";
  readonly seedOn: "out" | "err";
  /** The environment variable that names `.config`. */
  readonly configVariable: string;
  readonly prefix: string;
  /** A default is bounded by its own condition, or by the prompt; then nothing tells of unmet dependencies either. */
  readonly defaultsFollow: "condition" | "prompt";
  /** Values are compared as numbers where they are numbers, or always as text. */
  readonly comparesNumbers: boolean;
  /** An assignment to what is not there, or a second one, is told and not taken. */
  readonly strictAssignments: boolean;
  /** Modes are long options, the short ones for the same, or single letters with what Linux 2.6 wrote. */
  readonly arguments: "long" | "short" | "letters";
  /** What single letters have written: `.config`, or that with all definitions, autoconf.h and .kconfig.d. */
  readonly lettersWrite: "config" | "header";
  /** What headings and messages call the project, and whose value they call its version (single letters). */
  readonly project: string;
  readonly versionSymbol: string;
  /** The configuration that `-d` begins with (single letters). */
  readonly standardConfig: string;
  /** The single letters of all*config go against given values too, and twice. */
  readonly insists: boolean;
  /** `boolean` is `bool`. */
  readonly booleanWord: boolean;
  /** A symbol whose default holds is written, or only when that is not n. */
  readonly writesDefaultN: boolean;
  /** What was to be written of a choice stays so until it is, visible or not. */
  readonly keepsMembers: boolean;
  /**
   * A select without the dependencies counts and is told with all values, or in a line when they are n, or it does not
   * count then.
   */
  readonly unmetSelects: "values" | "line" | "ignored";
  /** Recursive dependencies are an error, or only told; then there is `--fatalrecursive`. */
  readonly recursionIsError: boolean;
  /** A second help text is told, and one without text. */
  readonly tellsDoubleHelp: boolean;
  readonly tellsBlankHelp: boolean;
  /** `-r` and `-w` name the configurations to read and to write; all*config begin with the one that is there. */
  readonly namesFiles: boolean;
  /** Values are worked out anew before all that is new is set, but that of the symbol of modules, or after. */
  readonly clearsFirst: boolean;
  /** What is new is listed with the value that it would have. */
  readonly listsValues: boolean;
  /** syncconfig needs a `.config`. */
  readonly syncNeedsConfig: boolean;
  /** syncconfig writes `.config` always, or only when it changed. */
  readonly syncWrites: "always" | "changed";
  /** syncconfig tells of what it writes. */
  readonly syncTells: boolean;
  /** How much of a command's output is taken. */
  readonly shellBytes: number;
}

/** What is read off a tree. */
export type Column = Omit<Dialect, "generation">;

// behaviour: [up to 6.8, 6.9 to 6.17, since 6.18]
const COLUMNS: { readonly [K in keyof Column]: readonly [Column[K], Column[K], Column[K]] } = {
  choice: ["symbol", "members", "members"],
  choiceType: [true, true, false],
  emptyNumber: [true, false, false],
  unfitValues: ["forget", "keep", "keep"],
  strictNotSet: [false, true, true],
  warnsMissingEqual: [false, true, true],
  showsUnexpected: always(true),
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
  autoConfCmd: ["plain", "variable", "variable"],
  warningsAreErrors: [true, true, true],
  rustcCfg: [true, true, true],
  extensions: [false, false, false],
  usage: ["<kconfig-file>", "<kconfig-file>", "kconfig_file"],
  keywords: always("anywhere"),
  wideWords: always(false),
  macros: always(true),
  modules: always("keyword"),
  oldWords: always(false),
  dashedHelp: always(false),
  wordPrompts: always(false),
  choiceHolds: always("members"),
  globs: always("none"),
  reset: always(false),
  mainmenu: always("first"),
  title: always("Main menu"),
  transformsBool: always(false),
  imply: always("bounded"),
  typedConstants: always(true),
  modNeedsModules: always(false),
  respellsBounds: always(false),
  notSetIsValue: always(true),
  overrides: always("warning"),
  escapes: always(true),
  quotesAuto: always(false),
  menuEnds: always("all"),
  roomyHeading: always(false),
  keepsUnchanged: always(true),
  autoConf: always("missing"),
  tristateConf: always(false),
  touches: always("name"),
  negatives: always(false),
  drawsOn: always("any"),
  seedOn: always("out"),
  configVariable: always("KCONFIG_CONFIG"),
  prefix: always("CONFIG_"),
  defaultsFollow: always("condition"),
  comparesNumbers: always(true),
  strictAssignments: always(false),
  arguments: always("long"),
  lettersWrite: always("config"),
  project: always(""),
  versionSymbol: always(""),
  standardConfig: always(""),
  insists: always(false),
  booleanWord: always(false),
  writesDefaultN: always(false),
  keepsMembers: always(false),
  unmetSelects: always("values"),
  recursionIsError: always(true),
  tellsDoubleHelp: always(true),
  tellsBlankHelp: always(true),
  namesFiles: always(false),
  clearsFirst: always(false),
  listsValues: always(true),
  syncNeedsConfig: always(false),
  syncWrites: always("always"),
  syncTells: always(false),
  shellBytes: always(4095),
};

function always<const T>(value: T): readonly [T, T, T] {
  return [value, value, value];
}

/** The behaviours of a generation: 1 up to Linux 6.8, 2 from 6.9 to 6.17, 3 since 6.18. */
export function dialectOf(generation: 1 | 2 | 3): Dialect {
  const column: Record<string, unknown> = { generation };
  for (const [name, values] of Object.entries(COLUMNS)) column[name] = values[generation - 1];
  return column as unknown as Dialect;
}
