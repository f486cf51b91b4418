/** What a run is given besides the tree: `.config` and its relatives, and answers to questions. */
import type { Random } from "./random.ts";
import { isLogic } from "./symbols.ts";
import type { Plan, Planned } from "./symbols.ts";

const LOGIC = ["y", "y", "m", "n", "yes", "", "x", "Y", "0"];
const NUMBERS = [
  "0",
  "5",
  "10",
  "-3",
  "0x10",
  "0xFF",
  "ff",
  "007",
  "1x",
  "",
  "+1",
  " 2",
  "99999999999999999999",
  "0x",
];
const STRINGS = ['"foo"', '""', '"a\\"b"', '"a\\\\b"', '"open', "bare", '"x" tail', '"é"', '"\\', '"end\\"'];
const GARBAGE = [
  "",
  "# comment",
  "CONFIG_",
  "CONFIG_=y",
  "CONFIG_UNKNOWN=y",
  "# CONFIG_UNKNOWN is not set",
  "CONFIG_A",
  "A=y",
  " CONFIG_A=y",
  "# CONFIG_A is not set any more",
  "#CONFIG_A is not set",
  "# CONFIG_A=y is not set",
  "CONFIG_A =y",
  "CONFIG_U1=y",
  "CONFIG_CH=y",
  "CONFIG_y=n",
  "CONFIG_MODULES=m",
];

/** Lines of a configuration that mostly fits the tree. */
export function configLines({ random, symbols }: Plan): string[] {
  const lines: string[] = [];
  const all = random.chance(80) ? symbols : [...symbols].reverse();
  for (const symbol of all) {
    if (random.chance(30)) continue;
    lines.push(configLine(random, symbol));
    if (random.chance(3)) lines.push(configLine(random, symbol));
    if (random.chance(4)) lines.push(random.pick(GARBAGE));
  }
  if (random.chance(3)) return lines.map((line) => `${line}\r`);
  return lines;
}

function configLine(random: Random, symbol: Planned): string {
  const { name, type } = symbol;
  if (random.chance(3)) return `CONFIG_${name}=${random.pick([...LOGIC, ...NUMBERS, ...STRINGS])}`;
  if (isLogic(symbol)) {
    if (random.chance(25)) return `# CONFIG_${name} is not set`;
    return `CONFIG_${name}=${random.chance(88) ? random.pick(["y", "y", "m", "n"]) : random.pick(LOGIC)}`;
  }
  if (type === "string") return `CONFIG_${name}=${random.pick(STRINGS)}`;
  return `CONFIG_${name}=${random.pick(NUMBERS)}`;
}

/** Answers to questions, so many that conf seldom meets their end, after which some ask for ever. */
export function answerLines(random: Random): string[] {
  const lines: string[] = [];
  const lazy = random.chance(40);
  for (let left = random.chance(3) ? random.below(4) : 90; left > 0; left--) {
    if (lazy && random.chance(60)) lines.push("");
    else {
      lines.push(
        random.weighted({ word: 3, number: 1 }) === "word"
          ? random.pick(["y", "n", "m", "", "y", "no", "yes", "?", "M", "x", " y ", "1", "2"])
          : random.pick(["1", "2", "3", "1?", "0", "9", "5", "10", "0x10", "ff", "-1", "foo", 'a"b\\']),
      );
    }
  }
  return lines;
}
