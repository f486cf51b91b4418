import { defineConfig } from "vitest/config";

export default defineConfig({
  // Each package says for itself how many workers it takes: projects inherit nothing from here.
  test: { projects: ["packages/*", "tools"] },
});
