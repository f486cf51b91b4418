import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overrideRequests, requestsOf, valueOf } from "@justenough/kconfig";
import { composeFeatures } from "@justenough/kernel";
import { originIn } from "../src/bundle/refused-config.ts";
import { likelyOf, requiredOf } from "../src/minimize/required.ts";
import { loadSpec } from "../src/spec/load.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "justenough-required-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function startOf(
  text: string,
): Promise<{ required: Map<string, string>; likely: ReadonlySet<string> }> {
  const file = join(directory, "appliance.yaml");
  await writeFile(file, `name: a\nrun: sh\narch: x86_64\n${text}`);
  const loaded = await loadSpec(file);
  const { arch, kernel } = loaded.spec;
  const { features, presets, config } = kernel;
  const own = requestsOf(
    Object.fromEntries(Object.entries(config).map(([symbol, value]) => [symbol, valueOf(value)])),
    originIn(loaded.source, "config"),
  );
  const composed = composeFeatures(features, { arch, version: "6.12", presets });
  const start = { requests: overrideRequests(composed.requests, own) };
  const required = requiredOf(loaded, start);
  return {
    required: new Map(
      required.map(({ symbol, origin, location: at }) => [symbol, `${origin} ${at?.file}:${at?.line}`]),
    ),
    likely: likelyOf(loaded),
  };
}

test("what the spec names stays, and what makes it quiet; what it implies does not", async () => {
  const { required, likely } = await startOf(
    "forward: [80]\nkernel:\n  presets: [thp=always]\n  config:\n    HZ_100: y\n",
  );
  expect(required.get("HZ_100")).toBe("kernel.config appliance.yaml:8");
  expect(required.get("NO_HZ_IDLE")).toMatch(/^feature "quiet" features\/quiet.config:/);
  expect(required.get("TRANSPARENT_HUGEPAGE_ALWAYS")).toMatch(/^preset "thp=always"/);
  for (const symbol of ["VT", "EPOLL", "VIRTIO_NET"]) expect([...required.keys()]).not.toContain(symbol);
  expect(likely).toContain("VIRTIO_NET");
  expect(likely).not.toContain("VT");
});

test("a symbol of a feature that is named stays, also when an implied one wants it too", async () => {
  const { required } = await startOf(
    "forward: [80]\nkernel: { features: [initramfs-zstd, nvme], config: { PCI: y } }\n",
  );
  expect(required.get("RD_ZSTD")).toMatch(/^feature "initramfs-zstd" features\/initramfs-zstd.config:/);
  expect(required.get("PCI_MSI")).toMatch(/^feature "(pci|nvme)" /);
  expect(required.get("PCI")).toBe("kernel.config appliance.yaml:5");
  expect([...required.keys()]).not.toContain("RD_GZIP");
});
