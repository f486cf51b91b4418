import { defineConfig } from "vitest/config";

/** One boot at a time: two cores, and the figures of a boot should not depend on its neighbours. */
const slow = { testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "packed", include: ["packed/**/*.test.ts"], ...slow } },
      { test: { name: "boots", include: ["boots/**/*.test.ts"], ...slow } },
    ],
  },
});
