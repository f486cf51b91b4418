/** The menu's machine on whole kernel trees, judged by their own conf. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyRequests, parseConfig, parseFragment, printConfig } from "../../src/index.ts";
import { buildConf, runCConf } from "../reference/c-conf.ts";
import type { CConf } from "../reference/c-conf.ts";
import { loadX86Tree } from "../reference/loaded-tree.ts";
import type { LoadedKernelTree } from "../reference/loaded-tree.ts";
import { driverOf } from "./driver.ts";
import type { Driver } from "./driver.ts";

// How many keys are pressed, 60 times this, and how many options are asked for; and from where the numbers come. A longer look
// is one at both eras of choices.
const COUNT = Number(process.env["MENU_COUNT"] ?? 2);
const SEED = Number(process.env["MENU_SEED"] ?? 20261127);

const KEYS = [
  ..."up down down down down pagedown left right right right return home end escape".split(" "),
  ...Array.from("yynmm     uurz"),
];

describe.each(COUNT > 2 ? (["6.1", "6.12"] as const) : (["6.12"] as const))("Linux %s", (series) => {
  let cwd: string;
  let loaded: LoadedKernelTree;
  let conf: CConf;
  let base: string;
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "kconfig-menu-kernel-"));
    loaded = await loadX86Tree(series);
    conf = buildConf(loaded.directory);
    base = completed(readFileSync(join(loaded.directory, "arch/x86/configs/x86_64_defconfig"), "latin1"));
  }, 300_000);
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  /** What C makes of a configuration. */
  function completed(text: string): string {
    const { env, answers } = loaded;
    writeFileSync(join(cwd, ".config"), text, "latin1");
    const { status } = runCConf(conf, ["--olddefconfig", "Kconfig"], { cwd, env, answers });
    expect(status).toBe(0);
    return readFileSync(join(cwd, ".config"), "latin1");
  }

  function start(): Driver {
    loaded.tree.load(Buffer.from(base, "latin1"));
    return driverOf(loaded.tree, { rows: 40, columns: 100 });
  }

  function draw(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  /** C takes what would be saved as it is, and makes the same of what was loaded and what was changed. */
  function judge(driver: Driver): void {
    const config = driver.config();
    expect(completed(config)).toBe(config);
    const { requests } = parseFragment(driver.fragment());
    expect(completed(printConfig(applyRequests(parseConfig(base), requests)))).toBe(config);
  }

  test("what was read is what would be saved", { timeout: 60_000 }, () => {
    const driver = start();
    expect(driver.config()).toBe(base);
    expect(driver.fragment()).toBe("");
    expect(driver.lines()).toContain(" [*] Virtualization  --->");
  });

  test(`after ${COUNT * 60} keys (seed ${SEED})`, { timeout: 1_800_000 }, () => {
    const driver = start();
    const random = draw(SEED);
    const seen = loaded.tree.names.filter((name) => loaded.tree.symbol(name)?.visibility !== "n");
    const keys: string[] = [];
    for (let count = 0; count < COUNT * 60; count++) {
      // Now and then elsewhere, or the walk would end in the last menu and stay there.
      const isJump = random(8) === 0;
      const name = seen[random(seen.length)] as string;
      const key = KEYS[random(KEYS.length)] as string;
      keys.push(...(isJump ? ["/", ...Array.from(name), "return"] : [key]));
    }
    const run = (to: Driver): void => {
      for (const key of keys) {
        const isTyped = to.state.dialogs.at(-1)?.kind === "search";
        if (to.state.dialogs.length > 0 && !isTyped) to.press("escape");
        to.press(key);
      }
    };
    run(driver);
    expect(driver.state.settings.depth).toBeGreaterThan(5);
    const screen = driver.screen();
    judge(driver);
    expect(driver.screen()).toBe(screen);
    const again = start();
    run(again);
    expect(again.screen()).toBe(screen);
    again.state = { ...again.state, settings: again.model.journal.loaded };
    expect(again.config()).toBe(base);
  });

  test(
    `${COUNT} hidden options enabled, one after the other (seed ${SEED})`,
    { timeout: 1_800_000 },
    async () => {
      const driver = start();
      const random = draw(SEED);
      const { tree } = loaded;
      for (let count = 0; count < COUNT;) {
        const name = tree.names[random(tree.names.length)] as string;
        const symbol = tree.symbol(name);
        if (symbol?.visibility !== "n" || symbol.value !== "n" || !/bool|tristate/.test(symbol.type))
          continue;
        if (symbol.definitions.every(({ prompt }) => prompt === undefined)) continue;
        driver.press("/");
        driver.type(name);
        driver.press("return", "e");
        const before = driver.config();
        await driver.solve();
        expect(driver.config()).toBe(before);
        const dialog = driver.state.dialogs.at(-1);
        // What depends on m or another architecture cannot be had.
        if (dialog?.kind !== "plan") {
          expect(driver.screen(), name).toContain("This cannot be, whatever else is set:");
          driver.press("escape");
          continue;
        }
        driver.press("return");
        expect(tree.value(name)).toBe("y");
        for (const change of dialog.plan.changes) expect(tree.value(change.name), name).toBe(change.after);
        count++;
      }
      judge(driver);
      while (driver.state.settings.previous !== undefined) driver.press("u");
      expect(driver.config()).toBe(base);
    },
  );
});
