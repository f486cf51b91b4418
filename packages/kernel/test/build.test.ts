import { createHash } from "node:crypto";
import { access, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildKernel } from "../src/index.ts";
import type { KernelProgress } from "../src/index.ts";
import { archFacts } from "../src/arch.ts";
import { objectsDirectory, planConfiguration } from "../src/configure.ts";
import { plannedObjects } from "../src/internal/plan-objects.ts";
import { run } from "../src/internal/process.ts";
import { MODULAR_KERNEL } from "./support/built-kernel.ts";
import { scratchDirectory } from "./support/real-source.ts";

test(
  "a kernel with a module is built, kept, and taken from the cache the next time",
  { timeout: 1_800_000 },
  async () => {
    const events: KernelProgress[] = [];
    const kernel = await buildKernel({ ...MODULAR_KERNEL, onProgress: (event) => events.push(event) });
    expect(kernel.release).toMatch(/^6\.12\.\d+$/);
    const image = await readFile(kernel.image);
    expect(image.subarray(0x202, 0x206).toString()).toBe("HdrS");
    expect(createHash("sha256").update(image).digest("hex")).toBe(kernel.sha256);
    expect(image.length).toBeLessThan(4_000_000);
    expect(await readFile(kernel.systemMap ?? "", "utf8")).toContain(" T start_kernel");
    expect(await readFile(kernel.config, "utf8")).toContain("CONFIG_DUMMY=m\n");

    expect(kernel.modules).toBe(join(kernel.directory, "lib/modules", kernel.release));
    expect(await readFile(join(kernel.modules ?? "", "modules.dep"), "utf8")).toContain(
      "kernel/drivers/net/dummy.ko:",
    );
    const module = join(kernel.modules ?? "", "kernel/drivers/net/dummy.ko");
    const info = await run({ file: "modinfo", args: ["-F", "vermagic", module] });
    expect(info.stdout).toMatch(new RegExp(`^${kernel.release} `));
    await expect(access(join(kernel.modules ?? "", "build"))).rejects.toThrow();

    // A build that took place now must have known its total before it began.
    for (const event of events.filter(({ phase }) => phase === "compile")) {
      if (event.total !== undefined) expect(event.done).toBeLessThanOrEqual(event.total);
    }

    const before = performance.now();
    const again = await buildKernel(MODULAR_KERNEL);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(again).toEqual({ ...kernel, fromCache: true });
  },
);

test("the objects that are planned are those that are compiled", { timeout: 1_800_000 }, async () => {
  const plan = await planConfiguration(MODULAR_KERNEL, {});
  const objects = objectsDirectory(plan, {});
  if ((await stat(join(objects, "vmlinux")).catch(() => undefined)) === undefined) {
    await rm((await buildKernel(MODULAR_KERNEL)).directory, { recursive: true });
    await buildKernel(MODULAR_KERNEL);
  }
  const planned = await plannedObjects(plan.source.tree, objects, archFacts("x86_64"), undefined);
  // Kbuild leaves a .cmd file with the command of each file that it makes.
  const found = await run({
    file: "grep",
    args: ["-rlE", "^savedcmd_\\S+ := .*gcc .* -c -o ", "--include=.*.o.cmd", "."],
    cwd: objects,
  });
  const compiled = new Set(
    found.stdout
      .split("\n")
      // The build's own tools.
      .filter((path) => path !== "" && !/^\.\/(tools|scripts|arch\/x86\/tools)\//.test(path))
      .map((path) => path.replace(/^\.\//, "").replace(/\.([^/]+)\.cmd$/, "$1")),
  );
  expect(planned.size).toBeGreaterThan(500);
  expect([...planned].filter((object) => !compiled.has(object))).toEqual([]);
  // Other kernels that share the directory leave objects that this one does not link.
  const archive = await run({ file: "ar", args: ["t", "vmlinux.a"], cwd: objects });
  const linked = new Set(archive.stdout.split("\n"));
  expect(linked.has("init/main.o")).toBe(true);
  expect([...compiled].filter((object) => linked.has(object) && !planned.has(object))).toEqual([]);
});

test(
  "a build that is aborted ends soon and goes on later in the same directory",
  { timeout: 300_000 },
  async () => {
    const cacheDir = await scratchDirectory();
    const abort = new AbortController();
    const path = (await planConfiguration(MODULAR_KERNEL, {})).source.tree;
    const events: KernelProgress[] = [];
    const onProgress = (event: KernelProgress): void => {
      events.push(event);
      if (event.phase === "compile" && event.message?.endsWith(".o") === true) abort.abort();
    };
    const source = { kind: "directory", path } as const;
    const options = { ...MODULAR_KERNEL, source, cacheDir, onProgress, signal: abort.signal };
    await expect(buildKernel(options)).rejects.toMatchObject({ code: "KERNEL_ABORTED" });
    const last = events.at(-1);
    expect(last).toMatchObject({ phase: "compile", unit: "objects" });
    expect(last?.total).toBeGreaterThan(500);
  },
);
