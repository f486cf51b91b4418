import { printRequests } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { composeFeatures, defaultFeatures, listFeatures } from "../src/index.ts";

const names = listFeatures().map(({ name }) => name);

test("every feature says what it is for, and needs only features that exist on its architectures", () => {
  expect(names).toEqual(
    expect.arrayContaining(["base", "quiet", "serial", "screen", "net", "virtio", "modules"]),
  );
  const all = new Map(listFeatures().map((feature) => [feature.name, feature]));
  for (const feature of all.values()) {
    expect(feature.why, feature.name).toMatch(/^\S.{5,}/);
    for (const need of feature.needs) {
      expect(all.get(need)?.arch, `${feature.name} needs ${need}`).toEqual(
        expect.arrayContaining([...feature.arch]),
      );
    }
  }
});

test("all features together do not contradict each other", () => {
  expect(composeFeatures(names, { arch: "x86_64" }).requests.length).toBeGreaterThan(80);
});

test("the default features have neither network, disk nor modules", () => {
  const { features, requests } = composeFeatures(defaultFeatures("x86_64"), {
    arch: "x86_64",
    version: "6.12",
  });
  expect(features.map(({ name }) => name)).toEqual([
    "base",
    "quiet",
    "serial",
    "screen",
    "pci",
    "poweroff",
    "ptys",
  ]);
  const symbols = new Set(requests.map(({ symbol }) => symbol));
  for (const symbol of ["NET", "BLOCK", "MODULES"]) expect(symbols.has(symbol), symbol).toBe(false);
});

test("what a feature needs comes with it, before it and once", () => {
  const { features } = composeFeatures(["virtio", "net"], { arch: "x86_64" });
  expect(features.map(({ name }) => name)).toEqual([
    "net",
    "pci",
    "virtio-pci",
    "virtio-net",
    "virtio-blk",
    "virtio-rng",
    "virtio",
  ]);
});

test("symbols that a kernel does not have any more are left out", () => {
  const symbols = (version: string): string =>
    printRequests(composeFeatures(["base", "quiet"], { arch: "x86_64", version }).requests);
  expect(symbols("6.1")).toContain("CONFIG_BASE_FULL=y");
  expect(symbols("6.1")).toContain("CONFIG_RANDOM_TRUST_CPU=y");
  expect(symbols("6.9.3")).toContain("CONFIG_BASE_FULL=y");
  expect(symbols("6.10")).not.toContain("CONFIG_BASE_FULL=y");
  expect(symbols("6.12")).not.toContain("CONFIG_RANDOM_TRUST_CPU=y");
});

test("an architecture gets its own fragments only", () => {
  const text = printRequests(composeFeatures(["base"], { arch: "arm64" }).requests);
  expect(text).toContain("CONFIG_FUTEX=y");
  expect(text).not.toContain("CONFIG_64BIT=y");
  expect(() => composeFeatures(["screen"], { arch: "arm64" })).toThrow('"screen" does not exist on arm64');
});

test("an unknown feature is told with what was meant", () => {
  expect(() => composeFeatures(["nett"], { arch: "x86_64" })).toThrow(
    expect.objectContaining({
      code: "KERNEL_FEATURE",
      message: 'There is no feature "nett"',
      hint: 'Did you mean "net"?',
    }),
  );
});
