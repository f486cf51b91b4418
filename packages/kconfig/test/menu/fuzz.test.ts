import { expect, test } from "vitest";
import { applyRequests, parseConfig, parseFragment, printConfig } from "../../src/index.ts";
import type { KconfigTree } from "../../src/index.ts";
import type { Driver } from "./driver.ts";
import { driverOf, treeOf } from "./driver.ts";
import { HOUSE } from "./trees.ts";

const SEED = 20261127;

const KEYS = [
  ...[
    "up",
    "down",
    "down",
    "down",
    "left",
    "right",
    "return",
    "home",
    "end",
    "pagedown",
    "escape",
    "backspace",
    "tab",
  ],
  ...Array.from("yynmm    zuuur/?wsfe19tC"),
];

// Choices of the first generation are symbols, and may be tristate.
const OLD_HOUSE = `${HOUSE}
choice
	prompt "Old choice"
	tristate

config ONE
	tristate "One"

config TWO
	tristate "Two"
	depends on NET

endchoice

choice
	prompt "Optional"
	optional

config LEFT
	bool "Left"

config RIGHT
	bool "Right"

endchoice
`;

const TREES: readonly (readonly [1 | 2 | 3, string])[] = [
  [1, OLD_HOUSE],
  [2, HOUSE],
  [3, HOUSE],
];

test.each(TREES)(
  `a state says all, whatever was looked at before: generation %i (seed ${SEED})`,
  async (generation, kconfig) => {
    let state = SEED + generation;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const whole = driverOf(await treeOf(kconfig, generation)).config();
    for (let round = 0; round < 12; round++) {
      // Half of them begin with nothing, and half with a whole configuration.
      const base = round % 2 === 0 ? "" : whole;
      const fresh = async (): Promise<KconfigTree> => {
        const tree = await treeOf(kconfig, generation);
        tree.load(base);
        return tree;
      };
      const driver = driverOf(await fresh());
      const first = driver.config();
      const keys: string[] = [];
      const states = [driver.state];
      for (let count = 0; count < 150; count++) {
        const key = KEYS[random(KEYS.length)] as string;
        keys.push(key);
        press(driver, key);
        states.push(driver.state);
      }
      const screen = driver.screen();
      const config = driver.config();
      // The values of any state can be had again, in any order.
      for (let count = 0; count < 10; count++) {
        const at = random(states.length);
        driver.state = states[at] as Driver["state"];
        const seen = driver.screen();
        driver.config();
        expect(driver.screen(), keys.slice(0, at).join(" ")).toBe(seen);
        const again = driverOf(await fresh());
        for (const key of keys.slice(0, at)) press(again, key);
        expect(again.screen(), keys.slice(0, at).join(" ")).toBe(seen);
      }
      driver.state = states.at(-1) as Driver["state"];
      expect(driver.screen(), keys.join(" ")).toBe(screen);
      expect(driver.config(), keys.join(" ")).toBe(config);
      // What is saved is what it is when it is read again, and the fragment leads from the first to the last.
      const saved = await fresh();
      saved.load(config);
      expect(driverOf(saved).config(), keys.join(" ")).toBe(config);
      const pieced = await fresh();
      const { requests } = parseFragment(driver.fragment());
      pieced.load(printConfig(applyRequests(parseConfig(base), requests)));
      expect(driverOf(pieced).config(), `${keys.join(" ")}\n${driver.fragment()}`).toBe(config);
      while (driver.state.settings.previous !== undefined) {
        driver.state = { ...driver.state, settings: driver.state.settings.previous };
      }
      expect(driver.config(), keys.join(" ")).toBe(first);
    }
  },
);

// Nobody answers in here: a plan is left alone.
function press(driver: Driver, key: string): void {
  driver.press(key);
  if (driver.state.dialogs.at(-1)?.kind !== "solving") return;
  driver.state = { ...driver.state, dialogs: driver.state.dialogs.slice(0, -1) };
}
