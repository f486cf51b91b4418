import { expect, test } from "vitest";
import { draw } from "../../src/menu/draw.ts";
import { paint } from "../../src/menu/paint.ts";
import { widthOf } from "../../src/menu/printable.ts";
import { driverOf, treeOf } from "./driver.ts";
import { HOUSE } from "./trees.ts";

// Bytes that are no UTF-8, controls of seven and of eight bits, and text that runs backwards.
const HOSTILE = Buffer.concat([
  Buffer.from(
    'mainmenu "T\u001b]0;owned\u0007itle"\n\nconfig NET\n\tbool "a\u001b[2Jb\u202ec\rd \u009b31m \u65e5\u672c ',
  ),
  Buffer.from([0xff, 0xfe, 0x9b, 0x33, 0x31, 0x6d]),
  Buffer.from('"\n\thelp\n\t  \u001b[?1049l help \b\b\b '),
  Buffer.from([0x9b, 0x80]),
  Buffer.from('\n\nconfig TEXT\n\tstring "s"\n\tdefault "\u001b[1m'),
  Buffer.from([0xe9]),
  Buffer.from('"\n\nmenu "m\u001b[3J"\n\nconfig IN\n\tbool "in"\n\nendmenu\n\ncomment "\u001bc"\n'),
]);

const WALK = (
  "? end q down return x escape down right escape z w q e / i n tab escape return / n down escape home y q escape " +
  "s escape u r"
).split(" ");

test("every screen has the terminal's size, however small, and nothing that steers it", async () => {
  for (const kconfig of [HOSTILE, HOUSE]) {
    const tree = await treeOf(kconfig);
    const driver = driverOf(tree);
    for (const [rows, columns] of [
      [24, 80],
      [1, 1],
      [2, 3],
      [3, 10],
      [4, 2],
      [5, 300],
      [6, 7],
      [200, 1],
    ] as const) {
      const size = { rows, columns };
      driver.send({ kind: "resize", size });
      for (const key of WALK) {
        // All texts of the search and of the plan are shown as well.
        if (driver.state.dialogs.at(-1)?.kind === "solving") await driver.solve();
        driver.press(key);
        const frame = draw(driver.model, driver.state);
        const where = `${rows}x${columns} after ${key}`;
        expect(frame.lines, where).toHaveLength(rows);
        for (const { text } of frame.lines) {
          expect(text, where).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
          expect(widthOf(text), where).toBeLessThanOrEqual(columns);
        }
        if (frame.cursor !== undefined) {
          expect(frame.cursor.row, where).toBeLessThan(rows);
          expect(frame.cursor.column, where).toBeLessThan(columns);
        }
        // The only escape sequences are our own.
        const painted = paint(frame, { before: undefined, size, utf8: true });
        const rest = painted
          .split("\u001b")
          .map((part) => part.replace(/^\[(?:\?25[hl]|[0-9]+;[0-9]+H|K|[0127]m)/, ""));
        expect(rest.join(""), where).not.toMatch(/\p{Cc}|^\[/u);
        expect(paint(frame, { before: undefined, size, utf8: false }), where).not.toMatch(/[^\p{ASCII}]/u);
      }
    }
  }
});

test("only lines that differ are painted again", async () => {
  const driver = driverOf(await treeOf(HOUSE));
  const size = driver.state.size;
  const before = draw(driver.model, driver.state);
  driver.press("down");
  const painted = paint(draw(driver.model, driver.state), { before, size, utf8: true });
  expect(painted.match(/;1H/g)).toHaveLength(4);
});

test("bytes that are no UTF-8 are saved as they were read", async () => {
  const tree = await treeOf(HOSTILE);
  const driver = driverOf(tree);
  expect(driver.config()).toContain('CONFIG_TEXT="\u001b[1m\u00e9"\n');
  tree.load(Buffer.from('CONFIG_TEXT="\xe9\xff"\n', "latin1"));
  const loaded = driverOf(tree);
  loaded.press("y");
  expect(loaded.config()).toContain('CONFIG_TEXT="\xe9\xff"\n');
  expect(loaded.fragment()).toBe("CONFIG_NET=y\n");
});

test("of a path that is too long for the terminal the menu that is open is shown", async () => {
  const names = ["Drivers", "Network devices", "日本語", "Cards"];
  const kconfig = `${names.map((name) => `menu "${name}"\n`).join("")}config E\n\tbool "E"\n${"endmenu\n".repeat(4)}`;
  const driver = driverOf(await treeOf(kconfig), { rows: 24, columns: 24 });
  driver.press("right", "right");
  expect(driver.lines()[1]).toBe(" ... > Network devices");
  driver.press("right", "right");
  expect(driver.lines()[1]).toBe(" ... > 日本語 > Cards");
});

test("of a question the keys are shown, also where the terminal is narrow", async () => {
  const driver = driverOf(await treeOf(HOUSE), { rows: 24, columns: 40 });
  driver.press("y", "q");
  expect(driver.lines().at(-1)).toBe(" Save? y n Esc");
  driver.press("escape", "s");
  driver.send({ kind: "exists" });
  expect(driver.lines().at(-1)).toBe(" Replace it? y: yes");
});
