import { describe, expect, test } from "vitest";
import { runConf } from "../src/conf/conf.ts";
import { detectDialect } from "../src/engine/dialect-signs.ts";
import { dialectOf } from "../src/engine/dialect.ts";
import { CASES, dialectLike } from "./dialect-cases.ts";
import { memoryHost } from "./reference/memory-host.ts";

describe("what projects' confs do", () => {
  test.each(CASES)(
    "$like: $name",
    ({ like, files, args, env = {}, written, missing = [], stdout, stderr = "" }) => {
      const host = memoryHost({ env, files, shell: () => "" });
      const status = runConf({ args: [...args, "Kconfig"], dialect: dialectLike(like) }, host);
      expect(host.stderr()).toBe(stderr);
      if (stdout !== undefined) expect(host.stdout()).toBe(stdout);
      expect(status).toBe(0);
      for (const [name, text] of Object.entries(written)) expect(host.files.get(name)).toBe(text);
      for (const name of missing) expect(host.files.has(name)).toBe(false);
    },
  );
});

test("a randconfig ends where a choice stays at n, which OpenWrt's own does not", () => {
  const Kconfig = `config OFF
	bool
choice
	prompt "one"
	depends on OFF
config ONE
	bool "one"
endchoice
config A
	bool "a"
`;
  const host = memoryHost({ env: { KCONFIG_SEED: "1" }, files: { Kconfig }, shell: () => "" });
  expect(runConf({ args: ["--randconfig", "Kconfig"], dialect: dialectLike("openWrt") }, host)).toBe(0);
  expect(host.files.get(".config")).toMatch(/CONFIG_A[= ]/);
});

