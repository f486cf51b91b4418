import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/net.ts", "src/qmp.ts", "src/vitest.ts", "src/cli.ts"],
  format: "esm",
  target: "node22",
  dts: false,
});
