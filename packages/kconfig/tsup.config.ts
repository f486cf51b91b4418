import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", "node/index": "src/node/index.ts", cli: "src/cli.ts" },
  format: "esm",
  target: "node22",
  dts: false,
});
