import { describe, expect, test } from "vitest";
import type { Driver } from "./driver.ts";
import { driverOf, treeOf } from "./driver.ts";
import { HOUSE } from "./trees.ts";

async function house(generation: 1 | 2 | 3 = 2): Promise<Driver> {
  return driverOf(await treeOf(HOUSE, generation));
}

/** The lines of the menu that is open. */
function menu(driver: Driver): readonly string[] {
  return driver
    .lines()
    .slice(2, -2)
    .filter((line) => line !== "");
}

const message = (driver: Driver): string => driver.lines().at(-1)?.trim() ?? "";
const about = (driver: Driver): string => driver.lines().at(-2)?.trim() ?? "";

/** Goes to an option or menu by the search. */
function go(driver: Driver, words: string): void {
  driver.press("/");
  driver.type(words);
  driver.press("return");
}

describe("browsing", () => {
  test("the first screen has what menuconfig has", async () => {
    const driver = await house();
    expect(menu(driver)).toEqual([
      " [ ] Modules (NEW)",
      " [ ] Networking (NEW)  ----",
      " [ ] Hashes (NEW)",
      "     *** Numbers ***",
      " (8) Buffers (NEW)",
      " (0x1000) Base address (NEW)",
      " (box) Name (NEW)",
      "     Speed (Slow)  --->",
    ]);
    expect(driver.lines()[0]).toBe(" House - .config");
  });

  test("the cursor moves, within what there is, and tells about its line", async () => {
    const driver = await house();
    driver.press("up");
    expect(about(driver)).toBe("MODULES=n  n y  Kconfig:3");
    driver.press("down", "j", "k", "end");
    expect(about(driver)).toBe("Kconfig:53");
    driver.press("down", "home", "pagedown", "up", "up");
    expect(about(driver)).toBe("BASE=0x1000  hex  Kconfig:45");
    driver.press("up");
    expect(about(driver)).toBe("BUFFERS=8  1 to 64  Kconfig:36");
  });

  test("menus open and close; what depends on a symbol stands below it", async () => {
    const driver = await house();
    driver.press("down", "right");
    expect(message(driver)).toContain("nothing in it to see");
    driver.press("y", "right");
    expect(menu(driver)).toEqual([" [ ] TCP (NEW)"]);
    driver.press("y");
    expect(menu(driver)).toEqual([" [*] TCP", "   [*] Queues (NEW)"]);
    expect(driver.lines()[1]).toBe(" Networking");
    driver.press("left");
    expect(menu(driver)).toContain(" -*- Hashes");
    expect(menu(driver)).toContain("     Cellar  --->");
    driver.press("backspace");
    expect(driver.effect).toBeUndefined();
  });

  test("Enter sets what opens nothing: a switch of an empty menu, a bool", async () => {
    const driver = await house();
    driver.press("return");
    expect(driver.model.tree.value("MODULES")).toBe("y");
    driver.press("down", "return");
    expect(driver.model.tree.value("NET")).toBe("y");
    driver.press("return");
    expect(driver.lines()[1]).toBe(" Networking");
  });

  test("hidden options are shown and hidden again, with the cursor where it was", async () => {
    const driver = await house();
    driver.press("end", "z");
    expect(menu(driver)).toContain("     Attic  --->");
    expect(about(driver)).toBe("Kconfig:53");
    driver.press("end");
    expect(about(driver)).toBe("Kconfig:81");
    driver.press("right", "y");
    expect(message(driver)).toContain("BOX cannot be set here: w says why, e what would enable it");
    driver.press("left", "z");
    expect(about(driver)).toBe("Kconfig:53");
  });
});

