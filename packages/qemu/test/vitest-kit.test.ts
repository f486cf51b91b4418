import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { processesWith } from "./support/processes.ts";

const here = new URL("..", import.meta.url).pathname;

/** As in a project of somebody else's, but for the path of the package. The firmware's words are the guest's. */
const TESTS = `
import { expect } from "vitest";
import { test } from "${here}src/vitest.ts";
import { processesWith } from "${here}test/support/processes.ts";
const firmware = { firmware: "bios-256k.bin", extraArgs: ["-name", "machine-of-a-test", "-machine", "graphics=off"] };
test("passes", async ({ boot }) => {
  const vm = await boot(firmware);
  await vm.console.expect("SeaBIOS", { timeout: 30_000 });
}, 60_000);
test("fails / twice", async ({ boot }) => {
  const machines = await Promise.all([boot(firmware), boot(firmware)]);
  for (const vm of machines) await vm.console.expect("SeaBIOS", { timeout: 30_000 });
  expect(machines.length).toBe(3);
}, 60_000);
test("is out of time before its machine runs", async ({ boot }) => {
  await boot({ ...firmware, extraArgs: ["-name", "machine-too-late"] });
}, 1);
test("has none of the machines of others", async () => {
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(await processesWith("machine-too-late")).toEqual([]);
}, 60_000);
`;

test("a machine ends with its test, and its console is kept when that fails", async () => {
  const project = await mkdtemp(join(tmpdir(), "qemu-vitest-test-"));
  onTestFinished(() => rm(project, { recursive: true, force: true }));
  await mkdir(join(project, "node_modules"));
  await writeFile(join(project, "kernel.test.ts"), TESTS);
  await writeFile(join(project, "vitest.config.ts"), "export default {};\n");
  await promisify(execFile)("ln", [
    "-s",
    join(here, "node_modules/vitest"),
    join(project, "node_modules/vitest"),
  ]);
  const vitest = join(here, "node_modules/.bin/vitest");
  const run = await promisify(execFile)(vitest, ["run", "--root", project], { cwd: project }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  expect(run).toMatch(/Tests +2 failed \| 2 passed/);
  const logs = await readdir(join(project, "qemu-logs"));
  expect(logs.sort()).toEqual([
    expect.stringMatching(/^fails-twice-.*-1\.log$/),
    expect.stringMatching(/^fails-twice-.*-2\.log$/),
  ]);
  for (const log of logs)
    expect(await readFile(join(project, "qemu-logs", log), "latin1")).toContain("SeaBIOS");
  expect(run).toContain("To run it by hand:\nqemu-system-x86_64 ");
  expect(await processesWith("machine-of-a-test")).toEqual([]);
}, 120_000);
