import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["packages/*", "tools"],
    // Left alone, vitest keeps one processor for itself, and of two cores uses one.
    maxWorkers: 2,
  },
});
