import { expect, test } from "vitest";
import { planWriter } from "../src/boots/plan-script.ts";
import type { BootPlan } from "../src/policy/plan.ts";
import { openVirtual, type VirtualFile } from "../src/virtual-files.ts";

test("who says that it is 5000 machines fills no memory: parameters are made when they are fetched, and the oldest go", async () => {
  const files = new Map<string, VirtualFile>();
  const site = { address: "10.77.0.1", httpPort: 8080, tftpPort: 69, binaries: {} };
  const bundle = { kernel: "/k", initrd: ["/i"], cmdline: "" };
  const big = "x".repeat(1 << 20);
  const plan: BootPlan = { target: { kind: "bundle", bundle }, cmdline: "", params: { big } };
  const write = planWriter({ files, site, own: undefined });
  const nameFor = async (number: number): Promise<string> => {
    const mac = `02:00:00:00:${(number >> 8).toString(16).padStart(2, "0")}:${(number & 255).toString(16).padStart(2, "0")}`;
    const script = await write.ipxe(plan, { mac, via: "http" });
    return /(initrd\/params-\w+)/.exec(script)?.[1] ?? "";
  };
  const names: string[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 0; number < 5000; number++) names.push(await nameFor(number));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  // Those, and the bundle's kernel and initramfs.
  expect(files.size).toBe(4096 + 2);
  expect(files.has(names[0] ?? "")).toBe(false);
  const last = files.get(names.at(-1) ?? "");
  const file = last && (await openVirtual(last, { via: "http", client: "10.77.0.9" }));
  expect(file?.size).toBeGreaterThan(big.length);
  await file?.close();
});
