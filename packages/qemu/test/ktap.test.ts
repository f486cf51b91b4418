import { describe, expect, test } from "vitest";
import { countKtap, parseKtap, type KtapTest } from "../src/index.ts";

/** `name=status(parts)`, for short. */
function short({ name, status, tests }: KtapTest): string {
  return `${name}=${status}${tests.length === 0 ? "" : `(${tests.map(short).join(" ")})`}`;
}
const read = (text: string): string | undefined => {
  const run = parseKtap(text);
  return run === undefined ? undefined : short(run);
};

// Beside the kernel's own parser, on its own examples: e2e/boots/ktap.test.ts.
describe("parseKtap", () => {
  test("suites of KUnit among the kernel's lines, with their times", () => {
    const run = parseKtap(`[    0.100000] Linux version 6.12
[    0.200000] KTAP version 1
[    0.200100] 1..2
[    0.200200]     KTAP version 1
[    0.200300]     # Subtest: list
[    0.200400]     1..2
[    0.200500]     ok 1 adds
[    0.200600] a driver says something
[    0.200700]     # removes: EXPECTATION FAILED at lib/list-test.c:7
[    0.200800]     not ok 2 removes
[    0.200900] # list: pass:1 fail:1 skip:0 total:2
[    0.201000] not ok 1 list
[   10.201100]     KTAP version 1
[   10.201200]     # Subtest: time
[   10.201300]     1..1
[   10.201400]     ok 1 tells # SKIP there is no clock
[   10.201500] ok 2 time # SKIP
[   10.300000] reboot: Power down
`);
    expect(run).toBeDefined();
    expect(short(run as KtapTest)).toBe(
      "=failed(list=failed(adds=passed removes=failed) time=skipped(tells=skipped))",
    );
    const [list, time] = (run as KtapTest).tests;
    expect(list?.tests[1]?.log.map((line) => line.trim())).toEqual([
      "a driver says something",
      "# removes: EXPECTATION FAILED at lib/list-test.c:7",
    ]);
    expect(time?.tests[0]?.reason).toBe("there is no clock");
    expect(countKtap(run as KtapTest)).toEqual({ passed: 1, failed: 1, skipped: 1, crashed: 0, empty: 0 });
  });

  test("a kernel that panics in the middle: what was announced has crashed", () => {
    const text =
      "KTAP version 1\n1..2\n  KTAP version 1\n  # Subtest: a\n  1..3\n  ok 1 x\nKernel panic - not syncing\n";
    expect(read(text)).toBe("=crashed(a=crashed(x=passed =crashed =crashed) =crashed)");
  });

  test("a result whose parts have another name is a test of its own", () => {
    expect(read("KTAP version 1\n  # Subtest: a\n  ok 1 x\nok 1 b\n")).toBe(
      "=crashed(a=crashed(x=passed) b=passed)",
    );
  });

  test("parts without a name or a plan, and a prefix that is no time", () => {
    expect(read("con: KTAP version 1\ncon:   KTAP version 1\ncon:   ok 1 x\ncon: ok 1 a\n")).toBe(
      "=passed(a=passed(x=passed))",
    );
    expect(read("TAP version 13\n1..1\nok 1 - selftests: net: tcp # TIMEOUT 45 seconds\n")).toBe(
      "=passed(selftests: net: tcp=passed)",
    );
  });

  test("no tests", () => {
    expect(read("nothing\nok 1 not one\n")).toBeUndefined();
    expect(read("KTAP version 1\n1..0\n")).toBe("=empty");
  });

  test("whatever comes, it ends", () => {
    const deep = Array.from({ length: 5000 }, (_, depth) => `${" ".repeat(depth)}KTAP version 1`).join("\n");
    expect(countKtap(parseKtap(deep) as KtapTest).crashed).toBeGreaterThan(0);
    expect(parseKtap("KTAP version 1\n1..99999999999\n")?.tests.length).toBe(100_000);
    const words = [
      "KTAP version 1",
      "1..3",
      "# Subtest: a",
      "ok 1 a",
      "not ok 2 b # SKIP",
      "noise",
      "ok",
      "",
    ];
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 2000; round++) {
      const lines = Array.from({ length: 30 }, () => " ".repeat(next(4) * 2) + words[next(words.length)]);
      const run = parseKtap(lines.join("\n"));
      if (run !== undefined) countKtap(run);
    }
  });
});
