import { countSymbols, diffConfigs, parseConfig, printConfig, proveConfig } from "@justenough/kconfig";
import { beforeAll, expect, test } from "vitest";
import { configureKernel, listFeatures, referenceConfig } from "../src/index.ts";
import { DEBIAN } from "./support/debian.ts";
import { realTree } from "./support/real-source.ts";

// All results are in the default cache: only the first run on a machine asks conf.
beforeAll(realTree, 300_000);

const ONE = { timeout: 120_000 };

test(
  "the default configuration is complete, and what conf wrote is read and printed to the byte",
  ONE,
  async () => {
    const { config, text, features } = await configureKernel({ source: DEBIAN });
    expect(features).toContain("poweroff");
    expect(text).toMatch(
      /^#\n# Automatically generated file; DO NOT EDIT\.\n# Linux\/x86_64 6\.12\.\d+ Kernel Configuration\n/,
    );
    expect(printConfig(parseConfig(text))).toBe(text);
    expect(config.values.get("ACPI")?.text).toBe("y");
  },
);

test("the default configuration sets less than 35 % of what the kernel's own one sets", ONE, async () => {
  const own = countSymbols((await configureKernel({ source: DEBIAN })).config);
  const reference = countSymbols(await referenceConfig({ source: DEBIAN }));
  expect(reference.set).toBeGreaterThan(1400);
  expect(own.set / reference.set).toBeLessThan(0.35);
  expect(own.m).toBe(0);
});

// Each feature alone, on every architecture and version: feature-6.1.test.ts and feature-6.12.test.ts. BTF needs a tool
// that nothing else does.
test("all features together take effect", ONE, async () => {
  const features = listFeatures()
    .filter(({ name, arch }) => arch.includes("x86_64") && name !== "btf")
    .map(({ name }) => name);
  const { config, requests } = await configureKernel({ source: DEBIAN, features });
  expect(requests.length).toBeGreaterThan(200);
  // configureKernel has proved it; this looks without it.
  for (const { symbol, value } of requests) {
    expect(config.values.get(symbol)?.text ?? "n", symbol).toBe(value.text);
  }
});

test("values of the user win over features, strings survive conf's quoting", ONE, async () => {
  const hostname = String.raw`a "b" \c $d`;
  const config = {
    CONFIG_RD_GZIP: "n",
    KERNEL_ZSTD: "n",
    KERNEL_XZ: "y",
    DEFAULT_HOSTNAME: hostname,
    NR_CPUS: "1",
  };
  const { config: got } = await configureKernel({ source: DEBIAN, config });
  expect(got.values.get("RD_GZIP")?.text).toBe("n");
  expect(got.values.get("KERNEL_XZ")?.text).toBe("y");
  expect(got.values.get("DEFAULT_HOSTNAME")).toEqual({ kind: "string", text: hostname });
});

test("every symbol that does not take effect is in one error, with who asked for it", ONE, async () => {
  const config = { EXT4_FS: "y", NO_SUCH_THING: "3", NR_CPUS: "512", KERNEL_XZ: "y" };
  const failing = configureKernel({ source: DEBIAN, config, origin: "kernel.config in appliance.yaml" });
  await expect(failing).rejects.toMatchObject({ code: "KERNEL_CONFIG" });
  const { message } = (await failing.catch((error: unknown) => error)) as Error;
  expect(message.split("\n")[0]).toBe("4 symbols did not take effect:");
  expect(message).toContain(
    '"EXT4_FS" should be y but is not set, wanted by kernel.config in appliance.yaml',
  );
  expect(message).toContain('"NO_SUCH_THING" should be 3 but is not set');
  // Of a choice's members only one can be chosen; the feature is named with its file and line.
  expect(message).toMatch(
    /"KERNEL_ZSTD" should be y but is n, wanted by feature "base" \(features\/base\.x86_64\.config:\d+:1\)/,
  );
  expect(message).toContain('"NR_CPUS" should be 512 but is 1, wanted by kernel.config in appliance.yaml');
});

test("what requests depend on comes with them, as little as can be", ONE, async () => {
  const origin = "kernel.config in appliance.yaml";
  const plain = await configureKernel({ source: DEBIAN });
  const { config, text, requests } = await configureKernel({
    source: DEBIAN,
    config: { EXT4_FS: "y" },
    origin,
  });
  for (const symbol of ["EXT4_FS", "BLOCK", "JBD2"]) expect(config.values.get(symbol)?.text).toBe("y");
  expect(proveConfig(requests, config)).toEqual([]);
  expect(countSymbols(config).set).toBeLessThan(countSymbols(plain.config).set + 25);
  // The same again, from the cache.
  expect((await configureKernel({ source: DEBIAN, config: { EXT4_FS: "y" }, origin })).text).toBe(text);
  // Near a base that is a configuration.
  const near = await configureKernel({
    source: DEBIAN,
    features: [],
    base: { text: plain.text },
    config: { EXT4_FS: "y" },
  });
  const { added, removed } = diffConfigs(plain.config, near.config);
  expect(added.map(({ symbol }) => symbol)).toContain("EXT4_FS");
  expect(removed).toEqual([]);
});

test("requests that exclude each other are named, with what stands between them", ONE, async () => {
  const config = { EXT4_FS: "y", BLOCK: "n" };
  const failing = configureKernel({ source: DEBIAN, config, origin: "appliance.yaml" });
  await expect(failing).rejects.toMatchObject({
    code: "KERNEL_CONFIG",
    hint: expect.stringMatching(/^(EXT4_FS=y and BLOCK=n|BLOCK=n and EXT4_FS=y) exclude each other/),
    refusals: [{ symbol: "EXT4_FS" }],
  });
});

test("a value that a symbol's type does not have is refused like one that is out of reach", ONE, async () => {
  const failing = configureKernel({ source: DEBIAN, config: { NR_CPUS: "many" } });
  await expect(failing).rejects.toMatchObject({ code: "KERNEL_CONFIG", refusals: [{ symbol: "NR_CPUS" }] });
});

test("defconfig as a base keeps its symbols", ONE, async () => {
  const { config } = await configureKernel({
    source: DEBIAN,
    base: "defconfig",
    features: [],
    config: { PVPANIC: "y" },
  });
  expect(countSymbols(config).set).toBeGreaterThan(1400);
});

test("tinyconfig as a base makes the kernel's own small choices", ONE, async () => {
  const { config } = await configureKernel({ source: DEBIAN, base: "tinyconfig", features: [] });
  expect(config.values.get("CC_OPTIMIZE_FOR_SIZE")?.text).toBe("y");
  expect(config.values.get("SLUB_TINY")?.text).toBe("y");
});

test("an architecture that is not known is told at once", async () => {
  await expect(configureKernel({ source: DEBIAN, arch: "mips" as "arm64" })).rejects.toMatchObject({
    code: "KERNEL_ARCH",
  });
  await expect(configureKernel({ source: DEBIAN, config: { "A B": "y" } })).rejects.toThrow(
    '"A B" is no name',
  );
});
