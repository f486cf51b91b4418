import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootProfile, launch, parseKernelLine, timelineSvg, timelineText } from "../src/index.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";

let guest: Guest;
beforeAll(async () => {
  guest = await prepareGuest();
}, 180_000);
afterAll(() => guest.remove());

test.each([
  ["[    0.512345] Run /init as init process", { seconds: 0.512345, text: "Run /init as init process" }],
  [
    "<6>[   12.000001][    T1] usb 1-1: new",
    { seconds: 12.000001, level: 6, caller: "T1", text: "usb 1-1: new" },
  ],
  ["<30>[12345.6][ C0] x", { seconds: 12345.6, level: 6, caller: "C0", text: "x" }],
  ["[drm] is no time", { text: "[drm] is no time" }],
  ["", { text: "" }],
])("%j", (line, parsed) => {
  expect(parseKernelLine(line)).toEqual(parsed);
});

test("a real boot's profile: marks in their order, the slowest initcalls, the longest silences", async () => {
  await using vm = await launch(
    {
      kernel: guest.kernel,
      initrd: [guest.initrd],
      cmdline: "console=ttyS0 initcall_debug ignore_loglevel do=off",
      memory: "256M",
    },
    { deadlines: { total: 60_000 } },
  );
  expect((await vm.wait()).kind).toBe("poweroff");
  const lines = vm.console.text().split("\n");
  const { marks, gaps, initcalls } = bootProfile(lines, 5);
  expect(marks.map(({ name }) => name)).toEqual(["kernel", "initramfs", "init", "end"]);
  const times = marks.map(({ seconds }) => seconds);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(gaps.length).toBe(5);
  expect(gaps[0]?.seconds).toBeGreaterThanOrEqual(gaps[4]?.seconds ?? Number.NaN);
  expect(initcalls.length).toBe(5);
  // What a look for the largest number finds.
  const slowest = Math.max(
    ...lines.map((line) => Number(/^.*initcall .* after (\d+) usecs/.exec(line)?.[1] ?? 0)),
  );
  expect(initcalls[0]?.microseconds).toBe(slowest);

  const text = timelineText(bootProfile(lines, 5));
  expect(text).toContain(` ms  ${initcalls[0]?.name}`);
  const svg = timelineSvg(bootProfile([...lines, "[   99.000000] a < b & \u001b[1m c"]));
  const parser =
    "import sys, xml.dom.minidom as x; print(len(x.parse(sys.stdin.buffer).getElementsByTagName('text')))";
  const texts = Number(execFileSync("python3", ["-c", parser], { input: svg, encoding: "utf8" }));
  expect(texts).toBe(4 + 10 + 10);
});
