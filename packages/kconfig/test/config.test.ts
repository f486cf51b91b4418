import { expect, test } from "vitest";
import { configOf, countSymbols, parseConfig, printConfig, valueOf, writeValue } from "../src/index.ts";

const TEXT = `#
# Automatically generated file; DO NOT EDIT.
# Linux/x86 6.12.117 Kernel Configuration
#
CONFIG_CC_VERSION_TEXT="gcc (Debian 12.2.0-14) 12.2.0"
CONFIG_NR_CPUS=64
CONFIG_PHYSICAL_START=0x1000000

#
# General setup
#
CONFIG_EXT4_FS=m
CONFIG_SMP=y
# CONFIG_NET is not set
# end of General setup
`;

test("printing gives back the bytes that were read", () => {
  expect(printConfig(parseConfig(TEXT))).toBe(TEXT);
});

test("values are unquoted and typed by how they are written", () => {
  const { values } = parseConfig(TEXT);
  expect(Object.fromEntries(values)).toEqual({
    CC_VERSION_TEXT: { kind: "string", text: "gcc (Debian 12.2.0-14) 12.2.0" },
    NR_CPUS: { kind: "number", text: "64" },
    PHYSICAL_START: { kind: "number", text: "0x1000000" },
    EXT4_FS: { kind: "tristate", text: "m" },
    SMP: { kind: "tristate", text: "y" },
    NET: { kind: "tristate", text: "n" },
  });
});

test("counting tells y from m and keeps numbers and strings apart", () => {
  expect(countSymbols(parseConfig(TEXT))).toEqual({ set: 2, y: 1, m: 1, other: 3 });
});

test("the last line that names a symbol wins, as in conf", () => {
  expect(parseConfig("CONFIG_A=y\n# CONFIG_A is not set\n").values.get("A")?.text).toBe("n");
});

test("CR LF is tolerated and kept", () => {
  const text = 'CONFIG_A=y\r\nCONFIG_B="x"\r\n# CONFIG_C is not set\r\n';
  const config = parseConfig(text);
  expect([...config.values.values()].map((value) => value.text)).toEqual(["y", "x", "n"]);
  expect(printConfig(config)).toBe(text);
});

test.each([
  ["CONFIG_A\n", "1:1"],
  ["\nCONFIG_A=yes\n", "2:10"],
  ['CONFIG_A="open\n', "1:10"],
  ['CONFIG_A="a" b\n', "1:10"],
  ["config_a=y\n", "1:1"],
  ["CONFIG_A-B=y\n", "1:1"],
])("a line that cannot be understood is an error with its place: %j", (text, place) => {
  expect(() => parseConfig(text, { file: "bad.config" })).toThrow(`bad.config:${place}: Cannot understand`);
});

test("an empty value is read, since older conf writes an int without default so", () => {
  expect(parseConfig("CONFIG_X=\n").values.get("X")?.text).toBe("");
});

test("strings of every kind survive writing and reading", () => {
  let seed = 20_240_611;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const alphabet = ["a", "Z", "0", '"', "\\", " ", "#", "=", "$", "\t", "ä", "'", "y", "n"];
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join("");
    const config = configOf(new Map([["S", { kind: "string", text }]]));
    expect(parseConfig(printConfig(config)).values.get("S"), `text ${JSON.stringify(text)}`).toEqual({
      kind: "string",
      text,
    });
  }
});

test("a value that a person gives is understood by its look", () => {
  expect(valueOf("m")).toEqual({ kind: "tristate", text: "m" });
  expect(valueOf("0x1F")).toEqual({ kind: "number", text: "0x1F" });
  expect(valueOf("-3")).toEqual({ kind: "number", text: "-3" });
  expect(valueOf("(none)")).toEqual({ kind: "string", text: "(none)" });
  expect(valueOf('"5"')).toEqual({ kind: "string", text: "5" });
  expect(writeValue(valueOf('say "hi"'))).toBe(String.raw`"say \"hi\""`);
  expect(() => valueOf("y\nCONFIG_EVIL=y")).toThrow("A value must be one line");
});
