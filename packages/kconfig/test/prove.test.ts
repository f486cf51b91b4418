import { expect, test } from "vitest";
import { formatRefusal, parseConfig, parseFragment, proveConfig, refusalError } from "../src/index.ts";

const wanted = parseFragment('CONFIG_A=y\nCONFIG_B=y\nCONFIG_N=16\nCONFIG_S="x"\n# CONFIG_Z is not set\n', {
  file: "w",
}).requests;

test("all that is in effect passes; a wanted n passes when the symbol is not named", () => {
  expect(proveConfig(wanted, parseConfig('CONFIG_A=y\nCONFIG_B=y\nCONFIG_N=0x10\nCONFIG_S="x"\n'))).toEqual(
    [],
  );
});

test("every request that is not in effect is a refusal with wanted and actual value and who asked", () => {
  const actual = parseConfig('CONFIG_A=m\nCONFIG_N=8\nCONFIG_S="y"\nCONFIG_Z=y\n');
  const refusals = proveConfig(wanted, actual);
  expect(refusals.map(formatRefusal)).toEqual([
    '"A" should be y but is m, wanted by w (w:1:1)',
    '"B" should be y but is not set, wanted by w (w:2:1); the symbol does not exist or what it depends on is not met',
    '"N" should be 16 but is 8, wanted by w (w:3:1)',
    '"S" should be "x" but is "y", wanted by w (w:4:1)',
    '"Z" should be n but is y, wanted by w (w:5:3)',
  ]);
  const error = refusalError(refusals);
  expect(error?.code).toBe("KCONFIG_REFUSED");
  for (const symbol of ["A", "B", "N", "S", "Z"]) expect(error?.message).toContain(`"${symbol}" should be`);
  expect(refusalError([])).toBeUndefined();
});

test("a string that looks like a number is not that number", () => {
  const [request] = parseFragment("CONFIG_N=5\n").requests;
  if (request === undefined) throw new Error("no request");
  expect(proveConfig([request], parseConfig('CONFIG_N="5"\n'))).toHaveLength(1);
});
