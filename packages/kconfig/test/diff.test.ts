import { expect, test } from "vitest";
import { diffConfigs, parseConfig } from "../src/index.ts";

test("differences are by meaning: order, comments, spelling of numbers and n against not named do not matter", () => {
  const before = parseConfig("# x\nCONFIG_A=y\nCONFIG_N=0x10\n# CONFIG_B is not set\n");
  const after = parseConfig("CONFIG_N=16\n\nCONFIG_A=y\n# CONFIG_C is not set\n");
  expect(diffConfigs(before, after)).toEqual({ added: [], removed: [], changed: [] });
});

test("what came, went and changed, by name", () => {
  const before = parseConfig("CONFIG_A=y\nCONFIG_B=y\nCONFIG_D=m\n");
  const after = parseConfig('CONFIG_D=y\nCONFIG_C="c"\n# CONFIG_B is not set\nCONFIG_A=y\n');
  const diff = diffConfigs(before, after);
  expect(diff.added.map(({ symbol }) => symbol)).toEqual(["C"]);
  expect(diff.removed.map(({ symbol }) => symbol)).toEqual(["B"]);
  expect(diff.changed).toEqual([
    { symbol: "D", before: { kind: "tristate", text: "m" }, after: { kind: "tristate", text: "y" } },
  ]);
});
