import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import {
  loadKconfig,
  parseConfig,
  printReasoned,
  reasonsFor,
  requestsOf,
  shrink,
  solve,
  valueOf,
} from "../../src/index.ts";
import type { ConfigRequest, KconfigTree, ShrinkOptions, ShrinkState, Verdict } from "../../src/index.ts";
import { loadKernelTree } from "../reference/loaded-tree.ts";

// What a small kernel has beside a console, and what one program may need of it.
const WANTED =
  "64BIT EXPERT BLK_DEV_INITRD BINFMT_ELF PRINTK TTY VT SERIAL_8250_CONSOLE SHMEM EPOLL NET UNIX PCI HIGH_RES_TIMERS";
const names = WANTED.split(" ");
let tree: KconfigTree;
let start: string;

const ask = (symbols: readonly string[]): readonly ConfigRequest[] =>
  requestsOf(Object.fromEntries(symbols.map((symbol) => [symbol, valueOf("y")])), "test");

const onIn = (text: string): Set<string> =>
  new Set([...parseConfig(text).values].flatMap(([name, { text: value }]) => (value === "y" ? [name] : [])));

beforeAll(async () => {
  ({ tree } = await loadKernelTree("6.12", "x86_64"));
  const solved = await solve(tree, ask(names));
  if (solved.kind === "unsolvable") throw new Error("it can be had");
  start = solved.text;
}, 300_000);

// A program that misses some options, and a log of what it was tried on.
function program(needs: readonly string[]): {
  readonly texts: string[];
  readonly test: (text: string) => Promise<Verdict>;
} {
  const texts: string[] = [];
  return {
    texts,
    test: async (text) => {
      if (!texts.includes(text)) texts.push(text);
      const on = onIn(text);
      const missing = needs.filter((name) => !on.has(name));
      return missing.length === 0 ? { ok: true } : { ok: false, why: `no ${missing.join(", ")}` };
    },
  };
}

// By the engine alone: each option that could be turned off is missed then, by the test or by what is required.
function superfluous(text: string, needs: readonly string[]): readonly string[] {
  tree.load(text);
  return [...onIn(text)].filter((name) => {
    if (tree.symbol(name)?.assignable.includes("n") !== true) return false;
    const before = tree.symbol(name)?.userValue;
    tree.set(name, "n");
    const on = onIn(tree.configText());
    tree.set(name, before);
    return on.size < onIn(text).size && needs.every((need) => on.has(need));
  });
}

const NEEDS = ["BINFMT_ELF", "SERIAL_8250_CONSOLE", "EPOLL"];

test("what a program needs stays, all else goes, and each configuration that was tried is valid", async () => {
  const { texts, test: judge } = program(NEEDS);
  const required = ask(["HIGH_RES_TIMERS"]);
  const { state, untried } = await shrink({ tree, from: start, required, test: judge });
  const on = onIn(state.text);
  expect(NEEDS.filter((name) => !on.has(name))).toEqual([]);
  expect(on).toContain("HIGH_RES_TIMERS");
  expect(names.filter((name) => on.has(name)).sort()).toEqual(
    [...NEEDS, "64BIT", "EXPERT", "HIGH_RES_TIMERS", "TTY"].sort(),
  );
  expect(untried).toEqual([]);
  expect(superfluous(state.text, [...NEEDS, "HIGH_RES_TIMERS"])).toEqual([]);
  expect(state.needed.map(({ symbol }) => symbol)).toEqual(expect.arrayContaining(NEEDS));
  const lines = reasonsFor(tree, { state, untried, required });
  tree.load(printReasoned(lines));
  expect(tree.configText()).toBe(state.text);
  const why = new Map(lines.map((line) => [line.symbol, line.why]));
  expect(why.get("EPOLL")).toBe("removing it: no EPOLL");
  expect(why.get("TTY")).toMatch(/^needed by (SERIAL_8250, )?SERIAL_8250_CONSOLE$/);
  expect(why.get("HIGH_RES_TIMERS")).toBe("required by test");
  for (const text of texts) {
    tree.load(text);
    expect(tree.configText()).toBe(text);
  }
  // One by one it would be as many as there are options that may go.
  expect(texts.length).toBeLessThan(20);
}, 120_000);

test("a budget that ends leaves the best so far, and says what it had no time for", async () => {
  const { texts, test: judge } = program(NEEDS);
  const { state, untried } = await shrink({
    tree,
    from: start,
    required: [],
    test: judge,
    mayTest: () => texts.length < 3,
  });
  expect(texts.length).toBe(3);
  expect(await program(NEEDS).test(state.text)).toEqual({ ok: true });
  expect(untried.length).toBeGreaterThan(0);
}, 120_000);

// Sixty options in a small tree: a third of them depend on others.
const SIXTY = Array.from({ length: 60 }, (_, index) => {
  const above = index % 3 === 2 ? `\tdepends on O${index - 2}\n` : "";
  return `config O${index}\n\tbool "Option ${index}"\n${above}\n`;
}).join("");
const ALL = Array.from({ length: 60 }, (_, index) => `CONFIG_O${index}=y\n`).join("");
const FEW = ["O5", "O12", "O31", "O59"];

