import { expect, test } from "vitest";
import {
  applyRequests,
  mergeFragments,
  overrideRequests,
  parseConfig,
  parseFragment,
  printConfig,
  requestsOf,
  valueOf,
} from "../src/index.ts";

const NET = `# feature: net
# why: IPv4
# arch: all
CONFIG_NET=y
# until: 6.9 (renamed)
CONFIG_OLD=y
# CONFIG_WIRELESS is not set
`;

test("a fragment has a header, requests with their place, and conditions of single lines", () => {
  const fragment = parseFragment(NET, { file: "net.config" });
  expect(Object.fromEntries(fragment.header)).toEqual({ feature: "net", why: "IPv4", arch: "all" });
  expect(fragment.requests.map(({ symbol, value }) => `${symbol}=${value.text}`)).toEqual([
    "NET=y",
    "OLD=y",
    "WIRELESS=n",
  ]);
  expect(fragment.requests[1]?.conditions.get("until")).toBe("6.9 (renamed)");
  expect(fragment.requests[2]?.conditions.size).toBe(0);
  expect(fragment.requests[2]).toMatchObject({
    origin: 'feature "net"',
    location: { file: "net.config", line: 7, column: 3 },
  });
  expect(printConfig(fragment)).toBe(NET);
});

test("a fragment that contradicts itself is an error at the second line", () => {
  expect(() => parseFragment("CONFIG_A=y\nCONFIG_A=m\n", { file: "x" })).toThrow(
    'x:2:1: "A" is wanted as y by x (x:1:1) and as m by x (x:2:1)',
  );
});

test("fragments that agree merge, others conflict with both places named", () => {
  const a = parseFragment("CONFIG_A=y\nCONFIG_N=0x10\n", { file: "a" });
  const b = parseFragment("CONFIG_A=y\nCONFIG_N=16\nCONFIG_B=m\n", { file: "b" });
  const agreed = mergeFragments([a, b]);
  expect(agreed.requests.map(({ symbol }) => symbol)).toEqual(["A", "N", "B"]);
  expect(agreed.conflicts).toEqual([]);
  const c = parseFragment("CONFIG_B=y\n", { file: "c" });
  expect(mergeFragments([a, b, c]).conflicts).toEqual([
    expect.objectContaining({
      code: "KCONFIG_CONFLICT",
      severity: "error",
      message: '"B" is wanted as m by b (b:3:1) and as y by c (c:1:1)',
    }),
  ]);
});

test("a user's values win over those of fragments", () => {
  const below = parseFragment("CONFIG_A=y\nCONFIG_B=y\n").requests;
  const above = requestsOf({ A: valueOf("n") }, "me");
  expect(overrideRequests(below, above).map(({ symbol, value }) => `${symbol}=${value.text}`)).toEqual([
    "B=y",
    "A=n",
  ]);
});

test("applied requests keep the place of a symbol that is there, and are appended otherwise", () => {
  const base = parseConfig("# head\nCONFIG_A=y\n\nCONFIG_B=y\nCONFIG_A=m\n");
  const merged = applyRequests(base, parseFragment('CONFIG_C="x"\n# CONFIG_A is not set\n').requests);
  expect(printConfig(merged)).toBe('# head\n# CONFIG_A is not set\n\nCONFIG_B=y\nCONFIG_C="x"\n');
  expect(parseConfig(printConfig(merged)).values).toEqual(merged.values);
});
