import { mkdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configurePlan, planConfiguration } from "../src/configure.ts";
import { formatCondition, readKbuild, underConfiguration } from "../src/index.ts";
import type { BuiltTree, KbuildTree } from "../src/index.ts";
import { buildDirectories } from "./support/built-kernel.ts";
import { DEBIAN } from "./support/debian.ts";
import { classify, compareWithMake, objectsOf, valuesOf } from "./support/kbuild-check.ts";
import { realTree, scratchDirectory } from "./support/real-source.ts";

test.each([
  ["x86_64", 2500, "drivers/gpu/drm/i915/i915_driver.o"],
  ["arm64", 7000, "drivers/soc/qcom/llcc-qcom.o"],
] as const)(
  "the objects of %s's defconfig are those that make plans",
  { timeout: 300_000 },
  async (arch, least, one) => {
    const plan = await planConfiguration({ source: DEBIAN, arch, base: "defconfig", features: [] }, {});
    const { text } = await configurePlan(plan, {});
    const found = await compareWithMake(await realTree(), text, arch, await scratchDirectory());
    expect(found.make.size).toBeGreaterThan(least);
    expect(found.make).toContain(one);
    const { missing, extra, open, tree } = found;
    expect({ missing, extra, open }).toEqual({ missing: [], extra: [], open: [] });
    // What is left: names of files in the value of a symbol.
    for (const { text: why } of tree.notRead) expect(why).toContain("the value of a symbol");
  },
);

test("every object file of a build is found in the lists", { timeout: 1_800_000 }, async () => {
  const trees = new Map<string, KbuildTree>();
  for (const directory of await buildDirectories()) {
    const source = await readlink(join(directory, "source"));
    const kbuild = trees.get(source) ?? (await readKbuild(source, "x86"));
    trees.set(source, kbuild);
    const built = underConfiguration(kbuild, valuesOf(await readFile(join(directory, ".config"), "utf8")));
    const { symbol, always, unknown } = classify(kbuild, built, await objectsOf(directory));
    expect(unknown).toEqual([]);
    expect(symbol.length).toBeGreaterThan(100);
    expect(always).toContain("kernel/sched/core.o");
  }
});

/** Reads a tree of these files; the configuration is a list of symbols, `X=m` among them. */
async function read(
  files: Readonly<Record<string, string>>,
  config: readonly string[] = [],
): Promise<{ tree: KbuildTree; built: BuiltTree; options: (object: string) => string }> {
  const directory = await scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  const tree = await readKbuild(directory, "x86");
  const values = new Map<string, string>();
  for (const word of config) values.set(word.split("=")[0] ?? "", word.split("=")[1] ?? "y");
  const built = underConfiguration(tree, (name) => values.get(name) ?? "n");
  const options = (object: string): string => built.optionsOf(object).map(formatCondition).join(" > ");
  return { tree, built, options };
}

