import { expect, test } from "vitest";
import { KconfigError, formatRefusal, parseFragment, resolveConfig } from "../src/index.ts";
import type { TreeHost } from "../src/index.ts";

const KCONFIG = `mainmenu "Tree"

config MODULES
	bool "Modules"
	modules

config NET
	bool "Networking"

config TCP
	tristate "TCP"
	depends on NET

config NAME
	string "Name"
	default "box"

config TINY
	bool "Tiny"
	default y
`;

function host(files: Readonly<Record<string, string>> = {}): TreeHost {
  const all: Record<string, string> = { "/t/Kconfig": KCONFIG, ...files };
  return {
    env: { SRCARCH: "x86", KBUILD_DEFCONFIG: "x86_64_defconfig" },
    readFile: (path) => (all[path] === undefined ? undefined : new TextEncoder().encode(all[path])),
    shell: () => "",
  };
}

const wanted = (text: string) => parseFragment(text, { file: "wanted.config" }).requests;

test("with allnoconfig all that nobody names is off", async () => {
  const values = wanted("CONFIG_NET=y\nCONFIG_TCP=y\n");
  const { text, refusals } = await resolveConfig({ srctree: "/t", base: "allnoconfig", values }, host());
  expect(text).toBe(`#
# Automatically generated file; DO NOT EDIT.
# Tree
#
# CONFIG_MODULES is not set
CONFIG_NET=y
CONFIG_TCP=y
CONFIG_NAME="box"
# CONFIG_TINY is not set
`);
  expect(refusals).toEqual([]);
});

test("a request that does not take effect is refused with what it needs", async () => {
  const values = wanted("CONFIG_TCP=m\nCONFIG_NO_SUCH=y\nCONFIG_NTE=y\n");
  const { refusals, config } = await resolveConfig({ srctree: "/t", base: "allnoconfig", values }, host());
  expect(refusals.map(formatRefusal)).toEqual([
    '"TCP" should be m but is not set, wanted by wanted.config (wanted.config:1:1): TCP is n: it cannot be seen, and ' +
      "nothing selects it; TCP needs MODULES=y (Kconfig:3), NET=y (Kconfig:7)",
    '"NO_SUCH" should be y but is not set, wanted by wanted.config (wanted.config:2:1): There is no symbol "NO_SUCH"',
    '"NTE" should be y but is not set, wanted by wanted.config (wanted.config:3:1): There is no symbol "NTE". ' +
      'Did you mean "NET"?',
  ]);
  expect(config.values.get("NET")?.text).toBe("n");
});

test("a number out of its range is refused with the range, whatever conf made of it", async () => {
  const kconfig =
    'config LAST\n\tint\n\tdefault 64\n\nconfig NUMBER\n\tint "Number"\n\trange 1 LAST\n\tdefault 8\n';
  for (const generation of [1, 2, 3] as const) {
    const values = wanted("CONFIG_NUMBER=65\n");
    const { refusals } = await resolveConfig(
      { srctree: "/t", base: "allnoconfig", values, generation },
      host({ "/t/Kconfig": kconfig }),
    );
    expect(refusals.map(formatRefusal)).toEqual([
      '"NUMBER" should be 65 but is 64, wanted by wanted.config (wanted.config:1:1): ' +
        "65 is out of range: it goes from 1 to 64",
    ]);
  }
});

test("tinyconfig puts the tree's own choices before the requests", async () => {
  const files = {
    "/t/kernel/configs/tiny-base.config": "CONFIG_TINY=y\n",
    "/t/kernel/configs/tiny.config": 'CONFIG_NAME="tiny"',
    "/t/arch/x86/configs/tiny.config": "CONFIG_TCP=y\n",
  };
  const values = wanted("CONFIG_NET=y\n");
  const { config } = await resolveConfig({ srctree: "/t", base: "tinyconfig", values }, host(files));
  expect([...config.values].map(([name, { text }]) => `${name}=${text}`)).toEqual([
    "MODULES=n",
    "NET=y",
    "TCP=y",
    "NAME=tiny",
    "TINY=y",
  ]);
  await expect(resolveConfig({ srctree: "/t", base: "tinyconfig", values }, host())).rejects.toThrow(
    KconfigError,
  );
});

test("defconfig and a text of one's own are completed with defaults", async () => {
  const files = { "/t/arch/x86/configs/x86_64_defconfig": "CONFIG_NET=y\n" };
  const values = wanted('CONFIG_NAME="ä \\"b\\""\n');
  const { config } = await resolveConfig({ srctree: "/t", base: "defconfig", values }, host(files));
  expect(config.values.get("TINY")?.text).toBe("y");
  expect(config.values.get("NAME")?.text).toBe('ä "b"');
  const own = await resolveConfig({ srctree: "/t", base: { text: "CONFIG_TINY=n" }, values: [] }, host());
  expect(own.config.values.get("TINY")?.text).toBe("n");
  // arm64's and riscv's Makefile names none, so that the variable is exported empty.
  const unnamed = host({ "/t/arch/riscv/configs/defconfig": "CONFIG_NET=y\n" });
  const env = { SRCARCH: "riscv", KBUILD_DEFCONFIG: "" };
  const other = await resolveConfig({ srctree: "/t", base: "defconfig", values }, { ...unnamed, env });
  expect(other.config.values.get("NET")?.text).toBe("y");
  await expect(resolveConfig({ srctree: "/t", base: "defconfig", values }, host())).rejects.toThrow(
    "has no arch/x86/configs/x86_64_defconfig",
  );
});
