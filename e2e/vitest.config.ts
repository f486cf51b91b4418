import { defineConfig } from "vitest/config";

const slow = { testTimeout: 900_000, hookTimeout: 900_000 };

/** Guests that only have to come to the right end: two at a time, one for each of two cores. */
const PAIRS = [
  "agent",
  "cpio-kernel",
  "errors",
  "footprint",
  "foreign",
  "initramfs-members",
  "ktap",
  "oci",
  "presets",
  "pxe",
  "pxe-matrix",
  "shell",
  "uki",
].map((name) => `boots/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { test: { name: "packed", include: ["packed/**/*.test.ts"], ...slow, fileParallelism: false } },
      // The figures of these should not depend on neighbours; a kernel that is built takes all cores.
      {
        test: {
          name: "boots",
          include: ["boots/**/*.test.ts"],
          exclude: PAIRS,
          ...slow,
          fileParallelism: false,
        },
      },
      { test: { name: "pairs", include: PAIRS, ...slow, maxWorkers: 2 } },
    ],
  },
});
