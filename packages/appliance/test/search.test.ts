import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadKconfig, parseConfig, shrink } from "@justenough/kconfig";
import type { Shrunk } from "@justenough/kconfig";
import { KernelError } from "@justenough/kernel";
import type { KernelTrials } from "@justenough/kernel";
import { openMemory } from "../src/minimize/memory.ts";
import { readSearch, writeSearch } from "../src/minimize/record.ts";
import { openSearch, type OpenSearch, type TestEvent } from "../src/minimize/search.ts";
import type { Trial } from "../src/minimize/trial.ts";
import { ENDED_WELL } from "./support/run-record.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "justenough-search-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const ALL = ["A", "B", "C", "D", "E", "F"];
const EXPECTED = {
  output: undefined,
  told: [],
  notes: [],
  patience: { firstOutput: 1, programStart: 1 },
  timeout: 1,
};

const onIn = (text: string): string =>
  [...parseConfig(text).values].flatMap(([name, value]) => (value.text === "y" ? [name] : [])).join("");

/** A search over six options, whose kernels are built and booted by functions that know what is on. */
async function searchOf(options: {
  readonly name: string;
  readonly passes: (on: string) => boolean;
  readonly build?: ((on: string) => void) | undefined;
  readonly tests?: number | undefined;
  readonly until?: number | undefined;
  readonly atOnce?: number | undefined;
}): Promise<{ search: OpenSearch; shrunk: () => Promise<Shrunk>; events: TestEvent[]; boots: string[] }> {
  const kconfig = ALL.map((name) => `config ${name}\n\tbool "${name}"\n\n`).join("");
  const readFile = (path: string): Uint8Array | undefined =>
    path === "/tree/Kconfig" ? new TextEncoder().encode(kconfig) : undefined;
  const tree = await loadKconfig({ srctree: "/tree", host: { env: {}, readFile, shell: () => "" } });
  tree.load(ALL.map((name) => `CONFIG_${name}=y\n`).join(""));
  const text = tree.configText();
  const boots: string[] = [];
  const events: TestEvent[] = [];
  const trials: KernelTrials = {
    tree,
    start: { config: parseConfig(text), text, requests: [], features: [], presets: [], boot: [], id: "x" },
    name: "x",
    atOnce: options.atOnce ?? 1,
    build: async (config) => {
      options.build?.(onIn(config));
      return { image: onIn(config), bytes: 1000, directory, [Symbol.dispose]: () => undefined };
    },
    keep: async () => undefined,
  };
  const boot = async (on: string, _expected: unknown, signal?: AbortSignal): Promise<Trial> => {
    boots.push(on);
    if (options.atOnce !== undefined) await setTimeout(5 + (boots.length % 3) * 10, undefined, { signal });
    const status = options.passes(on) ? 0 : 1;
    return { record: { ...ENDED_WELL, end: { kind: "exited", status } }, output: "", refused: undefined };
  };
  const path = join(directory, `${options.name}.json`);
  if ((await readSearch(path)) === undefined) {
    const start = { options: ALL.length, bytes: 2000 };
    await writeSearch(path, {
      format: 1,
      start,
      expected: EXPECTED,
      objects: [],
      used: [],
      curve: [],
      seconds: 0,
    });
  }
  const search = await openSearch({
    path,
    acceptance: options.name,
    memory: await openMemory(join(directory, `${options.name}.ndjson`), options.name),
    trials,
    boot,
    byOutput: true,
    used: new Set(),
    until: options.until ?? Date.now() + 60_000,
    tests: options.tests,
    onTest: (event) => events.push(event),
  });
  return {
    search,
    events,
    boots,
    shrunk: async () => {
      for (;;) {
        const found = await shrink({ tree, required: [], ...search.shrinking });
        if (await search.confirm(found.state)) return found;
      }
    },
  };
}

test("steps are taken back until one is good, whatever is left of the budget", async () => {
  // Passes once, and never again: what is smaller than five options.
  const seen = new Set<string>();
  const passes = (on: string): boolean => {
    const first = !seen.has(on);
    seen.add(on);
    return on.includes("A") && (on.length >= 5 || (on.length >= 3 && first));
  };
  const left: number[] = [];
  for (const tests of [4, 5, 9, 12]) {
    seen.clear();
    const { shrunk, events } = await searchOf({ name: `flaky-${tests}`, passes, tests });
    left.push(onIn((await shrunk()).state.text).length);
    expect(events.length).toBeLessThanOrEqual(tests);
  }
  // Of three steps the last two.
  expect(left).toEqual([6, 5, 5, 5]);
});

