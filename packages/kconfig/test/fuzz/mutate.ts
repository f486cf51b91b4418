/** Damaged Kconfig files and configurations, and what has to hold for them: an exit status, soon, and errors with a place. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { runConf } from "../../src/conf/conf.ts";
import { dialectOf } from "../../src/engine/dialect.ts";
import { memoryHost } from "../reference/memory-host.ts";
import { TOP, generateCase, textOf } from "./case.ts";
import { ENVIRONMENT } from "./macros.ts";
import { Random, caseSeed } from "./random.ts";
import type { Generation } from "./symbols.ts";

export interface MutatedCase {
  readonly generation: Generation;
  readonly args: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly input: string;
}

const MODES =
  "alldefconfig allyesconfig allnoconfig randconfig olddefconfig savedefconfig=min listnewconfig helpnewconfig oldaskconfig syncconfig";
// A hang, not a busy machine.
const SECONDS = 10;
const BLOCKS = [
  "if y",
  'menu "x"',
  "choice",
  "config Z",
  "\thelp",
  "endif",
  "endmenu",
  "endchoice",
  "\tdepends on",
  'source "Kconfig"',
];
const TOKENS = [
  "if",
  "(",
  ")",
  "&&",
  "||",
  "!",
  "=",
  '"',
  "'",
  "$(",
  "\\",
  "config",
  "y",
  "#",
  ":=",
  "on",
  "\t",
  "\0",
  "é",
  "$(1)",
];

/** Small Kconfig files of a kernel tree, to be damaged. */
export function realFiles(tree: string): readonly string[] {
  const names = (readdirSync(tree, { recursive: true }) as string[]).filter((name) =>
    /(^|\/)Kconfig[^/]*$/.test(name),
  );
  return names
    .sort()
    .map((name) => join(tree, name))
    .filter((path) => statSync(path).size < 6000)
    .map((path) => readFileSync(path, "latin1"));
}

export function mutatedCase(seed: number, index: number, real: readonly string[]): MutatedCase {
  const random = new Random(caseSeed(seed, index));
  const generation = random.from(1, 3) as Generation;
  const generated = generateCase(seed, index, generation);
  const files: Record<string, string> = {};
  for (const [name, lines] of Object.entries(generated.files)) files[name] = textOf(lines);
  if (real.length > 0 && random.chance(40)) files[TOP] = random.pick(real);
  const names = Object.keys(files);
  for (let left = random.from(1, 4); left > 0; left--) {
    const name = random.chance(65) ? TOP : random.pick(names);
    files[name] = mutate(random, files[name] ?? "");
  }
  const mode = random.pick(MODES.split(" "));
  const input = Array.from({ length: 60 }, () => random.pick(["", "y", "n", "m", "1", "?", "5"])).join("\n");
  return { generation, args: [`--${mode}`, TOP], files, input };
}

function mutate(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const lines = text.split("\n");
  const line = random.below(lines.length);
  const other = random.below(lines.length);
  switch (
    random.weighted({
      flip: 8,
      insert: 5,
      cut: 4,
      truncate: 3,
      drop: 6,
      twice: 5,
      swap: 5,
      block: 6,
      token: 8,
      words: 6,
      long: 1,
      deep: 1,
      chain: 1,
    })
  ) {
    case "flip":
      return (
        text.slice(0, at) +
        String.fromCharCode((text.charCodeAt(at) ^ (1 << random.below(8))) & 255) +
        text.slice(at + 1)
      );
    case "insert":
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at);
    case "cut":
      return text.slice(0, at) + text.slice(at + random.below(40));
    case "truncate":
      return text.slice(0, at);
    case "drop":
      return lines.toSpliced(line, random.from(1, 3)).join("\n");
    case "twice":
      return lines.toSpliced(line, 0, ...lines.slice(line, line + random.from(1, 8))).join("\n");
    case "swap":
      return lines
        .with(line, lines[other] ?? "")
        .with(other, lines[line] ?? "")
        .join("\n");
    case "block":
      return lines
        .toSpliced(line, 0, ...Array.from({ length: random.from(1, 3) }, () => random.pick(BLOCKS)))
        .join("\n");
    case "token": {
      const words = (lines[line] ?? "").split(" ");
      return lines
        .with(
          line,
          words.toSpliced(random.below(words.length + 1), random.below(2), random.pick(TOKENS)).join(" "),
        )
        .join("\n");
    }
    case "words": {
      const words = (lines[line] ?? "").split(" ");
      const [one, two] = [random.below(words.length), random.below(words.length)];
      return lines
        .with(
          line,
          words
            .with(one, words[two] ?? "")
            .with(two, words[one] ?? "")
            .join(" "),
        )
        .join("\n");
    }
    case "long":
      return lines.toSpliced(line, 0, longLine(random)).join("\n");
    case "deep":
      return lines.toSpliced(line, 0, deepBlock(random)).join("\n");
    default:
      return lines.toSpliced(line, 0, chain(random)).join("\n");
  }
}

