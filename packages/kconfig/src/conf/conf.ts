/** The kernel's `conf`, option for option (scripts/kconfig/conf.c). */
import { dirname } from "node:path";
import type { Dialect } from "../engine/dialect.ts";
import { KconfigAbort, withinStack } from "../engine/errors.ts";
import { beginLoad } from "../engine/load.ts";
import type { LoadInProgress, LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES } from "../engine/model.ts";
import { readConfig, readValues } from "../engine/read.ts";
import { ChangedInput, configText, defconfigText } from "../engine/write.ts";
import {
  autoConfCmdText,
  autoConfText,
  autoHeaderText,
  calculateAll,
  changedSymbols,
  rustcCfgText,
  tristateText,
} from "../engine/write-auto.ts";
import { Questions } from "./ask.ts";
import type { AskMode } from "./ask.ts";
import { Exit, openText, resolvePath } from "./host.ts";
import type { ConfHost, ConfRequest } from "./host.ts";
import { LettersConf } from "./letters.ts";
import { EVEN_CHANCES, rewriteTristates, setNewSymbols } from "./new-symbols.ts";
import type { Chances, NewValues } from "./new-symbols.ts";
import { glibcRandom } from "./random.ts";

export type { ConfHost, ConfRequest } from "./host.ts";

const MODES = [
  "oldaskconfig",
  "oldconfig",
  "syncconfig",
  "defconfig",
  "savedefconfig",
  "allnoconfig",
  "allyesconfig",
  "allmodconfig",
  "alldefconfig",
  "randconfig",
  "listnewconfig",
  "helpnewconfig",
  "olddefconfig",
  "yes2modconfig",
  "mod2yesconfig",
  "mod2noconfig",
] as const;
type Mode = (typeof MODES)[number];

// Where those confs write it that do not go by the name of auto.conf.
const AUTO_CMD = "include/config/auto.conf.cmd";

const NEW_VALUES: Partial<Record<Mode, NewValues>> = {
  allnoconfig: "no",
  allyesconfig: "yes",
  allmodconfig: "mod",
  alldefconfig: "default",
  defconfig: "default",
  randconfig: "random",
};
const ALL_CONFIGS: Partial<Record<Mode, string>> = {
  allnoconfig: "allno.config",
  allyesconfig: "allyes.config",
  allmodconfig: "allmod.config",
  alldefconfig: "alldef.config",
  randconfig: "allrandom.config",
};

/** Runs conf and gives its exit status. What it prints goes through the host. */
export function runConf(request: ConfRequest, host: ConfHost): number {
  try {
    const conf = confOf(request, { ...host, defer: undefined });
    return conf.run(conf.begin().finish());
  } catch (error) {
    return statusOf(error);
  }
}

/** {@link runConf} with a host that defers commands; `answered` waits until it has their answers. */
export async function runConfAsync(
  request: ConfRequest,
  host: ConfHost,
  answered: () => Promise<void>,
): Promise<number> {
  try {
    const conf = confOf(request, host);
    const load = conf.begin();
    await answered();
    return conf.run(load.finish());
  } catch (error) {
    return statusOf(error);
  }
}

function confOf(request: ConfRequest, host: ConfHost): Conf | LettersConf {
  return request.dialect.arguments === "letters" ? new LettersConf(request, host) : new Conf(request, host);
}

function statusOf(error: unknown): number {
  if (error instanceof Exit) return error.status;
  if (error instanceof KconfigAbort) return 1;
  throw error;
}

class Conf {
  readonly #request: ConfRequest;
  readonly #host: ConfHost;
  readonly #prefix: string;
  #mode: Mode = "oldaskconfig";
  #silent = false;
  #file = "";
  #random: () => number = glibcRandom(1);

  constructor(request: ConfRequest, host: ConfHost) {
    this.#request = request;
    this.#host = host;
    this.#prefix = host.getenv("CONFIG_") ?? request.dialect.prefix;
  }