test("what made the result unsteady is what is taken back, not the options that went after it", async () => {
  const seen = new Set<string>();
  // Without B the second boot of a kernel fails.
  const passes = (on: string): boolean => {
    const first = !seen.has(on);
    seen.add(on);
    return on.includes("A") && (on.includes("B") || first);
  };
  const { shrunk, events } = await searchOf({ name: "unsteady", passes });
  const { state, untried } = await shrunk();
  expect(untried).toEqual([]);
  expect(onIn(state.text)).toBe("AB");
  expect(state.needed.map(({ symbol }) => symbol).sort()).toEqual(["A", "B"]);
  // Were only the last step taken back each time, each of the others would be tried again and again: 36.
  expect(events.length).toBeLessThan(20);
});

test("a search that is over tests nothing when it is started again, and has the same result", async () => {
  const passes = (on: string): boolean => on.includes("A") && on.includes("D");
  const { shrunk } = await searchOf({ name: "again", passes });
  const first = await shrunk();
  const { shrunk: shrunkAgain, events } = await searchOf({ name: "again", passes, until: 0 });
  expect(await shrunkAgain()).toEqual({ ...first, state: { ...first.state, tests: expect.any(Number) } });
  expect(events).toEqual([]);
});

test("a build that ended without a word from a compiler is tried once more", async () => {
  const killed = new Set<string>();
  const build = (on: string): void => {
    if (!on.includes("B")) {
      const diagnostics = [{ severity: "error", message: "no B", lines: ["no B"] }] as const;
      throw new KernelError("KERNEL_BUILD", "no B", { diagnostics });
    }
    if (killed.has(on)) return;
    killed.add(on);
    throw new KernelError("KERNEL_BUILD", "Killed");
  };
  const { shrunk } = await searchOf({ name: "killed", passes: () => true, build });
  const { state } = await shrunk();
  expect(onIn(state.text)).toBe("B");
  expect(state.needed.map(({ why }) => why)).toEqual(["the kernel does not build: no B"]);
});

test("an option is kept only when two boots without it fail", async () => {
  const failed = new Set<string>();
  const passes = (on: string): boolean => {
    if (!on.includes("A")) return false;
    // The first boot of each kernel fails, as on a host that is too busy for it.
    if (failed.has(on)) return true;
    failed.add(on);
    return on.length > 5;
  };
  const { shrunk } = await searchOf({ name: "busy", passes });
  const { state } = await shrunk();
  expect(onIn(state.text)).toBe("A");
  expect(state.needed.map(({ symbol }) => symbol)).toEqual(["A"]);
});

test("a search that goes on begins no test that takes as long as those before and would end too late", async () => {
  const passes = (on: string): boolean => on.includes("A");
  const { shrunk } = await searchOf({ name: "slow", passes, tests: 1 });
  await shrunk();
  const path = join(directory, "slow.json");
  const record = await readSearch(path);
  if (record === undefined) throw new Error("there is a record");
  await writeSearch(path, { ...record, seconds: 100 });
  for (const [seconds, some] of [
    [50, false],
    [150, true],
  ] as const) {
    const again = await searchOf({ name: "slow", passes, until: Date.now() + 1000 * seconds });
    await again.shrunk();
    expect(again.events.length > 0).toBe(some);
  }
});

test("several kernels at once find the same, no more than the budget has tests for, and all is written down", async () => {
  const passes = (on: string): boolean => on.includes("B") && on.includes("E");
  const { shrunk } = await searchOf({ name: "alone", passes });
  const alone = await shrunk();
  const few = await searchOf({ name: "together", passes, atOnce: 3, tests: 2 });
  await few.shrunk();
  expect(few.events.length).toBeLessThanOrEqual(2);
  const { shrunk: shrunkTogether, events } = await searchOf({ name: "together", passes, atOnce: 3 });
  const together = await shrunkTogether();
  expect({ ...together.state, tests: 0 }).toEqual({ ...alone.state, tests: 0 });
  expect(together.untried).toEqual([]);
  const { curve = [], state } = (await readSearch(join(directory, "together.json"))) ?? {};
  expect(curve).toHaveLength(few.events.length + events.length);
  expect(state?.text).toBe(together.state.text);
});
