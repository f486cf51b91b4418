import { expect, test } from "vitest";
import { formatUnsolvable, KconfigError, loadKconfig, parseFragment, solve } from "../../src/index.ts";
import type { KconfigTree, SolveOptions } from "../../src/index.ts";

const KCONFIG = `mainmenu "Tree"

config MODULES
	bool "Modules"
	modules

config NET
	bool "Networking"

config INET
	bool "Internet"
	depends on NET
	imply DIAG

config DIAG
	bool "Diagnosis"
	depends on NET

config TCP
	tristate "TCP"
	depends on INET
	select HASH

config HASH
	bool

config CARD
	tristate "Card"
	depends on BUS_A || BUS_B

config BUS_A
	bool "Bus A"
	select HASH

config BUS_B
	bool "Bus B"

choice
	prompt "Clock"
	default SLOW

config SLOW
	bool "Slow"

config FAST
	bool "Fast"
	depends on NET

endchoice

config CPUS
	int "Processors"
	range 1 8 if !NET
	range 1 512
	default 4

config BIG
	bool
	default y if CPUS >= 64

config NAME
	string "Name"
	default "box"

config HAVE_NOT
	bool
`;

async function treeOf(text = KCONFIG): Promise<KconfigTree> {
  return await loadKconfig({
    srctree: "/t",
    host: {
      env: {},
      readFile: (path) => (path === "/t/Kconfig" ? new TextEncoder().encode(text) : undefined),
      shell: () => "",
    },
    generation: 2,
  });
}

async function solved(wanted: string, options: SolveOptions = {}, tree?: KconfigTree): Promise<string> {
  const requests = parseFragment(wanted, { file: "wanted.config" }).requests;
  const found = await solve(tree ?? (await treeOf()), requests, options);
  if (found.kind === "unsolvable") return formatUnsolvable(found);
  const on = found.text.split("\n").filter((line) => line.startsWith("CONFIG_"));
  return `${on.map((line) => line.slice(7)).join(" ")}; ${found.weight} of ${found.bound}`;
}

test("what is wanted comes with what it needs, and nothing else", async () => {
  expect(await solved("")).toBe('SLOW=y CPUS=4 NAME="box"; 1 of 1');
  expect(await solved("CONFIG_TCP=y\n")).toBe('NET=y INET=y TCP=y HASH=y SLOW=y CPUS=4 NAME="box"; 5 of 5');
  expect(await solved("CONFIG_TCP=m\n")).toContain("MODULES=y NET=y INET=y TCP=m HASH=y");
  expect(await solved("CONFIG_FAST=y\n")).toBe('NET=y FAST=y CPUS=4 NAME="box"; 2 of 2');
  expect(await solved("CONFIG_HASH=y\n")).toBe('HASH=y BUS_A=y SLOW=y CPUS=4 NAME="box"; 3 of 3');
});

test("of several ways the one with the least weight is taken", async () => {
  expect(await solved("CONFIG_CARD=y\n")).toContain("CARD=y BUS_B=y SLOW");
  const weights = new Map([["BUS_B", 5]]);
  expect(await solved("CONFIG_CARD=y\n", { weights })).toContain("HASH=y CARD=y BUS_A=y SLOW");
  expect(await solved("CONFIG_CARD=y\n", { weights: (symbol) => (symbol === "BUS_A" ? 0 : 1) })).toContain(
    "CARD=y BUS_B=y SLOW=y",
  );
  await expect(solved("", { weights: () => 0.5 })).rejects.toThrow(
    'The weight of "MODULES" is no whole number: 0.5',
  );
  await expect(solved("", { weights: () => Number.MAX_SAFE_INTEGER })).rejects.toThrow(
    "is more than 2147483648",
  );
});

test("numbers and strings stay what they are, unless it takes another", async () => {
  expect(await solved("CONFIG_BIG=y\n")).toMatch(/^NET=y SLOW=y CPUS=(64|65) BIG=y/);
  expect(await solved("CONFIG_CPUS=100\n")).toBe('NET=y SLOW=y CPUS=100 BIG=y NAME="box"; 103 of 103');
  expect(await solved('CONFIG_NAME="ä \\"b\\""\nCONFIG_CPUS=3\n')).toBe(
    'SLOW=y CPUS=3 NAME="ä \\"b\\""; 201 of 201',
  );
  expect(await solved("CONFIG_CPUS=600\n")).toBe(`This cannot be, whatever else is set:
  CPUS=600, wanted by wanted.config (wanted.config:1:1)

because:
  CPUS has the range 1 to 8 if !NET, Kconfig:53
  CPUS has the range 1 to 512, Kconfig:54`);
});

test("a number that nobody chose is its default, also where another would turn less on", async () => {
  const tree = await treeOf(`config SMP
	bool "SMP"

config NR_CPUS
	int "Processors" if SMP
	range 2 512 if SMP
	default 64 if SMP
	default 1

config SPLIT
	def_bool NR_CPUS >= 4
`);
  expect(await solved("CONFIG_SMP=y\n", {}, tree)).toBe("SMP=y NR_CPUS=64 SPLIT=y; 2 of 2");
  const base = { text: "# CONFIG_SMP is not set\nCONFIG_NR_CPUS=1\n" };
  expect(await solved("CONFIG_SMP=y\n", { base }, tree)).toContain("SMP=y NR_CPUS=64 SPLIT=y;");
  expect(await solved("CONFIG_SMP=y\n# CONFIG_SPLIT is not set\n", {}, tree)).toMatch(/^SMP=y NR_CPUS=[23];/);
});