describe("detection", () => {
  // Not a line of these is of anybody's conf: they only say what the signs look for.
  const linux = {
    "parser.y":
      "choice_option: T_BOOL zconf_lineno() + 1 defined with more than one help text defined with blank help text for_all_symbols(i, sym) { if (sym_check_deps(sym))",
    "lexer.l": 'n [A-Za-z0-9_-] "modules"',
    "conf.c": "getopt_long [options] <kconfig-file> conf_write_autoconf(1) conf_set_message_callback(NULL)",
    "confdata.c": [
      'conf_warning("unexpected data: %s") conf_warning("override: reassigning")',
      "Reset a string value if it's out of range sym_string_within_range ~(SYMBOL_VALID|SYMBOL_DEF_USER)",
      'KCONFIG_WERROR rustc_cfg val = "n" No escaping for S_DEF_AUTO # end of  end_check: No change to',
      'conf_write_autoconf_cmd is_present(autoconf_name) conf_get_configname(void) { getenv("KCONFIG_CONFIG")',
    ].join("\n"),
    "expr.c": "expr_parse_string",
    "expr.h": "#define SYMBOL_HASHSIZE 9973",
    "menu.c": "sym->flags |= SYMBOL_DEF_USER",
    "preprocess.c": "char buf[16]; char buf[4096];",
    "symbol.c": '"y", .type = S_TRISTATE dir_dep %s:%d:error: recursive dependency detected!',
  };
  const detect = (folder: string, files: Readonly<Record<string, string>>) =>
    detectDialect((path) =>
      path.startsWith(`${folder}/`) ? files[path.slice(folder.length + 1)] : undefined,
    );

  test("a tree like Linux 6.1 has the first column", () => {
    expect(detect("scripts/kconfig", linux)).toEqual(dialectOf(1));
  });

  test.each([
    ["support/kconfig", { "Makefile.br": 'CFLAGS += -DCONFIG_=\\"\\"' }, { prefix: "" }],
    [
      "support/kconfig",
      { "confdata.c": 'conf_get_configname(void) { getenv("BR2_CONFIG")' },
      { configVariable: "BR2_CONFIG" },
    ],
    ["util/kconfig", { "lexer.l": "glob(pattern)" }, { globs: "silent" }],
    ["util/kconfig", { "parser.y": "stmt_list_in_choice source_stmt" }, { choiceHolds: "sources" }],
    [
      "tools/kconfig",
      { "parser.y": "T_OPTION T_MODULES choice_block common_stmt" },
      { modules: "option", choiceHolds: "statements" },
    ],
    ["tools/kconfig", { "symbol.c": "sym->impliedTri == yes" }, { imply: "gated", typedConstants: false }],
    [
      "scripts/config",
      { "lexer.l": "({n}|[/.])+ glob( dirname( T_RESET" },
      { wideWords: true, globs: "beside", reset: true },
    ],
    ["kconfig", { "Makefile.am": 'CFLAGS = -DCONFIG_=\\"CT_\\"' }, { prefix: "CT_" }],
    [
      "kconfig",
      { "conf.c": "getopt_long See README for usage /* not here: conf_write_autoconf(1) */" },
      { autoConf: "never", usage: "README" },
    ],
    ["config", { "lexer.l": "<PARAM>", "preprocess.c": "" }, { keywords: "first", macros: false }],
    [
      "scripts/kconfig",
      { "expr.h": "SYMBOL_HASHSIZE 257", "conf.c": "switch (letter)" },
      { buckets: 257, arguments: "letters" },
    ],
    ["scripts/kconfig", { "preprocess.c": "char buf[256];" }, { shellBytes: 255 }],
    [
      "extra/config",
      {
        "conf.c": 'getopt(ac, av, "x") printf("%s%s\\n", CONFIG_, sym->name) conf_write_autoconf(1)',
        "parser.y": "modules_sym = sym_lookup(NULL, 0)",
      },
      { arguments: "short", listsValues: false, syncTells: true, autoConf: "missing", modules: "own" },
    ],
    [
      "extra/config",
      {
        "conf.c":
          "stat(name, &tmpstat) conf_get_changed() && conf_write(NULL) conf_set_message_callback(NULL)",
        "kconf_id.c": "boolean,",
      },
      { booleanWord: true, syncNeedsConfig: true, syncWrites: "changed", syncTells: false },
    ],
    [
      "extra/config",
      {
        "symbol.c": [
          "newval.tri = EXPR_AND(expr_calc_value(prop->expr), prop->visible.tri); }",
          "if (!sym_is_choice_value(sym)) sym->flags &= ~SYMBOL_WRITE; selects %s which has unmet",
        ].join("\n"),
      },
      { writesDefaultN: true, keepsMembers: true, unmetSelects: "line" },
    ],
    [
      "scripts/config",
      {
        "conf.c":
          'getopt_long(ac, av, "hr:w:s", conf_write_autoconf(1) sym_clear_all_valid();\n' +
          "for_all_symbols(i, sym) {\nif (sym_has_value(sym)",
        "confdata.c": "int conf_write_autoconf(int overwrite) {\n#ifndef NOT_WANTED\n\treturn 0;\n#endif",
        "parser.y": "defined with blank help text",
        "symbol.c": "recursive_is_error if (sym->rev_dep.tri != no)\n newval.tri = no;",
      },
      {
        autoConf: "never",
        clearsFirst: true,
        namesFiles: true,
        overrides: "silent",
        recursionIsError: false,
        tellsBlankHelp: true,
        tellsDoubleHelp: false,
        unmetSelects: "ignored",
      },
    ],
  ] as const)("%s with %j", (folder, changes, expected) => {
    expect(detect(folder, { ...linux, ...changes })).toMatchObject(expected);
  });

  test("sources of a grammar may be called zconf", () => {
    const { "parser.y": parser, "lexer.l": lexer, ...others } = linux;
    expect(detect("scripts/kconfig", { ...others, "zconf.y": parser, "zconf.l": lexer })).toEqual(
      dialectOf(1),
    );
  });

  test("a tree that has a parser of Linux 2.6 only as it was made has that one's words", () => {
    const files = {
      Makefile: "KCONFIG_PROJECT = SomeBox",
      "conf.c":
        "switch (letter) fgets(line, 128, stdin); conf_get_default_confname() printf(_(PROJECT_NAME))",
      "confdata.c": [
        'const char conf_defname[] = "arch/$ARCH/defconfig"; sym_string_within_range sym_lookup("SOME_VERSION", 0)',
        "if (sym->visible == no) sym->flags &= ~SYMBOL_DEF_USER; ~(SYMBOL_VALID|SYMBOL_DEF_USER)",
      ].join("\n"),
      "zconf.hash.c_shipped": '"boolean" "requires"',
      "zconf.tab.c_shipped":
        'modules_sym = sym_lookup(NULL, 0); menu_add_prompt(P_MENU, PROJECT_NAME" Settings"',
    };
    expect(detect("kconfig", files)).toMatchObject({
      arguments: "letters",
      booleanWord: true,
      choiceHolds: "statements",
      insists: false,
      keywords: "first",
      lettersWrite: "config",
      mainmenu: "ignored",
      modules: "own",
      oldWords: true,
      project: "SomeBox",
      showsUnexpected: false,
      standardConfig: "arch/$ARCH/defconfig",
      stopsAtEnd: false,
      title: "SomeBox Settings",
      unfitValues: "forget all",
      versionSymbol: "SOME_VERSION",
      wideWords: true,
    });
  });

  test("a tree without sources has extensions", () => {
    expect(detectDialect(() => undefined)).toEqual({ ...dialectOf(2), extensions: true });
  });
});
