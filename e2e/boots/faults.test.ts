import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareGuest } from "../../packages/qemu/test/support/guest.ts";
import { FAULTS } from "../lib/faults/all.ts";
import { type Bench, makeBench, runFault } from "../lib/faults/fault.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await makeBench(await prepareGuest(), await mkdtemp(join(tmpdir(), "e2e-faults-")));
});

afterAll(async () => {
  await bench.guest.remove();
  await rm(bench.scratch, { recursive: true, force: true });
});

// Most of them only wait for a limit to pass.
test.concurrent.each(FAULTS)("the runner's word for: $name", async (fault) => {
  const { problems } = await runFault(fault, bench);
  expect(problems.join("\n")).toBe("");
});