function smallTree(text: string): Promise<KconfigTree> {
  return loadKconfig({
    srctree: "/tree",
    host: {
      env: {},
      readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
      shell: () => "",
    },
  });
}

test("odds that are right save tests", async () => {
  const small = await smallTree(SIXTY);
  const run = async (chance?: (symbol: string) => number): Promise<number> => {
    const { texts, test: judge } = program(FEW);
    const { untried } = await shrink({ tree: small, from: ALL, required: [], test: judge, chance });
    expect(untried).toEqual([]);
    return texts.length;
  };
  const [plain, told] = [await run(), await run((symbol) => (FEW.includes(symbol) ? 0.9 : 0.01))];
  // All the rest at once, and each that is needed alone.
  expect(told).toBe(1 + FEW.length);
  expect(plain).toBeLessThan(60);
});

test("stopped after any test, it goes on from its state and ends at the same", async () => {
  const small = await smallTree(SIXTY);
  const whole = program(FEW);
  const { state: end } = await shrink({ tree: small, from: ALL, required: [], test: whole.test });
  expect([...onIn(end.text)].sort()).toEqual([...FEW, "O3", "O57"].sort());
  for (let stopAfter = 0; stopAfter < whole.texts.length; stopAfter += 4) {
    let kept: ShrinkState | undefined;
    const { texts, test: judge } = program(FEW);
    const onState = (state: ShrinkState): void => {
      kept = JSON.parse(JSON.stringify(state)) as ShrinkState;
    };
    const killed: ShrinkOptions["test"] = async (text) => {
      if (texts.length === stopAfter) throw new Error("killed");
      return judge(text);
    };
    const first = shrink({ tree: small, from: ALL, required: [], test: killed, onState });
    await expect(first).rejects.toThrow("killed");
    const { state, untried } = await shrink({ tree: small, from: kept ?? ALL, required: [], test: judge });
    expect(untried).toEqual([]);
    expect(state.text).toBe(end.text);
  }
});

test("several tests at once find the same, most of them before they are asked for", async () => {
  const small = await smallTree(SIXTY);
  const alone = program(FEW);
  const one = await shrink({ tree: small, from: ALL, required: [], test: alone.test });
  for (const parallel of [2, 4]) {
    const { test: judge } = program(FEW);
    const [running, waits] = [new Set<string>(), new Set<string>()];
    let most = 0;
    const slow: ShrinkOptions["test"] = async (text, _step, signal) => {
      if (running.size === 0) waits.add(text);
      running.add(text);
      most = Math.max(most, running.size);
      await setTimeout(50, undefined, { signal }).finally(() => running.delete(text));
      return judge(text);
    };
    const found = await shrink({ tree: small, from: ALL, required: [], test: slow, parallel });
    expect(found).toEqual(one);
    expect(most).toBe(parallel);
    expect(waits.size).toBeLessThan(0.8 * alone.texts.length);
    expect(running.size).toBe(0);
  }
}, 60_000);

test("when a test throws, the others have ended before it is told", async () => {
  const small = await smallTree(SIXTY);
  let [running, begun] = [0, 0];
  const test: ShrinkOptions["test"] = async (_text, _step, signal) => {
    begun++;
    if (begun === 1) {
      await setTimeout(300);
      throw new Error("no disk");
    }
    running++;
    await setTimeout(60_000, undefined, { signal }).finally(() => running--);
    return { ok: true };
  };
  const options = { tree: small, from: ALL, required: [], test, parallel: 3 };
  await expect(shrink(options)).rejects.toThrow("no disk");
  expect([begun, running]).toEqual([3, 0]);
});

test("what is known already is asked for when the budget has ended", async () => {
  const small = await smallTree(SIXTY);
  const { texts, test: judge } = program(FEW);
  const first = await shrink({
    tree: small,
    from: ALL,
    required: [],
    test: judge,
    mayTest: () => texts.length < 12,
  });
  const again = await shrink({
    tree: small,
    from: ALL,
    required: [],
    test: judge,
    mayTest: (text) => texts.includes(text),
  });
  expect(again).toEqual(first);
  expect(texts).toHaveLength(12);
});

test("of two options of which one is needed, one stays, and it is tried again when things have changed", async () => {
  const text =
    'config A\n\tbool "A"\n\nconfig B\n\tbool "B"\n\nconfig C\n\tbool "C"\n\tdepends on A\n\nconfig D\n\tbool "D"\n\tdefault y\n';
  const small = await smallTree(text);
  // C is missed only as long as D is there, which goes later.
  const judge: ShrinkOptions["test"] = async (config) => {
    const on = onIn(config);
    const good = (on.has("A") || on.has("B")) && (on.has("C") || !on.has("D"));
    return good ? { ok: true } : { ok: false, why: "missed" };
  };
  const { state, untried } = await shrink({
    tree: small,
    from: "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\nCONFIG_D=y\n",
    required: [],
    test: judge,
    // C alone first.
    chance: (symbol) => ({ C: 0.6, A: 0.8, B: 0.7, D: 0.75 })[symbol] ?? 0,
  });
  expect(untried).toEqual([]);
  expect([...onIn(state.text)]).toHaveLength(1);
});