  begin(): LoadInProgress {
    const host = this.#host;
    const file = this.#options();
    const srctree = host.getenv("srctree");
    const directories = srctree === undefined ? [host.cwd] : [host.cwd, srctree];
    return (host.begin ?? beginLoad)({
      file,
      directories,
      dialect: this.#request.dialect,
      host,
      output: host,
    });
  }

  run(tree: LoadedTree): number {
    return withinStack(
      this.#host,
      () => tree.evaluator.place,
      () => this.#run(tree),
    );
  }

  #run(tree: LoadedTree): number {
    const host = this.#host;
    const warnings = this.#read(tree);
    const strict = tree.dialect.warningsAreErrors && host.getenv("KCONFIG_WERROR") !== undefined;
    if (strict && warnings > 0) return 1;
    let writes = true;
    if (this.#mode === "syncconfig" && (host.getenv("KCONFIG_NOSILENTUPDATE") ?? "") !== "") {
      if (tree.evaluator.changed) {
        host.err("\n*** The configuration requires explicit update.\n\n");
        return 1;
      }
      writes = false;
    }
    this.#change(tree);
    if (strict && tree.evaluator.warnings > 0) return 1;
    return this.#write(tree, writes);
  }

  // getopt_long(): names may be shortened, and what follows "--" is no option.
  #options(): string {
    const names: string[] = [];
    const args = [...this.#request.args];
    for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
      if (arg === "--") {
        names.push(...args);
        break;
      }
      if (arg.startsWith("--")) this.#longOption(arg, args);
      else if (arg.startsWith("-") && arg.length > 1) {
        for (const letter of arg.slice(1)) {
          if (letter === "s") this.#silent = true;
          else if (letter === "h") this.#usage();
          else this.#host.err(`${this.#program}: invalid option -- '${letter}'\n`);
        }
      } else names.push(arg);
    }
    const [kconfig] = names;
    if (kconfig !== undefined) return kconfig;
    this.#host.err(`${this.#program}: Kconfig file missing\n`);
    return this.#usage();
  }

  #longOption(arg: string, args: string[]): void {
    const equal = arg.indexOf("=");
    const given = equal < 0 ? arg.slice(2) : arg.slice(2, equal);
    const all = [...MODES, "help", "silent"] as const;
    const fitting = all.includes(given as Mode) ? [given] : all.filter((name) => name.startsWith(given));
    const [name] = fitting;
    if (name === undefined || fitting.length > 1) {
      const many = fitting.map((one) => `'--${one}'`).join(" ");
      this.#host.err(
        name === undefined
          ? `${this.#program}: unrecognized option '${arg}'\n`
          : `${this.#program}: option '${arg}' is ambiguous; possibilities: ${many}\n`,
      );
      return;
    }
    if (name === "help") this.#usage();
    if (name === "silent") {
      this.#silent = true;
      return;
    }
    const mode = name as Mode;
    const takesFile = mode === "defconfig" || mode === "savedefconfig";
    if (equal >= 0 && !takesFile) {
      this.#host.err(`${this.#program}: option '--${mode}' doesn't allow an argument\n`);
      return;
    }
    if (takesFile) {
      const file = equal < 0 ? args.shift() : arg.slice(equal + 1);
      if (file === undefined) {
        this.#host.err(`${this.#program}: option '--${mode}' requires an argument\n`);
        return;
      }
      this.#file = file;
    }
    this.#mode = mode;
    if (mode === "syncconfig") this.#silent = true;
    if (mode === "randconfig") this.#seed();
  }

  get #program(): string {
    return this.#request.program ?? "conf";
  }

  #usage(): never {
    const argument = this.#request.dialect.usage;
    this.#host.out(
      `Usage: ${this.#program} [options] ${argument}\n${USAGE}` +
        (argument === "kconfig_file"
          ? "\nArguments:\n  kconfig_file            Top-level Kconfig file.\n"
          : ""),
    );
    throw new Exit(1);
  }

  #seed(): void {
    const given = this.#host.getenv("KCONFIG_SEED");
    let seed: number | undefined;
    if (given !== undefined && /^\s*[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(given)) seed = parseSeed(given);
    if (seed === undefined) {
      const now = this.#host.now();
      seed = Math.imul(Math.floor(now / 1000) + 1, (now % 1000) * 1000 + 1) >>> 0;
    }
    this.#host[this.#request.dialect.seedOn](`KCONFIG_SEED=0x${seed.toString(16).toUpperCase()}\n`);
    this.#random = glibcRandom(seed);
  }

  #read(tree: LoadedTree): number {
    const mode = this.#mode;
    const host = this.#host;
    if (mode === "defconfig") {
      const text = openText(this.#host, this.#file);
      if (text !== undefined) return readConfig(text, tree, this.#readOptions(this.#file));
      host.err(`***\n*** Can't find default configuration "${this.#file}"!\n***\n`);
      throw new Exit(1);
    }
    const fallback = ALL_CONFIGS[mode];
    if (fallback === undefined) return this.#readOwn(tree);
    const given = host.getenv("KCONFIG_ALLCONFIG");
    if (given === undefined) return 0;
    if (given !== "" && given !== "1") {
      const text = openText(this.#host, given);
      if (text !== undefined) return readValues(text, tree, this.#readOptions(given));
      host.err(`*** Can't read seed configuration "${given}"!\n`);
      throw new Exit(1);
    }
    for (const name of [fallback, "all.config"]) {
      const text = openText(this.#host, name);
      if (text !== undefined) return readValues(text, tree, this.#readOptions(name));
    }
    host.err(`*** KCONFIG_ALLCONFIG set, but no "${fallback}" or "all.config" file found\n`);
    throw new Exit(1);
  }

  // .config, or the first of KCONFIG_DEFCONFIG_LIST that there is.
  #readOwn(tree: LoadedTree): number {
    const name = this.#configName;
    const text = openText(this.#host, name);
    if (text !== undefined) return readConfig(text, tree, this.#readOptions(name));
    for (const other of this.#standards(tree)) {
      const found = other === "" ? undefined : openText(this.#host, other);
      if (found === undefined) continue;
      this.#message(`using defaults found in ${other}`);
      const warnings = readConfig(found, tree, this.#readOptions(other));
      tree.evaluator.changed = true;
      return warnings;
    }
    readConfig(undefined, tree, this.#readOptions(name));
    tree.evaluator.changed = true;
    return 0;
  }

  // Where there are defaults for what `.config` should be.
  #standards(tree: LoadedTree): readonly string[] {
    const { defconfigList, evaluator, dialect } = tree;
    if (dialect.modules === "keyword") {
      return (this.#host.getenv("KCONFIG_DEFCONFIG_LIST") ?? "").split(/[ \t\n\v\f\r]+/);
    }
    return (defconfigList?.props ?? []).flatMap(({ kind, visible, expr }) => {
      if (kind !== "default" || expr?.op !== "symbol" || evaluator.expr(visible.expr) === NO) return [];
      evaluator.calc(expr.left);
      return [evaluator.text(expr.left)];
    });
  }

  #readOptions(file: string) {
    const warnUnknown = this.#host.getenv("KCONFIG_WARN_UNKNOWN_SYMBOLS") !== undefined;
    return { file, prefix: this.#prefix, warnUnknown };
  }

  #change(tree: LoadedTree): void {
    const mode = this.#mode;
    const values = NEW_VALUES[mode];
    if (values !== undefined) {
      const chances = values === "random" ? this.#chances() : EVEN_CHANCES;
      setNewSymbols(tree, { values, chances, random: this.#random });
    } else if (mode === "yes2modconfig") rewriteTristates(tree, YES, MOD);
    else if (mode === "mod2yesconfig") rewriteTristates(tree, MOD, YES);
    else if (mode === "mod2noconfig") rewriteTristates(tree, MOD, NO);
    else if (mode !== "savedefconfig" && mode !== "olddefconfig") {
      new Questions(tree, this.#host, mode as AskMode, this.#prefix).run();
    }
  }

  #chances(): Chances {
    const numbers: number[] = [];
    let rest = this.#host.getenv("KCONFIG_PROBABILITY") ?? "";
    const refuse = (): never => {
      this.#host.err("KCONFIG_PROBABILITY: Numerical result out of range\n");
      throw new Exit(1);
    };
    while (rest !== "" && numbers.length < 3) {
      const match = /^\s*[+-]?[0-9]+/.exec(rest);
      const number = match === null ? 0 : Number.parseInt(match[0], 10);
      if (number < 0 || number > 100) refuse();
      numbers.push(number);
      rest = rest.slice(match?.[0].length ?? 0);
      if (rest.startsWith(":")) rest = rest.slice(1);
    }
    const [first = 0, second = 0, third = 0] = numbers;
    let chances = EVEN_CHANCES;
    if (numbers.length === 1) {
      const mod = Math.trunc(first / 2);
      chances = { boolYes: first, tristateYes: first - mod, tristateMod: mod };
    } else if (numbers.length === 2) {
      chances = { boolYes: first + second, tristateYes: first, tristateMod: second };
    } else if (numbers.length === 3) chances = { boolYes: first, tristateYes: second, tristateMod: third };
    if (chances.tristateYes + chances.tristateMod > 100) refuse();
    return chances;
  }

  #write(tree: LoadedTree, writes: boolean): number {
    const mode = this.#mode;
    const host = this.#host;
    if (mode === "savedefconfig") {
      const changedInput = this.#changedInput();
      const text = defconfigText(tree, { prefix: this.#prefix, changedInput });
      try {
        host.writeFile(resolvePath(host.cwd, this.#file), text, true);
      } catch {
        host.err(`n*** Error while saving defconfig to: ${this.#file}\n\n`);
        return 1;
      }
      if (changedInput !== undefined) host.err(changedInput.text);
      return 0;
    }
    if (mode === "listnewconfig" || mode === "helpnewconfig") return 0;
    if (writes && !this.#writeConfig(tree)) {
      host.err("\n*** Error during writing of the configuration.\n\n");
      return 1;
    }
    const synced = this.#writeAuto(tree, mode === "syncconfig");
    if (!synced && mode === "syncconfig") {
      host.err("\n*** Error during sync of the configuration.\n\n");
      return 1;
    }
    return 0;
  }

  #changedInput(): ChangedInput | undefined {
    return (this.#host.getenv("KCONFIG_WARN_CHANGED_INPUT") ?? "") === "" ? undefined : new ChangedInput();
  }

  #writeConfig(tree: LoadedTree): boolean {
    const host = this.#host;
    const name = this.#configName;
    if (name === "") {
      host.err("config name is empty\n");
      return false;
    }
    const path = resolvePath(host.cwd, name);
    if (host.isDirectory(path)) {
      host.err(`${name}: Is a directory\n`);
      return false;
    }
    try {
      host.makeDirectory(dirname(path));
      const changedInput = this.#changedInput();
      const text = configText(tree, { prefix: this.#prefix, changedInput });
      if (changedInput !== undefined) host.err(changedInput.text);
      const overwrite = (host.getenv("KCONFIG_OVERWRITECONFIG") ?? "") !== "";
      if (!overwrite) {
        const before = host.readFile(path);
        if (before === text && text !== "" && tree.dialect.keepsUnchanged) {
          this.#message(`No change to ${name}`);
          tree.evaluator.changed = false;
          return true;
        }
        if (before !== undefined) host.rename(path, `${path}.old`);
      }
      host.writeFile(path, text, overwrite);
    } catch (error) {
      return this.#failed(error);
    }
    this.#message(`configuration written to ${name}`);
    tree.evaluator.changed = false;
    return true;
  }

  #writeAuto(tree: LoadedTree, always: boolean): boolean {
    const host = this.#host;
    const { dialect } = tree;
    const prefix = this.#prefix;
    const options = {
      prefix,
      negatives: dialect.negatives && host.getenv("KCONFIG_NEGATIVES") !== undefined,
    };
    const autoConf = host.getenv("KCONFIG_AUTOCONFIG") ?? "include/config/auto.conf";
    const header = host.getenv("KCONFIG_AUTOHEADER") ?? "include/generated/autoconf.h";
    const rustc = host.getenv("KCONFIG_RUSTCCFG") ?? "include/generated/rustc_cfg";
    const path = (name: string): string => resolvePath(host.cwd, name);
    if (!always && (dialect.autoConf === "sync" || host.exists(path(autoConf)))) return true;
    const write = (name: string, text: string): void => {
      host.makeDirectory(dirname(path(name)));
      host.writeFile(path(name), text);
    };
    try {
      if (dialect.autoConf === "sync") tree.evaluator.invalidate();
      write(dialect.autoConfCmd === "old" ? AUTO_CMD : `${autoConf}.cmd`, autoConfCmdText(tree, autoConf));
      if (tree.dialect.choice === "members") calculateAll(tree);
      const folder = this.#touchFolder(dialect, autoConf);
      const touch = (name: string): void => {
        const file = dialect.touches === "name" ? name : `${name.toLowerCase().replaceAll("_", "/")}.h`;
        if (file.includes("/")) host.makeDirectory(dirname(path(`${folder}${file}`)));
        host.touch(path(`${folder}${file}`));
      };
      const before = openText(this.#host, autoConf);
      if (before !== undefined) {
        readValues(before, tree, { file: autoConf, prefix, auto: true, onUnknown: touch });
      }
      for (const name of changedSymbols(tree)) touch(name);
      calculateAll(tree);
      write(header, autoHeaderText(tree, options));
      if (dialect.rustcCfg) write(rustc, rustcCfgText(tree, options));
      const tristate = host.getenv("KCONFIG_TRISTATE") ?? "include/config/tristate.conf";
      if (dialect.tristateConf) write(tristate, tristateText(tree, options));
      write(autoConf, autoConfText(tree, options));
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  // What goes wrong with a file ends in one message; a stack that overflowed is no matter of files.
  #failed(error: unknown): false {
    if (error instanceof RangeError) throw error;
    return false;
  }

  #touchFolder(dialect: Dialect, autoConf: string): string {
    if (dialect.negatives) return this.#host.getenv("KCONFIG_SPLITCONFIG") ?? "include/config/";
    return dialect.autoConfCmd === "old"
      ? "include/config/"
      : autoConf.slice(0, autoConf.lastIndexOf("/") + 1);
  }

  get #configName(): string {
    return this.#host.getenv(this.#request.dialect.configVariable) ?? ".config";
  }

  #message(text: string): void {
    if (!this.#silent) this.#host.out(`#\n# ${text}\n#\n`);
  }
}

// strtol() with base 0, cut to 32 bits.
function parseSeed(text: string): number {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)$/.exec(text);
  const digits = match?.[2] ?? "0";
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const number = BigInt(octal);
  return Number(BigInt.asUintN(32, match?.[1] === "-" ? -number : number));
}

const USAGE = `
Generic options:
  -h, --help              Print this message and exit.
  -s, --silent            Do not print log.

Mode options:
  --listnewconfig         List new options
  --helpnewconfig         List new options and help text
  --oldaskconfig          Start a new configuration using a line-oriented program
  --oldconfig             Update a configuration using a provided .config as base
  --syncconfig            Similar to oldconfig but generates configuration in
                          include/{generated/,config/}
  --olddefconfig          Same as oldconfig but sets new symbols to their default value
  --defconfig <file>      New config with default defined in <file>
  --savedefconfig <file>  Save the minimal current configuration to <file>
  --allnoconfig           New config where all options are answered with no
  --allyesconfig          New config where all options are answered with yes
  --allmodconfig          New config where all options are answered with mod
  --alldefconfig          New config with all symbols set to default
  --randconfig            New config with random answer to all options
  --yes2modconfig         Change answers from yes to mod if possible
  --mod2yesconfig         Change answers from mod to yes if possible
  --mod2noconfig          Change answers from mod to no if possible
  (If none of the above is given, --oldaskconfig is the default)
`;
