/**
 * The menu on the whole x86 tree of Linux 6.12: what a key takes until the next screen is drawn, what it takes to find out what
 * would enable an option, and to work out what is saved. In milliseconds.
 *
 *   node packages/kconfig/bench/menu.ts [--keys 2000]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadX86Tree } from "../test/reference/loaded-tree.ts";
import { driverOf } from "../test/menu/driver.ts";

const { values } = parseArgs({ options: { keys: { type: "string", default: "2000" } } });
const { tree, directory } = await loadX86Tree("6.12");
tree.load(readFileSync(join(directory, "arch/x86/configs/x86_64_defconfig")));
const driver = driverOf(tree, { rows: 40, columns: 100 });

const times = new Map<string, number[]>();
function time(what: string, work: () => void): void {
  const start = performance.now();
  work();
  const took = performance.now() - start;
  const known = times.get(what);
  if (known === undefined) times.set(what, [took]);
  else known.push(took);
}

function press(what: string, key: string): void {
  time(what, () => {
    driver.press(key);
    driver.lines();
  });
}

let state = 20261127;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

press("the first change", "m");
press("the first change", "y");
const seen = tree.names.filter((name) => tree.symbol(name)?.visibility !== "n");
const MOVES = "up down down down pagedown right right left z".split(" ");
for (let count = 0; count < Number(values.keys); count++) {
  const kind = random(10);
  // Elsewhere, or the walk would end in the last menu and stay there.
  if (kind === 0) {
    driver.press("/");
    driver.type(seen[random(seen.length)] as string);
    press("to what was found", "return");
  } else if (kind < 7) press("a move", MOVES[random(MOVES.length)] as string);
  else press("a change or its undoing", ["y", "m", "n", "u", "r"][random(5)] as string);
  if (driver.state.dialogs.length > 0) driver.press("escape");
}
for (const words of ["e1000", "btrfs", "file system support", "smp"]) {
  driver.press("/");
  for (const char of words) press("a character of a search", char);
  press("to what was found", "return");
  press("help", "?");
  driver.press("escape");
  press("why", "w");
  driver.press("escape");
}
for (const [index, name] of ["kvm_intel", "btrfs_fs", "drm_nouveau", "dm_crypt", "ath9k"].entries()) {
  driver.press("/");
  driver.type(name);
  driver.press("return", "e");
  const start = performance.now();
  await driver.solve();
  times.set(index === 0 ? "the first plan" : `a plan: ${name}`, [performance.now() - start]);
  press("to agree", "return");
}
for (let count = 0; count < 5; count++) time("the text of .config", () => driver.config());

for (const [what, all] of times) {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  console.log(
    `${what.padEnd(26)} ${String(all.length).padStart(5)} times, median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`,
  );
}
