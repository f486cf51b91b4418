import { expect, test } from "vitest";
import { workspacePackages } from "../src/workspace.ts";

/** The layers of ARCHITECTURE.md, lowest first: a package imports only from layers below its own. */
const layers: readonly (readonly string[])[] = [
  ["kconfig", "cpio", "elf", "uki"],
  ["initramfs", "kernel", "qemu", "pxe"],
  ["appliance"],
];

const layerOf = (name: string): number =>
  layers.findIndex((layer) => layer.includes(name.replace("@justenough/", "")));

test("each package has a layer", () => {
  const missing = workspacePackages().filter(({ folder }) => layerOf(folder) < 0);
  expect(missing.map(({ folder }) => folder)).toEqual([]);
});

test("a package depends only on layers below its own", () => {
  const wrong = workspacePackages().flatMap(({ folder, manifest }) =>
    Object.keys(manifest.dependencies ?? {})
      .filter((name) => name.startsWith("@justenough/") && layerOf(name) >= layerOf(folder))
      .map((name) => `${folder} -> ${name}`),
  );
  expect(wrong).toEqual([]);
});

/** The one need that is no format: kconfig loads it when something is to be solved, and at no other time. */
const SOLVER = "kconfig -> cadical-wasm";

test("format packages depend on nothing but a solver", () => {
  const found = workspacePackages()
    .filter(({ folder }) => layerOf(folder) === 0)
    .flatMap(({ folder, manifest }) =>
      Object.keys(manifest.dependencies ?? {}).map((name) => `${folder} -> ${name}`),
    );
  expect(found).toEqual([SOLVER]);
});
