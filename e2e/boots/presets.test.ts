import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provePresets, selectPresets } from "@justenough/kernel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "presets-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// Kernels that are built with presets, all of them: e2e/soak/run-presets.ts.
test("a spec's presets reach the command line and the files of the running kernel", async () => {
  const names = ["kpti=on", "memcg=off", "init-on-alloc=off", "thp=always", "fault-around=off"];
  const subjects = ["/proc/cgroups", "/sys/kernel/mm/transparent_hugepage/enabled"];
  const script = [...subjects, "/sys/kernel/debug/fault_around_bytes"]
    .map((path) => `echo "== ${path}"; cat ${path}`)
    .concat('echo "== dmesg"; dmesg')
    .join("; ");
  await writeFile(
    join(directory, "appliance.yaml"),
    JSON.stringify({
      name: "switched",
      run: ["sh", "-c", script],
      programs: ["sh", "cat", "dmesg"],
      kernel: { source: "distro", presets: names },
      report: false,
    }),
  );
  const run = await appliance(["run", directory, "--quiet"]);
  expect(run.exitCode, run.stderr).toBe(0);
  const texts = new Map(
    run.stdout.split(/^== /m).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end).trim(), part.slice(end + 1)] as const;
    }),
  );
  const proofs = selectPresets(names, "x86_64").flatMap((preset) => preset.proofs);
  const findings = await provePresets(
    proofs.filter(({ subject }) => subject !== "System.map"),
    async (subject) => texts.get(subject)?.replaceAll("\r", ""),
  );
  expect(findings.length).toBe(5);
  expect(findings.filter(({ holds }) => !holds)).toEqual([]);
});
