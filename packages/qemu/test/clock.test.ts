import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { launch } from "../src/index.ts";
import { CLOCK_CODE } from "../src/internal/clock-rom.ts";
import { prepareGuest } from "./support/guest.ts";

const exec = promisify(execFile);

test("the clock guest is what its source assembles to", async () => {
  const scratch = await mkdtemp(join(tmpdir(), "qemu-clock-test-"));
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  const [object, binary] = [join(scratch, "clock.o"), join(scratch, "clock.bin")];
  await exec("as", ["--64", new URL("../assets/clock.S", import.meta.url).pathname, "-o", object]);
  await exec("objcopy", ["-O", "binary", "-j", ".text", object, binary]);
  expect(Buffer.from(CLOCK_CODE)).toEqual(await readFile(binary));
});

test("the frequency that an emulated kernel is told is what it measures against the ACPI timer", async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), "qemu-clock-test-"));
  const guest = await prepareGuest();
  onTestFinished(async () => {
    await guest.remove();
    await rm(cacheDir, { recursive: true, force: true });
  });
  const { kernel, initrd } = guest;
  await using vm = await launch(
    { kernel, initrd: [initrd], cmdline: "console=ttyS0 do=hang", accel: "tcg", memory: "256M" },
    { cacheDir, deadlines: { total: 60_000 } },
  );
  const measured = await vm.console.expect(/Refined TSC clocksource calibration: ([\d.]+) MHz/, {
    timeout: 60_000,
  });
  const told = /\btsc_early_khz=(\d+)/.exec(vm.printable)?.[1];
  const ratio = Number(told) / (Number(measured[1]) * 1000);
  expect(Math.abs(ratio - 1), `${told} kHz, ${measured[1]} MHz`).toBeLessThan(500e-6);
  expect(vm.console.text()).toMatch(new RegExp(`command line: .*tsc_early_khz=${told} `, "i"));
}, 120_000);
