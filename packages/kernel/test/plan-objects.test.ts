import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runConf } from "@justenough/kconfig/node";
import { expect, test } from "vitest";
import { archFacts } from "../src/arch.ts";
import { cachedTree, configurePlan, planConfiguration } from "../src/configure.ts";
import { answersDirectory, kconfigEnvironment } from "../src/internal/kconfig-host.ts";
import { plannedObjects } from "../src/internal/plan-objects.ts";
import { scratchDirectory } from "./support/real-source.ts";

// Small kernels are compared with what make compiles; the thousands of a defconfig have more kinds of Makefiles, one that
// includes others for instance. test/progress/run-progress.ts counts them.
test.each([
  ["6.1", "x86_64", "drivers/gpu/drm/i915/i915_driver.o"],
  ["6.12", "x86_64", "drivers/gpu/drm/i915/i915_driver.o"],
  ["6.12", "arm64", "drivers/soc/qcom/llcc-qcom.o"],
  ["6.12", "riscv64", "arch/riscv/kernel/head.o"],
] as const)(
  "the objects of a defconfig are planned: %s, %s",
  { timeout: 1_800_000 },
  async (series, arch, one) => {
    const objects = await scratchDirectory();
    const source = { kind: "debian", series } as const;
    const plan = await planConfiguration({ source, arch, base: "defconfig", features: [] }, {});
    const { text } = await configurePlan(plan, {});
    const tree = await cachedTree(plan.source, {});
    await writeFile(join(objects, ".config"), text);
    const env = await kconfigEnvironment(tree, objects, plan, {});
    const args = ["--syncconfig", "Kconfig"];
    expect((await runConf({ cwd: objects, args, env, answers: answersDirectory({}) })).status).toBe(0);
    const planned = await plannedObjects(tree, objects, archFacts(arch), undefined);
    expect(planned).toContain(one);
    expect(planned.size).toBeGreaterThan(2500);
  },
);