test("conditions come from lines, composite objects, directories and branches", async () => {
  const files = {
    Kbuild:
      "obj-y += a/ $(ARCH_DRIVERS)\nobj-$(CONFIG_B) += b/\nobj-y += arch/$(SRCARCH)/\nobj-y += $(ARCH_LIB)\n",
    "lib/Makefile": "lib-y := string.o\n",
    "arch/x86/Makefile": "drivers-$(CONFIG_PCI) += arch/x86/pci/\nlibs-y := arch/x86/lib/ $(libs-y)\n",
    "arch/x86/Kbuild": "obj-y += kernel.o\n",
    "arch/x86/lib/Makefile": "lib-y := copy.o\n",
    "arch/x86/pci/Makefile": "obj-y := early.o\n",
    "a/Makefile": `obj-y := always.o both.o
obj-$(CONFIG_BOTH) += both.o
obj-$(CONFIG_ON) += one.o two.o \\
	three.o
obj-$(CONFIG_WHOLE) += whole.o
whole-y := part.o
whole-$(CONFIG_PART) += more.o
whole-objs += old.o
ifdef CONFIG_INSIDE
	obj-$(CONFIG_ON) += inside.o
else ifeq ($(CONFIG_ON)$(CONFIG_PART),yy)
obj-y += outside.o
endif
obj-$(CONFIG_EITHER1) += either.o
obj-$(CONFIG_EITHER2) += either.o
obj-$(subst m,y,$(CONFIG_MODULE)) += subst.o
obj-$(or $(CONFIG_OFF),$(CONFIG_ON)) += or.o
obj-$(if $(filter y,$(CONFIG_OFF) $(CONFIG_ON)),y) += if.o
list = w.c
prefixed := $(addprefix sub/,x.o y.o)
obj-$(CONFIG_ON) += $(prefixed) $(patsubst %.c,%.o,z.c) $(list:.c=.o)
mmu := nommu.o
mmu-y := $(mmu)
mmu-$(CONFIG_ON) := on.o
obj-y += $(mmu-y)
target: always.o
	obj-y += recipe.o
`,
    "b/Makefile": "obj-y := b.o\nobj-m += own.o\nobj-$(CONFIG_C) += c/\n",
    "b/c/Kbuild": "lib-y := c.o\nobj-$(CONFIG_ON) += d.o\n",
  };
  const on = ["B=m", "ON", "WHOLE", "PART", "BOTH", "MODULE=m", "EITHER1", "EITHER2", "PCI", "C"];
  const { tree, built, options } = await read(files, on);
  expect(tree.notRead).toEqual([]);
  const wanted: Readonly<Record<string, string>> = {
    "a/always.o": "",
    "a/both.o": "",
    "a/one.o": "ON=y",
    "a/three.o": "ON=y",
    "a/whole.o": "WHOLE=y",
    "a/part.o": "WHOLE=y",
    "a/more.o": "WHOLE=y > PART=y",
    "a/old.o": "WHOLE=y",
    "a/outside.o": "!INSIDE && ON=y && PART=y",
    "a/either.o": "EITHER1=y || EITHER2=y",
    "a/subst.o": "MODULE",
    "a/or.o": "OFF=y || (ON=y && !OFF)",
    "a/if.o": "OFF=y || ON=y",
    "a/sub/y.o": "ON=y",
    "a/z.o": "ON=y",
    "a/w.o": "ON=y",
    "a/on.o": "ON=y",
    "arch/x86/pci/early.o": "PCI=y",
    "arch/x86/kernel.o": "",
    "arch/x86/lib/copy.o": "",
    "lib/string.o": "",
    "b/own.o": "B=m",
    "b/c/d.o": "",
  };
  for (const [object, text] of Object.entries(wanted)) expect(options(object), object).toBe(text);
  const as = (objects: readonly string[]): unknown[] => objects.map((object) => built.builtAs(object));
  expect(as(["a/one.o", "a/inside.o", "a/nommu.o", "a/recipe.o", "b/own.o", "b/b.o"])).toEqual([
    "y",
    "n",
    "n",
    "n",
    "m",
    "n",
  ]);
  // Built-in lists of a directory that is visited for its modules are nobody's.
  expect(built.builtAs("b/c/d.o")).toBe("n");
});

test("what is not understood is listed with its place, not guessed", async () => {
  const { tree, built } = await read({
    Makefile: "CC := cc\n",
    Kbuild: `obj-y += ok.o $(shell ls)
ifeq ($(CC),cc)
obj-y += maybe.o
endif
obj-y += $(addsuffix .gen.o,$(CONFIG_FILES))
`,
  });
  expect(tree.notRead).toEqual([
    { file: "Kbuild", line: 1, text: "obj-y: $(shell …)" },
    { file: "Kbuild", line: 5, text: "obj-y: names of files in the value of a symbol" },
  ]);
  expect(built.builtAs("maybe.o")).toBeUndefined();
  expect(built.builtAs("absent.o")).toBe("n");
});