describe("setting", () => {
  test("y, m and n set what can be set, and say why not", async () => {
    const driver = await house();
    go(driver, "hash");
    driver.press("m");
    expect(message(driver)).toBe("HASH is y or n");
    driver.press("y", "n");
    expect(driver.model.tree.value("HASH")).toBe("n");
    go(driver, "modules");
    driver.press("y");
    go(driver, "net");
    driver.press("y");
    go(driver, "tcp");
    driver.press("m");
    expect(menu(driver)).toEqual([" <M> TCP", "   [*] Queues (NEW)", "   < > Old things (NEW)"]);
    go(driver, "old");
    driver.press("y");
    expect(message(driver)).toBe("OLD can be m at most: w says why, e what would make it y");
    go(driver, "hash");
    expect(menu(driver)).toContain(" {M} Hashes");
    driver.press("n");
    expect(message(driver)).toBe("HASH is selected: w says why");
  });

  test("Space takes the next value that can be set", async () => {
    const driver = await house();
    driver.press("y");
    go(driver, "hash");
    const seen = ["m", "y", "n", "m"].map((value) => {
      driver.press(" ");
      return [driver.model.tree.value("HASH"), value];
    });
    for (const [value, wanted] of seen) expect(value).toBe(wanted);
  });

  test("of a choice one is chosen", async () => {
    const driver = await house();
    driver.press("end", "return");
    expect(menu(driver)).toEqual([" ( ) Fast", " (X) Slow"]);
    driver.press(" ");
    expect(menu(driver)).toEqual([" (X) Fast", " ( ) Slow"]);
    driver.press("n");
    expect(message(driver)).toBe("Of a choice another one is chosen instead");
    driver.press("left");
    expect(menu(driver)).toContain("     Speed (Fast)  --->");
    expect(menu(driver)).toContain("     Attic  --->");
    expect(driver.fragment()).toBe("CONFIG_FAST=y\n# CONFIG_SLOW is not set\n");
  });

  test("numbers and strings are typed, and refused with the reason", async () => {
    const driver = await house();
    go(driver, "buffers");
    driver.press("return", "backspace");
    driver.type("65");
    driver.press("return");
    expect(driver.screen()).toContain("65 is out of range: it goes from 1 to 64");
    driver.press("C-u");
    driver.type("x");
    driver.press("return");
    expect(driver.screen()).toContain('"x" is no whole number');
    driver.press("backspace");
    driver.type("32");
    driver.press("return");
    expect(driver.model.tree.value("BUFFERS")).toBe("32");
    go(driver, "base");
    driver.press("return", "C-u");
    driver.type("beef");
    driver.press("return");
    expect(driver.model.tree.value("BASE")).toBe("0xbeef");
    go(driver, "name");
    driver.press("return", "home");
    driver.send({ kind: "paste", text: 'a "quoted"\n\u001b[2J bü' });
    driver.press("return");
    expect(driver.model.tree.value("NAME")).toBe('a "quoted"[2J bübox');
    driver.press("return", "escape");
    expect(driver.state.dialogs).toEqual([]);
  });

  test("much that is pasted is no work", async () => {
    const driver = await house();
    go(driver, "name");
    driver.press("return", "C-u");
    driver.send({ kind: "paste", text: "\u00fc".repeat(200_000) });
    const begin = performance.now();
    expect(driver.screen()).toContain("\u00fc".repeat(70));
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  test("what is pasted where nothing is typed does nothing", async () => {
    const driver = await house();
    driver.send({ kind: "paste", text: "yyyq" });
    expect(driver.state.settings).toBe(driver.model.journal.loaded);
  });

  test("undo and redo go through every step, and a new one ends what was undone", async () => {
    const driver = await house();
    const texts = [driver.config()];
    driver.press("y");
    texts.push(driver.config());
    driver.press("down", "y");
    texts.push(driver.config());
    driver.press("u");
    expect(driver.config()).toBe(texts[1]);
    expect(message(driver)).toBe("Undone: NET=y");
    driver.press("u");
    expect(driver.config()).toBe(texts[0]);
    driver.press("u");
    expect(message(driver)).toBe("There is nothing to undo");
    driver.press("r", "r");
    expect(driver.config()).toBe(texts[2]);
    driver.press("u", "down", "y", "r");
    expect(message(driver)).toBe("Nothing was undone");
    expect(driver.model.tree.value("HASH")).toBe("y");
    expect(driver.model.tree.value("NET")).toBe("n");
  });
});

describe("finding and explaining", () => {
  test("the search finds names and prompts, names first, and goes there", async () => {
    const driver = await house();
    driver.press("/");
    driver.type("CONFIG_zz");
    expect(message(driver)).toBe("Nothing has all these words");
    driver.press("C-u");
    driver.type("t");
    const lines = driver.lines();
    expect(lines[0]).toBe(" Search: t");
    expect(lines[1]).toContain("TCP=n  TCP [hidden]");
    expect(driver.screen()).toContain(" NET=n  Networking");
    driver.press("C-u");
    driver.type("old THINGS");
    expect(driver.lines()[1]).toContain("OLD=n  Old things [hidden]  (Kconfig:25)");
    driver.press("tab");
    expect(driver.screen()).toContain("Depends on: NET [=n] && TCP [=n] && m [=m] && MODULES [=n]");
    driver.press("escape", "return");
    expect(driver.lines()[1]).toBe(" Networking");
    expect(message(driver)).toBe("It is hidden: w says why, e what would enable it");
    expect(about(driver)).toContain("OLD=n  hidden");
    expect(driver.state.showHidden).toBe(true);
  });

  test("the search takes a line of a configuration", async () => {
    const driver = await house();
    for (const [line, name] of [
      ["CONFIG_BASE=0x1000", "BASE="],
      ['CONFIG_NAME="box"', "NAME="],
      ["config_net=m", "NET="],
      ["CONFIG_NET", "NET="],
    ] as const) {
      driver.press("/");
      driver.type(line);
      expect(driver.lines()[1]).toContain(` ${name}`);
      driver.press("escape");
    }
  });

  test("a symbol without prompt is found, and has help", async () => {
    const driver = await house();
    go(driver, "limit");
    expect(driver.screen()).toContain("LIMIT is 64 by its default at Kconfig:43");
    driver.press("escape");
    expect(driver.state.dialogs).toHaveLength(1);
    driver.press("escape");
    expect(driver.state.dialogs).toEqual([]);
  });

  test("help has the value and its origin, the text, the place, and who selects it; and the keys", async () => {
    const driver = await house();
    go(driver, "net");
    driver.press("y");
    go(driver, "tcp");
    driver.press("y", "?");
    for (const part of [
      "TCP is y because the user set it",
      "Streams.",
      "Symbol: TCP [=y]",
      "Defined at Kconfig:14",
      "Depends on: NET [=y]",
      "Selects: HASH [=y]",
    ]) {
      expect(driver.screen()).toContain(part);
    }
    driver.press("end");
    expect(driver.screen()).toContain("save what was changed as a fragment");
    driver.press("q");
    go(driver, "hash");
    driver.press("h");
    expect(driver.screen()).toContain("HASH is y because it is selected by TCP && NET");
    expect(driver.screen()).toContain("Selected by [y]:");
  });

  test("why something is hidden or as it is", async () => {
    const driver = await house();
    go(driver, "wine");
    driver.press("w");
    expect(driver.screen()).toContain("WINE is n: it cannot be seen, and nothing selects it");
    expect(driver.screen()).toContain("WINE=y needs, first to last:");
    driver.press("escape", "left", "w");
    expect(driver.screen()).toContain("Shown if: TCP [=n]");
    driver.press("q");
    go(driver, "attic");
    driver.press("w");
    expect(driver.screen()).toContain("Shown if: FAST [=n]");
  });

  test("what would enable it is shown first, and done when the user agrees", async () => {
    const driver = await house();
    const before = driver.config();
    go(driver, "wine");
    driver.press("e");
    expect(driver.screen()).toContain("Looking for the fewest changes for WINE=y");
    driver.press("return", "y", "q");
    await driver.solve();
    expect(driver.lines().slice(0, 8)).toEqual([
      " WINE=y takes 4 settings; 6 options would change",
      " set     NET: n -> y  Networking",
      " set     TCP: n -> y",
      " set     WINE: n -> y  Wine",
      " set     CORK: n -> y  Cork",
      " follows QUEUE: n -> y  Queues",
      " follows HASH: n -> y  Hashes",
      "",
    ]);
    expect(driver.config()).toBe(before);
    driver.press("escape");
    expect(message(driver)).toBe("Nothing was changed");
    expect(driver.config()).toBe(before);
    driver.press("e");
    await driver.solve();
    driver.press("return");
    expect(driver.model.tree.value("WINE")).toBe("y");
    expect(driver.fragment()).toBe("CONFIG_NET=y\nCONFIG_TCP=y\nCONFIG_WINE=y\nCONFIG_CORK=y\n");
    driver.press("u");
    expect(driver.config()).toBe(before);
  });

  test("another value can be asked for, and what cannot be is told", async () => {
    const driver = await house();
    go(driver, "old");
    driver.press("e");
    await driver.solve();
    expect(driver.screen()).toContain("This cannot be, whatever else is set:\n  OLD=y, wanted by you");
    driver.press("escape");
    go(driver, "tcp");
    driver.press("e");
    await driver.solve();
    driver.press("m");
    await driver.solve();
    driver.press("return");
    expect([driver.model.tree.value("TCP"), driver.model.tree.value("MODULES")]).toEqual(["m", "y"]);
    driver.press("e");
    await driver.solve();
    expect(driver.lines()[0]).toContain("TCP=y takes 1 setting; 2 options would change");
    driver.press("return", "e");
    expect(message(driver)).toBe("TCP is y already");
  });

  test("of two ways the one is taken that leaves alone what was set by hand", async () => {
    const kconfig = ["A", "B"].map((name) => `config BUS_${name}\n\tbool "Bus ${name}"\n\n`).join("");
    const card = 'config CARD\n\tbool "Card"\n\tdepends on BUS_A || BUS_B\n';
    for (const [kept, taken] of [
      ["BUS_A", "BUS_B"],
      ["BUS_B", "BUS_A"],
    ] as const) {
      const driver = driverOf(await treeOf(kconfig + card));
      go(driver, kept);
      driver.press("y", "n");
      go(driver, "card");
      driver.press("e");
      await driver.solve();
      driver.press("return");
      const { tree } = driver.model;
      expect([tree.value("CARD"), tree.value(kept), tree.value(taken)]).toEqual(["y", "n", "y"]);
    }
  });

  test("a number that nobody asked about is left to the tree", async () => {
    const kconfig = `config SMP
	bool "Processors"

config MAX
	int "How many"
	range 2 512 if SMP
	range 1 1
	default 64 if SMP
	default 1

config SPLIT_A
	def_bool MAX >= 4

config SPLIT_B
	def_bool MAX >= 4
`;
    // Three processors would turn fewer options on than any other number.
    for (const generation of [1, 2, 3] as const) {
      const tree = await treeOf(kconfig, generation);
      tree.load("CONFIG_MAX=1\n");
      const driver = driverOf(tree);
      go(driver, "smp");
      driver.press("e");
      await driver.solve();
      expect(driver.lines().slice(0, 4)).toEqual([
        " SMP=y takes 1 setting; 2 options would change",
        " set     SMP: n -> y  Processors",
        " follows MAX: 1 -> 2  How many",
        "",
      ]);
      driver.press("return");
      // Who reads the lines makes the same of them.
      const read = await treeOf(kconfig, generation);
      read.load(`CONFIG_MAX=1\n${driver.fragment()}`);
      expect(read.configText()).toBe(driver.config());
    }
  });

  test("a number that is out of range as things are", async () => {
    const driver = await house();
    go(driver, "buffers");
    driver.press("e", "C-u");
    driver.type("100");
    driver.press("return");
    await driver.solve();
    expect(driver.screen()).toContain("This cannot be, whatever else is set:");
  });
});

describe("saving and leaving", () => {
  test("the file is asked for; one that is there is replaced only after a question", async () => {
    const driver = await house();
    driver.press("y", "s");
    expect(driver.screen()).toContain("Save the configuration as:\n .config");
    driver.press("return");
    expect(driver.effect).toEqual({ kind: "save", what: "config", file: ".config", replace: true });
    driver.send({ kind: "saved", what: "config", file: ".config", message: "Saved" });
    expect(driver.state.dialogs).toEqual([]);
    driver.press("q");
    expect(driver.effect).toEqual({ kind: "quit", status: 0 });
    driver.press("f", "C-u");
    driver.type("x");
    driver.press("return");
    expect(driver.effect).toEqual({ kind: "save", what: "fragment", file: "x", replace: false });
    driver.send({ kind: "exists" });
    expect(driver.screen()).toContain('There is a file "x": replace it?');
    driver.press("n");
    expect(driver.effect).toBeUndefined();
    driver.press("return");
    driver.send({ kind: "exists" });
    driver.press("y");
    expect(driver.effect).toEqual({ kind: "save", what: "fragment", file: "x", replace: true });
  });

  test("changes are not put in the place of a configuration without a question", async () => {
    const driver = await house();
    driver.press("y", "f", "C-u");
    driver.type(".config");
    driver.press("return");
    expect(driver.effect).toEqual({ kind: "save", what: "fragment", file: ".config", replace: false });
    driver.send({ kind: "saved", what: "fragment", file: "x", message: "Saved" });
    driver.press("f", "C-u");
    driver.type("x");
    driver.press("return");
    expect(driver.effect).toMatchObject({ file: "x", replace: true });
    driver.press("escape", "s", "C-u");
    driver.type("x");
    driver.press("return");
    expect(driver.effect).toMatchObject({ what: "config", file: "x", replace: false });
  });

  test("quitting asks when there is something to save, and not when it was undone", async () => {
    const driver = await house();
    driver.press("y", "q");
    expect(driver.screen()).toContain('Save the changes to ".config"?');
    driver.press("x", "escape");
    expect(driver.state.dialogs).toEqual([]);
    driver.press("n", "q");
    expect(driver.effect).toEqual({ kind: "quit", status: 0 });
    driver.press("y", "C-c");
    expect(driver.effect).toBeUndefined();
    driver.press("C-c");
    expect(driver.effect).toEqual({ kind: "quit", status: 130 });
    driver.press("n");
    expect(driver.effect).toEqual({ kind: "quit", status: 0 });
    driver.press("y");
    expect(driver.effect).toEqual({ kind: "save", what: "config", file: ".config", replace: true });
    driver.send({ kind: "failed", message: "Cannot write" });
    expect(driver.screen()).toContain("Cannot write");
    driver.press("escape", "return");
    driver.send({ kind: "saved", what: "config", file: ".config", message: "Saved" });
    expect(driver.effect).toEqual({ kind: "quit", status: 0 });
  });
});