const HUGE = [20, 100, 500, 1500, 4000];

function longLine(random: Random): string {
  const count = random.pick(HUGE);
  const piece = random.pick([
    "x",
    "A && ",
    "A || !",
    "(",
    "!",
    "$(a,",
    "$",
    '"',
    "\\",
    "y=",
    " ",
    "A!=",
    "(A || ",
  ]);
  const start = random.pick([
    "\tdepends on ",
    "\tdefault ",
    "if ",
    "V = ",
    "# ",
    "CONFIG_A=",
    "\tprompt ",
    "config ",
    "\tselect ",
  ]);
  const end = random.chance(50) ? "" : `A${piece.includes("(") ? ")".repeat(count) : ""}`;
  return start + piece.repeat(count) + end;
}

function deepBlock(random: Random): string {
  const count = random.pick(HUGE);
  const [open, close] = random.pick([
    ["if A", "endif"],
    ['menu "m"', "endmenu"],
    ['choice\n\tprompt "c"', "endchoice"],
  ] as const);
  const inside = 'config DEEP\n\tbool "deep"\n';
  return `${`${open}\n`.repeat(count)}${inside}${random.chance(70) ? `${close}\n`.repeat(count) : ""}`;
}

// Symbols each of which hangs on the one before, and one on which all hang.
function chain(random: Random): string {
  const count = random.pick(HUGE.slice(0, 4));
  const text = random.pick([
    (one: number) => `config S${one}\n\tbool "s"\n\tdepends on S${one - 1}\n`,
    (one: number) => `config S${one}\n\tdef_bool S${one - 1}\n`,
    (one: number) => `config S${one}\n\tbool "s"\n\tselect S${one - 1}\n`,
    (one: number) => `config S${one}\n\tbool "s"\n\tselect HUB\n`,
    (one: number) => `config S${one}\n\tint "s"\n\trange S${one - 1} 5\n`,
    // Definitions of one symbol are gone through for each of them, and when it is recursive C never ends.
    (one: number) => (one < 200 ? `config HUB\n\tbool "s" if S${one}\n\tdepends on S${one}\n` : ""),
    (one: number) => `S${one} = $(S${one + 1})x\n`,
  ]);
  return `config HUB\n\tbool "hub"\n${Array.from({ length: count }, (_, one) => text(one)).join("")}$(S0)\n`;
}

/** What is wrong with how a case ended, or undefined. */
export function faultOf({ generation, args, files, input }: MutatedCase): string | undefined {
  const env = { ...ENVIRONMENT, KCONFIG_DEFCONFIG_LIST: "", KCONFIG_SEED: "1" };
  const host = memoryHost({ env, files, input, shell: () => "answer\n" });
  const before = process.cpuUsage();
  try {
    const status = runConf({ args, dialect: dialectOf(generation) }, host);
    if (!Number.isInteger(status)) return `exit status ${status}`;
  } catch (error) {
    return error instanceof Error
      ? (error.stack ?? error.message).split("\n").slice(0, 12).join("\n")
      : String(error);
  }
  // Of the processor, since others may use the machine too.
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1_000_000;
  if (seconds > SECONDS) return `takes ${seconds.toFixed(1)} s`;
  const odd = host
    .stderr()
    .split("\n")
    .find((line) => !FORMS.some((form) => form.test(line)));
  return odd === undefined ? undefined : `says ${JSON.stringify(odd.slice(0, 200))} on stderr`;
}

// An error names its place; the rest are lines of the messages of several lines, and those that are about no place.
const FORMS: readonly RegExp[] = [
  /^[^\n]*:\d+: ?\S?/,
  /^$/,
  /^Recursive inclusion detected\.$/,
  /^Inclusion path:$/,
  /^ {2}(current file : |included from: )/,
  /^error: recursive dependency detected!$/,
  /^\t(symbol|choice) /,
  /^For a resolution refer to /,
  /^subsection "Kconfig recursive dependency limitations"$/,
  /^unexpected recursive dependency error$/,
  /^WARNING: unmet direct dependencies detected for /,
  /^ {2}(Depends on|Selected by) \[[ymn]\]:/,
  /^ {2}- /,
  /^Error in reading or end of file\.$/,
  /^error: no value for new symbol /,
];
