import { expect, test } from "vitest";
import { explain, formatExplanation, loadKconfig } from "../src/index.ts";
import { smallHost } from "./small-tree.ts";

test("what depends on m is explained up to m", async () => {
  const text = `
config MODULES
	bool "Modules"
	modules

config NET
	tristate "Networking"

config SAMPLE
	tristate "Sample, a module only"
	depends on NET && m
`;
  const readFile = (path: string): Uint8Array | undefined =>
    path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined;
  const tree = await loadKconfig({ srctree: "/tree", host: smallHost({ readFile }) });
  const before = tree.configText();
  const explanation = explain(tree, "SAMPLE", "y");
  expect(explanation.reaches).toBe("m");
  expect(formatExplanation(explanation)).toBe(`SAMPLE is n: it cannot be seen, and nothing selects it

not met:
  NET  (NET is n: nothing sets it, and it has no default, Kconfig:6)
  MODULES  (MODULES is n: nothing sets it, and it has no default, Kconfig:2)

SAMPLE can be m at most. SAMPLE=m needs, first to last:
  MODULES=y  "Modules", Kconfig:2
  NET=y  "Networking", Kconfig:6`);
  for (const { symbol, value } of explanation.requires ?? []) tree.set(symbol, value);
  expect(tree.symbol("SAMPLE")?.assignable).toEqual(["n", "m"]);
  tree.reset();
  expect(tree.configText()).toBe(before);
});
