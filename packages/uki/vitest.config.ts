import { defineConfig } from "vitest/config";

export default defineConfig({
  // All processors: left alone, vitest keeps one for itself, and of two uses one.
  test: { include: ["test/**/*.test.ts"], testTimeout: 30_000, maxWorkers: "100%" },
});
