/** conf of Linux 2.6, whose modes are single letters, as BusyBox and Toybox have it (conf.c of that time). */
import { beginLoad } from "../engine/load.ts";
import type { LoadInProgress, LoadedTree } from "../engine/load.ts";
import { readConfig, readValues } from "../engine/read.ts";
import { oldDependencies, oldTexts } from "../engine/write-old.ts";
import { Exit, openText, resolvePath } from "./host.ts";
import type { ConfHost, ConfRequest } from "./host.ts";
import { OldQuestions } from "./old-ask.ts";
import type { OldMode } from "./old-ask.ts";
import { glibcRandom } from "./random.ts";

const MODES: ReadonlyMap<string, OldMode> = new Map([
  ["o", "new"],
  ["s", "silent"],
  ["d", "default"],
  ["D", "default"],
  ["n", "no"],
  ["m", "mod"],
  ["y", "yes"],
  ["r", "random"],
]);
const ALL_CONFIGS: Partial<Record<OldMode, string>> = {
  no: "allno.config",
  mod: "allmod.config",
  yes: "allyes.config",
  random: "allrandom.config",
};

// A configuration without any values.
const NOTHING = "/dev/null";

export class LettersConf {
  readonly #request: ConfRequest;
  readonly #host: ConfHost;
  readonly #prefix: string;
  #mode: OldMode = "all";
  #standard: string | undefined;

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
    const { dialect } = this.#request;
    return (host.begin ?? beginLoad)({ file, directories, dialect, host, output: host });
  }

  run(tree: LoadedTree): number {
    const host = this.#host;
    this.#read(tree);
    new OldQuestions(tree, host, this.#mode, glibcRandom(Math.floor(host.now() / 1000))).run();
    return this.#write(tree) ? 0 : 1;
  }

  #options(): string {
    const [first, ...rest] = this.#request.args;
    let names = this.#request.args;
    if (first?.startsWith("-") === true) {
      names = rest;
      const letter = first[1] ?? "";
      if (letter === "h" || letter === "?") {
        this.#host.err("See README for usage info\n");
        throw new Exit(0);
      }
      this.#mode = MODES.get(letter) ?? "all";
      if (letter === "D") [this.#standard = this.#fail("No default config file specified"), ...names] = rest;
    }
    return names[0] ?? this.#fail("Kconfig file missing");
  }

  #fail(message: string): never {
    this.#host.out(`${this.#request.program ?? "conf"}: ${message}\n`);
    throw new Exit(1);
  }

  #read(tree: LoadedTree): void {
    const host = this.#host;
    const options = (file: string) => ({ file, prefix: this.#prefix });
    const given = tree.dialect.standardConfig.replace(/\$(\w*)/g, (_, name: string) => valueOf(name, tree));
    if (this.#mode === "default") {
      const name = this.#standard ?? given;
      const text = name === NOTHING ? "" : openText(host, name);
      if (text === undefined) {
        host.out(`***\n*** Can't find default configuration "${name}"!\n***\n`);
        throw new Exit(1);
      }
      readConfig(text, tree, options(name));
      return;
    }
    const standard = ALL_CONFIGS[this.#mode];
    if (standard !== undefined) {
      const names = [host.getenv("KCONFIG_ALLCONFIG") ?? "", standard, "all.config"];
      const name = names.find((one) => one !== "" && host.exists(resolvePath(host.cwd, one)));
      const text = name === undefined ? undefined : openText(host, name);
      if (name !== undefined && text !== undefined) readValues(text, tree, options(name));
      return;
    }
    const config = this.#configName;
    const text = openText(host, config);
    const [what, how] =
      given === NOTHING ? ["busybox", "defconfig"] : [`your ${tree.dialect.project}`, "xconfig"];
    if (text === undefined && this.#mode === "silent") {
      host.out(
        `***\n*** You have not yet configured ${what}!\n***\n` +
          '*** Please run some configurator (e.g. "make oldconfig" or\n' +
          `*** "make menuconfig" or "make ${how}").\n***\n`,
      );
      throw new Exit(1);
    }
    if (given === NOTHING)
      host.out(`#\n# using defaults found in ${text === undefined ? NOTHING : config}\n#\n`);
    readConfig(text ?? (given === NOTHING ? "" : undefined), tree, options(config));
    if (text === undefined) tree.evaluator.changed = true;
  }

  #write(tree: LoadedTree): boolean {
    const host = this.#host;
    const path = (name: string): string => resolvePath(host.cwd, name);
    const { lettersWrite, versionSymbol } = tree.dialect;
    const version =
      versionSymbol === "KERNELVERSION" ? (host.getenv(versionSymbol) ?? "") : valueOf(versionSymbol, tree);
    const config = this.#configName;
    const texts = oldTexts(tree, { prefix: this.#prefix, version, time: this.#time() });
    try {
      if (lettersWrite === "header") {
        host.writeFile(path(".kconfig.d"), oldDependencies(tree));
        host.writeFile(path("include/autoconf.h"), texts.header);
      }
      if (host.readFile(path(config)) !== undefined) host.rename(path(config), path(`${config}.old`));
      host.writeFile(path(config), texts.config);
      if (lettersWrite === "config") host.out(`#\n# configuration written to ${config}\n#\n`);
      return true;
    } catch {
      host.err("\n*** Error during writing of the configuration.\n\n");
      return false;
    }
  }

  get #configName(): string {
    return this.#host.getenv(this.#request.dialect.configVariable) ?? ".config";
  }

  // ctime(), and strftime() with "%Y-%m-%d %H:%M:%S %Z".
  #time(): { readonly local: string; readonly header: string } | undefined {
    const host = this.#host;
    if ((host.getenv("KCONFIG_NOTIMESTAMP") ?? "") !== "") return undefined;
    const given = Number.parseInt(host.getenv("SOURCE_DATE_EPOCH") ?? "", 10);
    const date = new Date(Number.isNaN(given) ? host.now() : given * 1000);
    const [day, month, number, year, time, zone] = date.toString().split(" ");
    const local = `${day} ${month} ${String(Number(number)).padStart(2)} ${time} ${year}`;
    if (!Number.isNaN(given)) {
      return { local, header: `${date.toISOString().slice(0, 19).replace("T", " ")} GMT` };
    }
    const two = (value: number): string => String(value).padStart(2, "0");
    const name = date.toLocaleTimeString("en-US", { timeZoneName: "short" }).split(" ").at(-1) ?? zone;
    return { local, header: `${year}-${two(date.getMonth() + 1)}-${number} ${time} ${name}` };
  }
}

// A symbol that there is none of is a word.
function valueOf(name: string, tree: LoadedTree): string {
  const symbol = tree.table.find(name);
  if (symbol === undefined) return name;
  tree.evaluator.calc(symbol);
  return tree.evaluator.text(symbol);
}
