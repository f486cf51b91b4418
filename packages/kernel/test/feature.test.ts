import { printRequests } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { composeFeatures, defaultFeatures, listFeatures } from "../src/index.ts";
import type { Arch } from "../src/index.ts";

const names = listFeatures().map(({ name }) => name);

test("every feature says what it is for, and needs only features that exist on its architectures", () => {
  expect(names).toEqual(
    expect.arrayContaining(["base", "quiet", "serial", "screen", "net", "virtio", "modules"]),
  );
  for (const { name, why, arch } of listFeatures()) {
    expect(why, name).toMatch(/^\S.{5,}/);
    for (const one of arch)
      expect(() => composeFeatures([name], { arch: one }), `${name}, ${one}`).not.toThrow();
  }
});

test("a file is named after its feature, and after what makes it differ from the feature's others", () => {
  for (const { name, fragments } of listFeatures()) {
    for (const { file } of fragments)
      expect(file).toMatch(new RegExp(`^features/${name}(\\.\\w+)?\\.config$`));
  }
});

test.each(["x86_64", "arm64", "riscv64"] as const)(
  "there is a feature for all that appliances need on %s",
  (arch) => {
    const found = listFeatures()
      .filter((feature) => feature.arch.includes(arch))
      .map(({ name }) => name);
    const wanted =
      "base quiet serial poweroff ptys initramfs-gzip initramfs-bzip2 initramfs-lzma initramfs-xz initramfs-lzo " +
      "initramfs-lz4 initramfs-zstd virtio virtio-mmio virtio-console virtio-scsi virtio-vsock virtio-gpu virtiofs net " +
      "ipv6 ip-autoconf netfilter fs-ext4 fs-squashfs fs-erofs fs-overlay 9p nfs-root nvme ahci usb-storage e1000e igb " +
      "ixgbe r8169 mlx5 efi efi-framebuffer smp high-res-timers cgroups namespaces perf ftrace osnoise bpf btf kexec " +
      "pvpanic debug";
    expect(found).toEqual(expect.arrayContaining(wanted.split(" ")));
  },
);

test("what a feature needs on one architecture does not come on another", () => {
  const needs = (arch: Arch): string[] =>
    composeFeatures(["poweroff"], { arch }).features.map(({ name }) => name);
  expect(needs("x86_64")).toEqual(["pci", "poweroff"]);
  expect(needs("arm64")).toEqual(["poweroff"]);
  expect(defaultFeatures("riscv64")).not.toContain("screen");
});

test.each(["x86_64", "arm64", "riscv64"] as const)(
  "all features together do not contradict on %s",
  (arch) => {
    const names = listFeatures()
      .filter((feature) => feature.arch.includes(arch))
      .map(({ name }) => name);
    expect(composeFeatures(names, { arch }).requests.length).toBeGreaterThan(200);
  },
);

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