test("a base stays as it is where nothing asks for another", async () => {
  const base = { text: 'CONFIG_NET=y\nCONFIG_FAST=y\nCONFIG_CPUS=70\nCONFIG_NAME="mine"\n' };
  expect(await solved("CONFIG_CARD=y\n", { base })).toBe(
    'NET=y CARD=y BUS_B=y FAST=y CPUS=70 BIG=y NAME="mine"; 2 of 2',
  );
  expect(await solved("# CONFIG_NET is not set\n", { base })).toMatch(
    /^SLOW=y CPUS=4 NAME="mine"; 104 of 104$/,
  );
});

test("wishes are kept as far as they can be", async () => {
  const wishes = "CONFIG_NET=y\nCONFIG_INET=y\nCONFIG_TCP=y\nCONFIG_BUS_A=y\n# CONFIG_BUS_B is not set\n";
  expect(await solved("CONFIG_CARD=y\n", { base: { wishes } })).toContain(
    "NET=y INET=y TCP=y HASH=y CARD=y BUS_A=y SLOW",
  );
  const tree = await treeOf();
  const { requests } = parseFragment("# CONFIG_INET is not set\n", { file: "no.config" });
  const found = await solve(tree, requests, { base: { wishes } });
  expect(found).toMatchObject({ kind: "solved", dropped: [{ symbol: "INET" }, { symbol: "TCP" }] });
});

test("what cannot be is told with all that it takes, and why", async () => {
  expect(await solved("# CONFIG_NET is not set\nCONFIG_CARD=y\nCONFIG_TCP=y\n")).toBe(
    `These cannot be met together, while any of them left out the others can:
  NET=n, wanted by wanted.config (wanted.config:1:3)
  TCP=y, wanted by wanted.config (wanted.config:3:1)

because:
  TCP=y needs INET, Kconfig:19
  INET needs NET, Kconfig:10
  NET is to be n (wanted.config), wanted.config:1`,
  );
  expect(await solved("CONFIG_FAST=y\nCONFIG_SLOW=y\n")).toContain(
    'FAST and SLOW exclude each other in "Clock", Kconfig:45\n  SLOW is to be y',
  );
  expect(await solved("CONFIG_HAVE_NOT=y\n")).toContain(
    "HAVE_NOT cannot be set: it has no prompt, and nothing selects it",
  );
  expect(await solved("CONFIG_BUS_A=y\n# CONFIG_HASH is not set\n")).toContain(
    "HASH is selected by BUS_A, Kconfig:24\n  BUS_A is to be y",
  );
  expect(await solved("CONFIG_TCP=m\n# CONFIG_MODULES is not set\n")).toContain(
    "TCP=m needs MODULES, Kconfig:19",
  );
});

test("the same is answered again, whatever was asked in between", async () => {
  const tree = await treeOf();
  const asked = ["CONFIG_CARD=y\n", "CONFIG_HASH=y\n", "CONFIG_BIG=y\n", "CONFIG_CPUS=600\n"];
  const first: string[] = [];
  for (const one of asked) first.push(await solved(one, {}, tree));
  for (const [index, one] of [...asked.entries()].reverse())
    expect(await solved(one, {}, tree)).toBe(first[index]);
  for (const [index, one] of asked.entries()) expect(await solved(one)).toBe(first[index]);
});

test("a value that no symbol has is an error; n of a symbol that is not there is none", async () => {
  await expect(solved("CONFIG_TPC=y\n")).rejects.toThrow('There is no symbol "TPC"');
  await expect(solved("CONFIG_NET=m\n")).rejects.toThrow('"m" is no value for "NET", which is bool');
  await expect(solved('CONFIG_NET="constructor"\n')).rejects.toThrow('"constructor" is no value for "NET"');
  await expect(solved('CONFIG_CPUS="x"\n')).rejects.toThrow(KconfigError);
  expect(await solved("# CONFIG_TPC is not set\n")).toContain("SLOW=y");
});

test("reasons end where there is no more to say, and say nothing of what was only granted", async () => {
  const tree = await treeOf(`
config MODULES
	bool "Modules"
	modules

config P
	bool "P"

config Q
	bool "Q"
	depends on !P

config A
	bool "A"
	depends on P && Q

config R
	bool "R"
	depends on !P && NOWHERE

config EITHER
	bool "Either"
	depends on A || R

config AT_MOST
	tristate "At most m"
	depends on m

config WHOLE
	bool "Whole"
	depends on AT_MOST=y

config COUNT
	int "Count"
	range 1 10

config MANY
	bool "Many"
	depends on COUNT > 20
`);
  const because = async (wanted: string): Promise<readonly string[]> => {
    const { requests } = parseFragment(wanted);
    const found = await solve(tree, requests);
    return found.kind === "solved" ? [] : found.reasons.map(({ text }) => text);
  };
  expect(await because("CONFIG_EITHER=y\n")).toEqual([
    "EITHER needs A || R",
    "A needs P and Q, which exclude each other here",
    "Q needs !P",
    "R needs NOWHERE",
    "NOWHERE is defined nowhere in this tree",
  ]);
  expect(await because("CONFIG_WHOLE=y\n")).toEqual([
    "WHOLE needs AT_MOST=y",
    "AT_MOST can be m at most: it needs m",
  ]);
  expect(await because("CONFIG_MANY=y\n")).toEqual(["MANY needs COUNT>20", "COUNT has the range 1 to 10"]);
  expect(await because("CONFIG_P=y\nCONFIG_Q=y\n")).toEqual(["Q needs !P", "P is to be y (fragment)"]);
});
