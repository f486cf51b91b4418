/** Small trees for what older confs and those of other projects do, with what comes of them. */
import { dialectOf } from "../src/engine/dialect.ts";
import type { Dialect } from "../src/engine/dialect.ts";

export interface DialectCase {
  readonly name: string;
  /** Whose conf does so. */
  readonly like: keyof typeof LIKE;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Files that are there afterwards, by name. */
  readonly written: Readonly<Record<string, string>>;
  /** Files that are not there. */
  readonly missing?: readonly string[] | undefined;
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

const SHARED = {
  typedConstants: false,
  transformsBool: true,
  modNeedsModules: true,
  respellsBounds: true,
  notSetIsValue: false,
  quotesAuto: true,
  roomyHeading: true,
  autoConfCmd: "old",
  rustcCfg: false,
  warningsAreErrors: false,
  shellBytes: 255,
} as const satisfies Partial<Dialect>;

const XEN = {
  ...SHARED,
  modules: "option",
  wordPrompts: true,
  choiceHolds: "statements",
  imply: "gated",
  menuEnds: "filled",
  tristateConf: true,
  touches: "path",
  drawsOn: "last",
  seedOn: "err",
} as const satisfies Partial<Dialect>;

const U_BOOT = {
  ...XEN,
  keywords: "first",
  wideWords: true,
  dashedHelp: true,
  escapes: false,
  menuEnds: "none",
  keepsUnchanged: false,
  autoConf: "sync",
} as const satisfies Partial<Dialect>;

const CROSSTOOL_NG = {
  ...SHARED,
  modules: "option",
  menuEnds: "filled",
  touches: "path",
  seedOn: "err",
  autoConf: "never",
  prefix: "CT_",
  usage: "README",
} as const satisfies Partial<Dialect>;

const BUILDROOT = {
  ...U_BOOT,
  escapes: true,
  macros: false,
  title: "Buildroot Configuration",
  configVariable: "BR2_CONFIG",
  shellBytes: 4095,
  prefix: "",
} as const satisfies Partial<Dialect>;

// Linux 2.6.
const LETTERS = {
  ...BUILDROOT,
  oldWords: true,
  mainmenu: "ignored",
  imply: "bounded",
  prefix: "CONFIG_",
  oldRecursion: false,
  checksTable: false,
  roomyHeading: false,
  tristateConf: false,
  touches: "name",
  drawsOn: "any",
  seedOn: "out",
  buckets: 257,
  modNeedsModules: false,
  unfitValues: "forget all",
  visibleSetsUser: false,
  defaultsFollow: "prompt",
  comparesNumbers: false,
  strictAssignments: true,
  arguments: "letters",
  booleanWord: true,
  keepsMembers: true,
  showsUnexpected: false,
} as const satisfies Partial<Dialect>;

/** What differs from generation 1 in the projects' confs, as far as the cases go. */
export const LIKE = {
  barebox: { ...SHARED, menuEnds: "filled" },
  coreboot: {
    emptyNumber: false,
    unfitValues: "tell",
    strictNotSet: true,
    warnsMissingEqual: true,
    choiceHolds: "sources",
    globs: "silent",
    transformsBool: true,
    typedConstants: false,
    modNeedsModules: true,
    overrides: "notice",
    negatives: true,
  },
  xen: XEN,
  openWrt: {
    wideWords: true,
    globs: "beside",
    reset: true,
    transformsBool: true,
    typedConstants: false,
    modNeedsModules: true,
    notSetIsValue: false,
    overrides: "silent",
    writesDefaultN: true,
    autoConf: "never",
    unmetSelects: "ignored",
    recursionIsError: false,
    tellsDoubleHelp: false,
    namesFiles: true,
    clearsFirst: true,
  },
  crosstoolNg: CROSSTOOL_NG,
  uBoot: U_BOOT,
  buildroot: BUILDROOT,
  uClibcNg: {
    ...BUILDROOT,
    modules: "own",
    imply: "bounded",
    title: "uClibc Configuration",
    configVariable: "KCONFIG_CONFIG",
    comparesNumbers: false,
    arguments: "short",
    booleanWord: true,
    writesDefaultN: true,
    keepsMembers: true,
    unmetSelects: "line",
    listsValues: false,
    showsUnexpected: false,
    syncNeedsConfig: true,
    syncWrites: "changed",
    syncTells: true,
  },
  busybox: {
    ...LETTERS,
    lettersWrite: "header",
    project: "Busybox",
    title: "Busybox Configuration",
    modules: "name",
    configVariable: "",
    versionSymbol: "KERNELVERSION",
    standardConfig: "/dev/null",
    insists: true,
    stopsAtEnd: true,
  },
  toybox: {
    ...LETTERS,
    project: "ToyBox",
    title: "ToyBox Configuration",
    modules: "own",
    configVariable: "KCONFIG_CONFIG",
    versionSymbol: "KCONFIG_VERSION",
    standardConfig: "arch/$ARCH/defconfig",
  },
} as const satisfies Record<string, Partial<Dialect>>;

export function dialectLike(like: keyof typeof LIKE): Dialect {
  return { ...dialectOf(1), ...LIKE[like] };
}

const GENERATED = "#\n# Automatically generated file; DO NOT EDIT.\n";

const RESOLUTION = `For a resolution refer to Documentation/kbuild/kconfig-language.rst
subsection "Kconfig recursive dependency limitations"

`;

export const CASES: readonly DialectCase[] = [
  {
    name: "words of Linux 2.6, and all symbols written",
    like: "busybox",
    files: {
      Kconfig: `mainmenu "Not the title"
config A
	boolean "a"
	enable C
	---help---
	  Help.
config B
	bool "b"
	requires A
	default y
config C
	bool
config NUMBER
	int "number"
	depends A=y
	range 2 4
	default 9
menu "empty"
comment "in it"
endmenu
`,
    },
    args: ["-n"],
    env: { KCONFIG_NOTIMESTAMP: "1", KERNELVERSION: "1.2" },
    written: {
      ".config": `#
# Automatically generated make config: don't edit
# Busybox version: 1.2
#
# CONFIG_A is not set
# CONFIG_B is not set
# CONFIG_C is not set
CONFIG_NUMBER=0

#
# empty
#

#
# in it
#
`,
    },
  },
  {
    name: "numbers compare as text, and a second assignment does not count",
    like: "busybox",
    files: {
      Kconfig: `config N
	hex "n"
config SAME
	bool "same"
	default y if N=0x10
config OTHER
	bool "other"
	default y if N=0x0010
`,
      given: "CONFIG_N=0x10\nCONFIG_N=0x20\nCONFIG_GONE=y\n",
    },
    args: ["-D", "given"],
    env: { KCONFIG_NOTIMESTAMP: "1" },
    written: {
      ".config": `#
# Automatically generated make config: don't edit
# Busybox version: ${""}
#
CONFIG_N=0x10
CONFIG_SAME=y
# CONFIG_OTHER is not set
`,
    },
    stderr:
      "given:2:warning: trying to reassign symbol N\ngiven:3:warning: trying to assign nonexistent symbol GONE\n",
  },
  {
    name: "a configuration with each symbol once, where nobody answers",
    like: "toybox",
    files: {
      Kconfig: `mainmenu "Not the title"
config A
	bool "a"
	default y
config N
	hex
config S
	string "s"
	default "\\"q\\""
config A
	bool "a again"
	depends on N!=""
`,
      ".config": "# CONFIG_A is not set\nwhat\nCONFIG_A=y\n",
    },
    args: ["-o"],
    env: { KCONFIG_NOTIMESTAMP: "1" },
    written: {
      ".config": `#
# Automatically generated make config: don't edit
# ToyBox version: KCONFIG_VERSION
#
# CONFIG_A is not set
CONFIG_N=0
CONFIG_S="\\"q\\""
`,
    },
    stderr: ".config:2:warning: unexpected data\n.config:3:warning: trying to reassign symbol A\n",
  },
  {
    name: "modes of one letter answer what has no value yet",
    like: "toybox",
    files: {
      Kconfig: `config VERSION
	bool
config A
	bool "a"
	select B
config B
	bool "b"
config KCONFIG_VERSION
	string
	default "7"
`,
      "allyes.config": "CONFIG_A=y\n# CONFIG_B is not set\n",
    },
    args: ["-y"],
    env: { KCONFIG_NOTIMESTAMP: "1" },
    written: {
      ".config": `#
# Automatically generated make config: don't edit
# ToyBox version: 7
#
# CONFIG_VERSION is not set
CONFIG_A=y
CONFIG_B=y
CONFIG_KCONFIG_VERSION="7"
`,
    },
    stdout: `*
* ToyBox Configuration
*
a (A) [Y/n] y
b (B) [Y] y
#
# configuration written to .config
#
`,
  },
  {
    name: "symbols from the environment stand in the title and in names of files",
    like: "buildroot",
    files: {
      Kconfig: `mainmenu "Title $VERSION"
config VERSION
	string
	option env="BR_VERSION"
config DIR
	string
	option env="BR_DIR"
source "$DIR/more"
`,
      "sub/more": `config A
	bool "a $DIR"
	default y
config B
	string "b"
	default "$VERSION"
`,
    },
    args: ["--alldefconfig"],
    env: { BR_VERSION: "7", BR_DIR: "sub" },
    written: { ".config": `${GENERATED}# Title 7\n#\nA=y\nB="$VERSION"\n` },
  },
  {
    name: "a default of n is written, and unmet dependencies are told in a line",
    like: "uClibcNg",
    files: {
      Kconfig: `config A
	boolean "a"
	default y
	select C if B
	select C if OFF
config OFF
	bool
	default n
config B
	def_bool y
	select C
config C
	bool "c"
	depends on OFF
`,
    },
    args: ["-A"],
    written: { ".config": `${GENERATED}# uClibc Configuration\n#\nA=y\n# OFF is not set\nB=y\nC=y\n` },
    stderr: "warning: (A && B) selects C which has unmet direct dependencies (OFF)\n",
  },
  {
    name: "what is new is listed by its name, and a file that is as it should be stays",
    like: "uClibcNg",
    files: {
      Kconfig: `config A
	bool "a"
config B
	string "b"
	default "c"
choice
	prompt "one"
config ONE
	bool "one"
config TWO
	bool "two"
endchoice
`,
      ".config": "A=y\n",
    },
    args: ["-l"],
    written: { ".config": "A=y\n" },
    stdout: "B\n",
  },
  {
    name: "what a build reads names symbols of the environment, and .config stays when nothing changed",
    like: "uClibcNg",
    files: {
      Kconfig: `config HAS__IT
	string
	option env="IT"
config A_B
	bool "a"
choice
	prompt "one"
config ONE
	bool "one"
endchoice
`,
      ".config": "A_B=y\nONE=y\n",
    },
    args: ["-s"],
    env: { IT: "it" },
    written: {
      ".config": "A_B=y\nONE=y\n",
      "include/config/auto.conf": `${GENERATED}# uClibc Configuration\n#\nA_B=y\nONE=y\n`,
      "include/config/auto.conf.cmd": `deps_config := \\
	Kconfig

include/config/auto.conf: \\
	$(deps_config)

ifneq "$(IT)" "it"
include/config/auto.conf: FORCE
endif

$(deps_config): ;
`,
      "include/config/a/b.h": "",
    },
    stdout: "",
  },
  {
    name: "options in long form, words with dots and slashes, keywords only where a statement begins",
    like: "uBoot",
    files: {
      Kconfig: `config MODULES
	bool "modules"
	option modules
	default y
config HIDES
	bool "hides"
	option allnoconfig_y
config T
	tristate "t"
	default m
menu "Files"
config FILE
	string "file"
	default boot/uEnv.txt
	---help---
	  A name.
config select
	bool "named as a keyword"
endmenu
`,
    },
    args: ["--allnoconfig"],
    written: {
      ".config": `${GENERATED}# Main menu
#
# CONFIG_MODULES is not set
CONFIG_HIDES=y
# CONFIG_T is not set

#
# Files
#
CONFIG_FILE="boot/uEnv.txt"
# CONFIG_select is not set
`,
    },
  },
  {
    name: "a select without the dependencies does not count, and nothing is told of it",
    like: "openWrt",
    files: {
      Kconfig: `config A
	bool "a"
	select B
	select C
	help
	  Help.
	help
	  Other help.
config OFF
	bool
	default n
config B
	bool "b"
	depends on OFF
config C
	bool
	depends on OFF
config D
	bool "d"
source "no*thing"
source "sub/more"
`,
      "sub/more": 'source "beside"\n',
      "sub/beside": 'config E\n\tstring "e"\n',
      given: 'CONFIG_A=y\nCONFIG_A=y\nCONFIG_E="/"\n',
    },
    args: ["-r", "given", "-w", "made", "--allyesconfig"],
    written: {
      made: `${GENERATED}# Main menu\n#\nCONFIG_A=y\n# CONFIG_OFF is not set\n# CONFIG_B is not set\n# CONFIG_C is not set\nCONFIG_D=y\nCONFIG_E="/"\n`,
    },
    missing: [".config", "include/config/auto.conf"],
    stdout: "#\n# configuration written to made\n#\n",
  },
  {
    name: "recursive dependencies are told, and no error",
    like: "openWrt",
    files: {
      Kconfig: `config A
	bool "a"
	depends on B
config B
	bool "b"
	depends on A
config C
	bool "c"
	select C
`,
    },
    args: ["--alldefconfig"],
    written: { ".config": `${GENERATED}# Main menu\n#\n# CONFIG_C is not set\n` },
    stderr: `Kconfig:4:error: recursive dependency detected!
Kconfig:4:	symbol B depends on A
Kconfig:1:	symbol A depends on B
${RESOLUTION}Kconfig:7:error: recursive dependency detected!
Kconfig:7:	symbol C is selected by C
${RESOLUTION}`,
  },
  {
    name: "a configuration and nothing else",
    like: "crosstoolNg",
    files: {
      Kconfig: `config A
	bool "a"
	option allnoconfig_y
config B
	string "b"
	default "$(shell,true)$(OF)"
`,
    },
    args: ["--allnoconfig"],
    env: { OF: "c" },
    written: { ".config": `${GENERATED}# Main menu\n#\nCT_A=y\nCT_B="c"\n` },
    missing: ["include/config/auto.conf", "include/generated/autoconf.h"],
  },
  {
    name: "strings without escapes, and files to start from",
    like: "uBoot",
    files: {
      Kconfig: `config LIST
	string
	option defconfig_list
	default "none"
	default "start"
config S
	string "s"
`,
      start: 'CONFIG_S="a "b" \\ c"\n',
    },
    args: ["--olddefconfig"],
    written: { ".config": `${GENERATED}# Main menu\n#\nCONFIG_S="a "b" \\ c"\n` },
  },
  {
    name: "imply needs its dependencies, prompts need no quotes, a choice holds what a menu holds",
    like: "xen",
    files: {
      Kconfig: `config A
	bool a
	default y
	imply B
	imply C
config OFF
	bool off
config B
	bool "b"
	depends on OFF
config C
	bool "c"
choice
	prompt "one of"
source "members"
endchoice
menu "not filled"
endmenu
menu "filled"
config D
	bool "d"
endmenu
`,
      members: `config ONE
	bool "one"
config TWO
	bool "two"
`,
    },
    args: ["--alldefconfig"],
    written: {
      ".config": `${GENERATED}# Main menu
#
CONFIG_A=y
# CONFIG_OFF is not set
CONFIG_C=y
CONFIG_ONE=y
# CONFIG_TWO is not set

#
# not filled
#

#
# filled
#
# CONFIG_D is not set
# end of filled
`,
      "include/config/c.h": "",
      "include/config/tristate.conf": `${GENERATED}# Main menu\n#\n`,
    },
  },
  {
    name: "a bound is written anew, and FOO!=n is FOO for a bool's select",
    like: "barebox",
    files: {
      Kconfig: `config MODULES
	bool "modules"
	modules
	default y
config T
	tristate "t"
	default m
config B
	bool "b"
	default y
	select S if T!=n
config S
	tristate "s"
config N
	hex "n"
	range 0x0010 0x00FF
	default 0x1000
`,
    },
    args: ["--alldefconfig"],
    written: {
      ".config": `${GENERATED}# Main menu
#
CONFIG_MODULES=y
CONFIG_T=m
CONFIG_B=y
CONFIG_S=m
CONFIG_N=0xff
`,
    },
  },
  {
    name: "patterns in source, also in a choice, files that are not there, and n in auto.conf",
    like: "coreboot",
    files: {
      Kconfig: `config N
	int "n"
choice
	prompt "board"
source "boards/*/Kconfig"
endchoice
source "site-local/Kconfig"
`,
      "boards/b/Kconfig": 'config B\n\tbool "b"\n',
      "boards/a/Kconfig": 'config A\n\tbool "a"\n',
      given: "CONFIG_B=y\nCONFIG_B=y\n",
    },
    args: ["--defconfig=given"],
    env: { KCONFIG_NEGATIVES: "1" },
    written: {
      ".config": `${GENERATED}# Main menu\n#\nCONFIG_N=0\n# CONFIG_A is not set\nCONFIG_B=y\n`,
      "include/config/auto.conf": `${GENERATED}# Main menu\n#\nCONFIG_B=y\nCONFIG_A=n\nCONFIG_N=0\n`,
    },
    stderr:
      "given:2:notice: override: reassigning to symbol B\ngiven:2:notice: override: B changes choice state\n",
  },
];
