import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    // Emulated guests are all processor: more at once than there are cores only makes each of them late.
    maxWorkers: 2,
  },
});
