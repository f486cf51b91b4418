/** Reads the behaviours of a tree's conf off its sources, by what only the one or the other has. */
import { dialectOf } from "./dialect.ts";
import type { Column, Dialect } from "./dialect.ts";

type Files = Readonly<
  Record<
    | "conf.c"
    | "confdata.c"
    | "expr.c"
    | "expr.h"
    | "lexer"
    | "makefile"
    | "menu.c"
    | "parser"
    | "preprocess.c"
    | "symbol.c"
    | "util.c"
    | "words",
    string
  >
>;

// How the sources show each behaviour.
const SIGNS: { readonly [K in keyof Column]: (files: Files) => Column[K] } = {
  choice: (files) => (files["expr.h"].includes("choice_members") ? "members" : "symbol"),
  choiceType: (files) => /choice_option: *(T_BOOL|logic_type|T_TYPE)/.test(files.parser),
  emptyNumber: (files) => !files["symbol.c"].includes('newval.val = "0x0"'),
  unfitValues: (files) => {
    if (!files["confdata.c"].includes("sym_string_within_range")) return "keep";
    if (/visible == no\)\s*sym->flags &= ~SYMBOL_DEF_USER/.test(files["confdata.c"])) return "forget all";
    if (files["confdata.c"].includes("~(SYMBOL_VALID|SYMBOL_DEF_USER)")) return "forget";
    return files["confdata.c"].includes("|= SYMBOL_NEW;") ? "forget all" : "tell";
  },
  strictNotSet: (files) => files["confdata.c"].includes('strcmp(p, "is not set")'),
  warnsMissingEqual: (files) => /'='\);\s*if \(!p\) \{\s*conf_warning/.test(files["confdata.c"]),
  showsUnexpected: (files) => files["confdata.c"].includes('"unexpected data: %'),
  buckets: (files) => Number(/SYMBOL_HASHSIZE\s+(\d+)/.exec(files["expr.h"])?.[1] ?? 16384),
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
  stopsAtEnd: (files) => /at end of input|if \(!fgets\(line, 128, stdin\)\)/.test(files["conf.c"]),
  autoConfCmd: (files) => {
    if (files["confdata.c"].includes("autoconfig := ")) return "variable";
    return files["confdata.c"].includes("conf_write_autoconf_cmd") ? "plain" : "old";
  },
  warningsAreErrors: (files) => files["confdata.c"].includes("KCONFIG_WERROR"),
  rustcCfg: (files) => files["confdata.c"].includes("rustc_cfg"),
  extensions: () => false,
  usage: (files) => {
    if (files["conf.c"].includes("See README for usage")) return "README";
    return files["conf.c"].includes("[options] kconfig_file") ? "kconfig_file" : "<kconfig-file>";
  },
  keywords: (files) => (files.lexer.includes("<PARAM>") ? "first" : "anywhere"),
  wideWords: (files) => /\[-?\/\.\]/.test(files.lexer),
  macros: (files) => files["preprocess.c"] !== "",
  modules: (files) => {
    if (files.parser.includes("modules_sym = sym_lookup(NULL, 0)")) return "own";
    if (!files.parser.includes("T_OPTION ")) return files.parser.includes('"MODULES"') ? "name" : "keyword";
    return "option";
  },
  oldWords: (files) => files.parser.includes("T_DEPENDS expr"),
  dashedHelp: (files) => `${files.lexer}${files.words}`.includes("---"),
  wordPrompts: (files) => /^prompt:\s+T_WORD$/m.test(files.parser),
  choiceHolds: (files) => {
    if (files.parser.includes("choice_block common_stmt")) return "statements";
    return files.parser.includes("stmt_list_in_choice source_stmt") ? "sources" : "members";
  },
  globs: (files) => {
    if (!files.lexer.includes("glob(")) return "none";
    return files.lexer.includes("dirname(") ? "beside" : "silent";
  },
  reset: (files) => files.lexer.includes("T_RESET"),
  mainmenu: (files) => (files.parser.includes("stmt_list T_MAINMENU") ? "ignored" : "first"),
  title: (files) => {
    const [, word, text] =
      /menu_add_prompt\(P_MENU, (?:\w+\()?(PROJECT_NAME)?"([^"]*)"/.exec(files.parser) ?? [];
    return text === undefined ? "Main menu" : word === undefined ? text : `${project(files)}${text}`;
  },
  transformsBool: (files) => files["menu.c"].includes("expr_trans_bool("),
  imply: (files) => (files["symbol.c"].includes("sym->impliedTri == yes") ? "gated" : "bounded"),
  typedConstants: (files) => /"y",\s*\.type = S_TRISTATE/.test(files["symbol.c"]),
  modNeedsModules: (files) => files["symbol.c"].includes('(modules_sym->curr.tri == no) ? "n" : "m"'),
  respellsBounds: (files) => files["symbol.c"].includes('sprintf(str, "0x%'),
  notSetIsValue: (files) => files["confdata.c"].includes('val = "n"'),
  overrides: (files) => {
    if (files["confdata.c"].includes('conf_notice("override')) return "notice";
    return /reassign/.test(files["confdata.c"]) ? "warning" : "silent";
  },
  escapes: (files) => !files["confdata.c"].includes("Last char has to be a '\"'"),
  quotesAuto: (files) => !files["confdata.c"].includes("No escaping for S_DEF_AUTO"),
  menuEnds: (files) => {
    if (!files["confdata.c"].includes("# end of ")) return "none";
    return files["confdata.c"].includes("end_check:") ? "all" : "filled";
  },
  roomyHeading: (files) => files["confdata.c"].includes("header_print_comment"),
  keepsUnchanged: (files) => files["confdata.c"].includes("No change to"),
  autoConf: (files) => {
    if (!withoutComments(files["conf.c"]).includes("conf_write_autoconf(")) return "never";
    if (/int conf_write_autoconf\([^}]*#ifndef \w+\s*return 0;/.test(files["confdata.c"])) return "never";
    return files["confdata.c"].includes("is_present(autoconf_name)") ? "missing" : "sync";
  },
  tristateConf: (files) => files["confdata.c"].includes("tristate_print_symbol"),
  touches: (files) => (files["confdata.c"].includes("(c == '_') ? '/'") ? "path" : "name"),
  negatives: (files) => files["confdata.c"].includes("KCONFIG_NEGATIVES"),
  drawsOn: (files) => (/has_changed = randomize_choice/.test(files["confdata.c"]) ? "last" : "any"),
  seedOn: (files) => (/stderr, "KCONFIG_SEED/.test(files["conf.c"]) ? "err" : "out"),
  configVariable: (files) =>
    /conf_get_configname\(void\)\s*\{[^}]*getenv\("(\w+)"\)/.exec(files["confdata.c"])?.[1] ?? "",
  prefix: (files) => /-DCONFIG_='?\\?"(\w*)\\?"/.exec(files.makefile)?.[1] ?? "CONFIG_",
  defaultsFollow: (files) => (files["symbol.c"].includes("dir_dep") ? "condition" : "prompt"),
  comparesNumbers: (files) => files["expr.c"].includes("expr_parse_string"),
  strictAssignments: (files) => files["confdata.c"].includes("trying to assign nonexistent symbol"),
  arguments: (files) => {
    if (files["conf.c"].includes("getopt(ac")) return "short";
    return files["conf.c"].includes("getopt_long") ? "long" : "letters";
  },
  lettersWrite: (files) => (files["confdata.c"].includes("file_write_dep(NULL)") ? "header" : "config"),
  project,
  versionSymbol: (files) => /sym_lookup\("(\w*VERSION)"/.exec(files["confdata.c"])?.[1] ?? "",
  standardConfig: (files) =>
    files["conf.c"].includes("conf_get_default_confname")
      ? (/conf_defname\[\] = "([^"]*)"/.exec(files["confdata.c"])?.[1] ?? "")
      : "",
  insists: (files) => files["conf.c"].includes("run it twice"),
  booleanWord: (files) => /\bboolean[,"]/.test(files.words),
  writesDefaultN: (files) =>
    /tri = EXPR_AND\(expr_calc_value\(prop->expr\),\s*prop->visible\.tri\);\s*\}/.test(files["symbol.c"]),
  keepsMembers: (files) =>
    /if \(!sym_is_choice_value\(sym\)\)\s*sym->flags &= ~SYMBOL_WRITE/.test(files["symbol.c"]),
  unmetSelects: (files) => {
    if (/rev_dep\.tri != no\)\s*newval\.tri = no;/.test(files["symbol.c"])) return "ignored";
    return files["symbol.c"].includes("selects %s which has unmet") ? "line" : "values";
  },
  recursionIsError: (files) => !files["symbol.c"].includes("recursive_is_error"),
  tellsDoubleHelp: (files) => files.parser.includes("defined with more than one help text"),
  tellsBlankHelp: (files) => files.parser.includes("defined with blank help text"),
  clearsFirst: (files) =>
    /sym_clear_all_valid\(\);\s*for_all_symbols\(i, sym\) \{\s*if \(sym_has_value/.test(files["conf.c"]),
  namesFiles: (files) => files["conf.c"].includes('"hr:w:s"'),
  listsValues: (files) => !/printf\("%s%s\\n", CONFIG_/.test(files["conf.c"]),
  syncNeedsConfig: (files) => files["conf.c"].includes("stat(name, &tmpstat)"),
  syncWrites: (files) =>
    files["conf.c"].includes("conf_get_changed() && conf_write(") ? "changed" : "always",
  syncTells: (files) => !files["conf.c"].includes("conf_set_message_callback(NULL)"),
  shellBytes: (files) => Number(/char buf\[(\d{3,})\]/.exec(files["preprocess.c"])?.[1] ?? 4096) - 1,
};

// The Makefile of some gives them a name.
function project(files: Files): string {
  return (
    /^KCONFIG_PROJECT *= *(\w+)/m.exec(files.makefile)?.[1] ??
    /"# (\w+) version: %s/.exec(files["confdata.c"])?.[1] ??
    ""
  );
}

// What there is to see of a grammar of Linux 2.6 where a tree has only the parser that bison made of it.
const COMPILED = {
  parser:
    "T_DEPENDS expr\nprompt: T_WORD\nchoice_block common_stmt\nchoice_option: T_TYPE\nstmt_list T_MAINMENU",
  lexer: "<PARAM> --- [-/.]",
};

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "");
}

const FOLDERS = [
  "scripts/kconfig",
  "support/kconfig",
  "util/kconfig",
  "tools/kconfig",
  "scripts/config",
  "config",
  "kconfig",
  "extra/config",
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
    const made = read("zconf.tab.c_shipped");
    const parser = read("parser.y", "zconf.y") || (made && `${made}\n${COMPILED.parser}\n`);
    if (parser === "") continue;
    const files: Files = {
      "conf.c": read("conf.c"),
      "confdata.c": read("confdata.c"),
      "expr.c": read("expr.c"),
      "expr.h": read("expr.h"),
      lexer: read("lexer.l", "zconf.l") || COMPILED.lexer,
      makefile: read("Makefile.br", "Makefile.am", "Makefile"),
      "menu.c": read("menu.c"),
      parser,
      "preprocess.c": read("preprocess.c"),
      "symbol.c": read("symbol.c"),
      "util.c": read("util.c"),
      words: read("kconf_id.c", "zconf.gperf", "zconf.hash.c_shipped"),
    };
    const found: Record<string, unknown> = {};
    for (const [name, sign] of Object.entries(SIGNS)) found[name] = sign(files);
    const generation = found["transitional"] === true ? 3 : found["choice"] === "members" ? 2 : 1;
    return { generation, ...(found as unknown as Column) };
  }
  return { ...dialectOf(2), extensions: true };
}
