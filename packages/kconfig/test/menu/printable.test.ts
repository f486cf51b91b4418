import { expect, test } from "vitest";
import { clip, head, printable, tail, widthOf, wrap } from "../../src/menu/printable.ts";

test("nothing that steers a terminal is left", () => {
  expect(printable("a\tb")).toBe("a b");
  const steering = [
    "\u001b[2J",
    "\u009b2J",
    "\r\n",
    "\b",
    "\u007f",
    "\u202e",
    "\u2066",
    "\u200d",
    "\u2028",
    "\ud800",
  ];
  for (const text of steering) expect(printable(`x${text}y`)).not.toMatch(/[^\P{C}]|\u2028/u);
  for (let code = 0; code < 0x11_0000; code += code < 0x3000 ? 1 : 61) {
    expect(printable(String.fromCodePoint(code))).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  }
  expect(printable("Zoë 日本 🙂")).toBe("Zoë 日本 🙂");
});

test("widths are those of terminals", () => {
  expect([widthOf("abc"), widthOf("日本"), widthOf("e\u0301"), widthOf("🙂")]).toEqual([3, 4, 1, 2]);
  expect(["。", "한", "ﾊ", "Ａ", "é", "─", "☺"].map(widthOf)).toEqual([2, 2, 1, 2, 1, 1, 1]);
  expect(clip("abcdef", 6)).toBe("abcdef");
  expect(clip("abcdef", 5)).toBe("abcd~");
  expect(clip("日本語", 5)).toBe("日本~");
  expect(clip("abc", 0)).toBe("");
  expect(head("日本", 3)).toBe("日");
  expect(["abc", "日本", "ab日", "e\u0301f", ""].map((text) => tail(text, 3))).toEqual([
    "abc",
    "本",
    "b日",
    "e\u0301f",
    "",
  ]);
});

test("lines are broken at blanks, keep their indentation, and lose nothing", () => {
  expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrap("  one two three", 8)).toEqual(["  one", "  two", "  three"]);
  expect(wrap("onetwothree", 4)).toEqual(["onet", "woth", "ree"]);
  expect(wrap("", 4)).toEqual([""]);
  for (const line of ["  日本語 text and more", "   x", " 日", "a  b", "word ".repeat(20).trimEnd()]) {
    for (let columns = 1; columns < 30; columns++) {
      const lines = wrap(line, columns);
      expect(lines.join("").replaceAll(" ", "")).toBe(line.replaceAll(" ", ""));
      if (columns > 1)
        for (const one of lines) expect(widthOf(one.trimEnd())).toBeLessThanOrEqual(Math.max(columns, 3));
    }
  }
});
