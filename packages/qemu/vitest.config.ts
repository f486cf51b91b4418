import { defineConfig } from "vitest/config";

export default defineConfig({
  // All processors, and no more: emulated guests are all processor.
  test: { include: ["test/**/*.test.ts"], testTimeout: 30_000, maxWorkers: "100%" },
});
