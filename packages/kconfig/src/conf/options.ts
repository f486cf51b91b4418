/** The arguments of conf, and what the environment says of chance (main() in conf.c). */
import { Exit } from "./host.ts";
import type { ConfHost, ConfRequest } from "./host.ts";
import { EVEN_CHANCES } from "./new-symbols.ts";
import type { Chances } from "./new-symbols.ts";
import { glibcRandom } from "./random.ts";

// With getopt(), as uClibc-ng has it.
const SHORT_MODES: ReadonlyMap<string, Mode> = new Map([
  ["a", "oldaskconfig"],
  ["s", "syncconfig"],
  ["o", "oldconfig"],
  ["n", "allnoconfig"],
  ["y", "allyesconfig"],
  ["m", "allmodconfig"],
  ["A", "alldefconfig"],
  ["r", "randconfig"],
  ["D", "defconfig"],
  ["S", "savedefconfig"],
  ["l", "listnewconfig"],
  ["d", "olddefconfig"],
]);
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
export type Mode = (typeof MODES)[number];

/** What conf was asked to do. */
export interface ConfOptions {
  readonly kconfig: string;
  readonly mode: Mode;
  readonly silent: boolean;
  /** The file of --defconfig and --savedefconfig. */
  readonly file: string;
  readonly random: () => number;
  /** What to read and to write in place of `.config` (-r and -w). */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly fatalRecursion: boolean;
}

/** @throws Exit after the usage was shown. */
export function readOptions(request: ConfRequest, host: ConfHost): ConfOptions {
  return new OptionReader(request, host).read();
}

class OptionReader {
  readonly #request: ConfRequest;
  readonly #host: ConfHost;
  #mode: Mode = "oldaskconfig";
  #silent = false;
  #file = "";
  #random: () => number = glibcRandom(1);
  #input: string | undefined;
  #output: string | undefined;
  #fatalRecursion = false;

  constructor(request: ConfRequest, host: ConfHost) {
    this.#request = request;
    this.#host = host;
  }

  read(): ConfOptions {
    const kconfig = this.#options();
    return {
      kconfig,
      mode: this.#mode,
      silent: this.#silent,
      file: this.#file,
      random: this.#random,
      input: this.#input,
      output: this.#output,
      fatalRecursion: this.#fatalRecursion,
    };
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
      const short = this.#request.dialect.arguments === "short";
      if (short && arg.startsWith("-") && arg.length > 1) this.#shortOptions(arg.slice(1), args);
      else if (arg.startsWith("--")) this.#longOption(arg, args);
      else if (arg.startsWith("-") && arg.length > 1) {
        for (const [index, letter] of arg.split("").entries()) {
          if (index === 0) continue;
          if ((letter === "r" || letter === "w") && this.#request.dialect.namesFiles) {
            const file = arg.slice(index + 1) || args.shift();
            if (file === undefined) this.#refuse(`option requires an argument -- '${letter}'`);
            else if (letter === "r") this.#input = file;
            else this.#output = file;
            break;
          }
          if (letter === "s") this.#silent = true;
          else if (letter === "h" && this.#request.dialect.usage !== "README") this.#usage();
          else this.#refuse(`invalid option -- '${letter}'`);
        }
      } else names.push(arg);
    }
    const [kconfig] = names;
    if (kconfig !== undefined) return kconfig;
    const missing = `${this.#program}: Kconfig file missing\n`;
    if (this.#request.dialect.arguments === "short") this.#host.out(missing);
    else this.#host.err(missing);
    return this.#usage();
  }

  #shortOptions(letters: string, args: string[]): void {
    for (const [index, letter] of letters.split("").entries()) {
      const mode = SHORT_MODES.get(letter);
      if (mode === undefined) {
        if (letter !== "h") this.#refuse(`invalid option -- '${letter}'`);
        return this.#usage();
      }
      if (mode === "defconfig" || mode === "savedefconfig") {
        const file = letters.slice(index + 1) || args.shift();
        if (file === undefined) {
          this.#refuse(`option requires an argument -- '${letter}'`);
          return this.#usage();
        }
        this.#file = file;
        this.#mode = mode;
        return;
      }
      this.#mode = mode;
      if (mode === "randconfig") this.#seed();
    }
  }

  #longOption(arg: string, args: string[]): void {
    const equal = arg.indexOf("=");
    const given = equal < 0 ? arg.slice(2) : arg.slice(2, equal);
    const { namesFiles } = this.#request.dialect;
    const all = [...MODES, "help", "silent", ...(namesFiles ? (["fatalrecursive"] as const) : [])] as const;
    const fitting = all.includes(given as Mode) ? [given] : all.filter((name) => name.startsWith(given));
    const [name] = fitting;
    if (name === undefined || fitting.length > 1) {
      const many = fitting.map((one) => `'--${one}'`).join(" ");
      this.#refuse(
        name === undefined
          ? `unrecognized option '${arg}'`
          : `option '${arg}' is ambiguous; possibilities: ${many}`,
      );
      return;
    }
    if (name === "help") this.#usage();
    if (name === "silent") {
      this.#silent = true;
      return;
    }
    if (name === "fatalrecursive") {
      this.#fatalRecursion = true;
      return;
    }
    const mode = name as Mode;
    const takesFile = mode === "defconfig" || mode === "savedefconfig";
    if (equal >= 0 && !takesFile) {
      this.#refuse(`option '--${mode}' doesn't allow an argument`);
      return;
    }
    if (takesFile) {
      const file = equal < 0 ? args.shift() : arg.slice(equal + 1);
      if (file === undefined) {
        this.#refuse(`option '--${mode}' requires an argument`);
        return;
      }
      this.#file = file;
    }
    this.#mode = mode;
    if (mode === "syncconfig" && !this.#request.dialect.syncTells) this.#silent = true;
    if (mode === "randconfig") this.#seed();
  }

  #refuse(message: string): void {
    this.#host.err(`${this.#program}: ${message}\n`);
    if (this.#request.dialect.usage === "README") this.#usage();
  }

  get #program(): string {
    return this.#request.program ?? "conf";
  }

  #usage(): never {
    const argument = this.#request.dialect.usage;
    if (argument === "README") {
      this.#host.err("See README for usage info\n");
      throw new Exit(1);
    }
    this.#host.out(
      `Usage: ${this.#program} [options] ${argument}\n${this.#request.dialect.namesFiles ? FILES_USAGE : USAGE}` +
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
}

/** Chances for randconfig, from KCONFIG_PROBABILITY. */
export function readChances(host: ConfHost): Chances {
  const numbers: number[] = [];
  let rest = host.getenv("KCONFIG_PROBABILITY") ?? "";
  const refuse = (): never => {
    host.err("KCONFIG_PROBABILITY: Numerical result out of range\n");
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
const FILES_USAGE = USAGE.replace("  -s,", "  -r <file>               Read <file> as input.\n  -s,").replace(
  "\n\nMode",
  "\n  -w <file>               Write config to <file>.\n  --fatalrecursive        Treat recursive dependency as error.\n\nMode",
);
