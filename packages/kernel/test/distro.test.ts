import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { countSymbols, parseConfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { distroKernel } from "../src/index.ts";

test(
  "the distribution's kernel is unpacked with an index of its modules, and apt is asked once",
  { timeout: 300_000 },
  async () => {
    const kernel = await distroKernel();
    expect(kernel.release).toMatch(/^\d+\.\d+.*-cloud-amd64$/);
    const image = await open(kernel.image);
    const { buffer } = await image.read(Buffer.alloc(4), 0, 4, 0x202);
    await image.close();
    // The magic of a bzImage: Documentation/arch/x86/boot.rst, "The real-mode kernel header".
    expect(buffer.toString()).toBe("HdrS");
    expect(kernel.modules).toMatch(new RegExp(`/lib/modules/${kernel.release}$`));
    const dependencies = await readFile(join(kernel.modules ?? "", "modules.dep"), "utf8");
    const line = dependencies.split("\n").find((text) => text.includes("/virtio_net.ko"));
    expect(line).toMatch(/virtio_net\.ko\S*: .*net_failover/);
    await stat(join(kernel.modules ?? "", (line ?? "").split(":")[0] ?? ""));
    expect(countSymbols(parseConfig(await readFile(kernel.config, "utf8"))).m).toBeGreaterThan(500);

    const before = performance.now();
    const again = await distroKernel();
    expect(performance.now() - before).toBeLessThan(300);
    expect(again).toEqual({ ...kernel, fromCache: true });
  },
);

test("a package that apt does not have is told", { timeout: 120_000 }, async () => {
  await expect(distroKernel({ package: "linux-image-no-such" })).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: 'apt offers no package "linux-image-no-such" here',
  });
});
