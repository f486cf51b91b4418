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
import type { NewValues } from "./new-symbols.ts";
import { readChances, readOptions } from "./options.ts";
import type { ConfOptions, Mode } from "./options.ts";

export type { ConfHost, ConfRequest } from "./host.ts";

// Where those confs write it that do not go by the name of auto.conf.
const AUTO_CMD = "include/config/auto.conf.cmd";

const TO_BE_CONFIGURED =
  '*** Please run some configurator (e.g. "make oldconfig" or\n*** "make menuconfig" or "make xconfig").\n***\n';

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
  readonly #options: ConfOptions;

  constructor(request: ConfRequest, host: ConfHost) {
    this.#request = request;
    this.#host = host;
    this.#options = readOptions(request, host);
    this.#prefix = host.getenv("CONFIG_") ?? request.dialect.prefix;
  }

  begin(): LoadInProgress {
    const host = this.#host;
    const file = this.#options.kconfig;
    const srctree = host.getenv("srctree");
    const directories = srctree === undefined ? [host.cwd] : [host.cwd, srctree];
    return (host.begin ?? beginLoad)({
      file,
      directories,
      dialect: this.#options.fatalRecursion
        ? { ...this.#request.dialect, recursionIsError: true }
        : this.#request.dialect,
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
    if (this.#options.mode === "syncconfig" && (host.getenv("KCONFIG_NOSILENTUPDATE") ?? "") !== "") {
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

  #read(tree: LoadedTree): number {
    const mode = this.#options.mode;
    const host = this.#host;
    const { dialect } = tree;
    if (mode === "syncconfig" && dialect.syncNeedsConfig) {
      const name = this.#configName;
      if (!host.exists(resolvePath(host.cwd, name))) {
        host.err(`***\n*** Configuration file "${name}" not found!\n***\n${TO_BE_CONFIGURED}`);
        throw new Exit(1);
      }
    }
    if (mode === "defconfig") {
      const text = openText(this.#host, this.#options.file);
      if (text !== undefined) return readConfig(text, tree, this.#readOptions(this.#options.file));
      const missing = `***\n*** Can't find default configuration "${this.#options.file}"!\n***\n`;
      if (dialect.arguments === "short") host.out(missing);
      else host.err(missing);
      throw new Exit(1);
    }
    if (dialect.namesFiles && this.#options.input !== undefined) {
      const { input } = this.#options;
      return readConfig(openText(host, input), tree, this.#readOptions(input));
    }
    const fallback = dialect.namesFiles ? undefined : ALL_CONFIGS[mode];
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
    return (defconfigList?.props ?? []).flatMap(({ kind, condition, expr }) => {
      if (kind !== "default" || expr?.op !== "symbol" || evaluator.expr(condition) === NO) return [];
      evaluator.calc(expr.left);
      return [evaluator.text(expr.left)];
    });
  }

  #readOptions(file: string) {
    const warnUnknown = this.#host.getenv("KCONFIG_WARN_UNKNOWN_SYMBOLS") !== undefined;
    return { file, prefix: this.#prefix, warnUnknown };
  }

  #change(tree: LoadedTree): void {
    const mode = this.#options.mode;
    const values = NEW_VALUES[mode];
    if (values !== undefined) {
      const chances = values === "random" ? readChances(this.#host) : EVEN_CHANCES;
      setNewSymbols(tree, { values, chances, random: this.#options.random });
    } else if (mode === "yes2modconfig") rewriteTristates(tree, YES, MOD);
    else if (mode === "mod2yesconfig") rewriteTristates(tree, MOD, YES);
    else if (mode === "mod2noconfig") rewriteTristates(tree, MOD, NO);
    else if (mode !== "savedefconfig" && mode !== "olddefconfig") {
      new Questions(tree, this.#host, mode as AskMode, this.#prefix).run();
    }
  }

  #write(tree: LoadedTree, writes: boolean): number {
    const mode = this.#options.mode;
    const host = this.#host;
    if (mode === "savedefconfig") {
      const changedInput = this.#changedInput();
      const text = defconfigText(tree, { prefix: this.#prefix, changedInput });
      try {
        host.writeFile(resolvePath(host.cwd, this.#options.file), text, true);
      } catch {
        host.err(`n*** Error while saving defconfig to: ${this.#options.file}\n\n`);
        return 1;
      }
      if (changedInput !== undefined) host.err(changedInput.text);
      return 0;
    }
    if (mode === "listnewconfig" || mode === "helpnewconfig") return 0;
    const { dialect, evaluator } = tree;
    const needed = mode !== "syncconfig" || dialect.syncWrites === "always" || evaluator.changed;
    const { output } = this.#options;
    if ((writes || output !== undefined) && needed && !this.#writeConfig(tree)) {
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
    const name = this.#options.output ?? this.#configName;
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
    if (dialect.autoConf === "never") return true;
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
        const file = dialect.touches === "name" ? name : `${name.toLowerCase().replace(/_+/g, "/")}.h`;
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
    if (!this.#options.silent) this.#host.out(`#\n# ${text}\n#\n`);
  }
}
