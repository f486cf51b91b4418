import { savedBytes, kernelSize, KernelError } from "@justenough/kernel";
import type { KernelTrials } from "@justenough/kernel";
import type { ShrinkOptions, ShrinkState, ShrinkStep, Verdict } from "@justenough/kconfig";
import { ApplianceError } from "../error.ts";
import { sha256 } from "../internal/canonical.ts";
import type { Memory } from "./memory.ts";
import { countOptions, readSearch, writeSearch, type SearchRecord } from "./record.ts";
import { faultOf, toldBy, type Expectation, type Trial } from "./trial.ts";

/** A test that was made. */
export interface TestEvent extends ShrinkStep {
  readonly number: number;
  readonly ok: boolean;
  readonly why?: string | undefined;
  /** Of the image; undefined when there is none. */
  readonly bytes: number | undefined;
  readonly seconds: number;
  /** Milliseconds of the budget that are left. */
  readonly left: number;
}

/** What a search is given. */
interface SearchContext {
  /** Where the record is kept. */
  readonly path: string;
  readonly acceptance: string;
  readonly memory: Memory;
  readonly trials: KernelTrials;
  /** Boots a kernel; undefined: what is to be expected of one is not known yet. */
  readonly boot: (image: string, expected: Expectation | undefined) => Promise<Trial>;
  /** The program's output tells whether it did its job. */
  readonly byOutput: boolean;
  /** Kept, for a search that is interrupted. */
  readonly used: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly tests: number | undefined;
  readonly onTest: ((event: TestEvent) => void) | undefined;
}

/** A search with all that it remembers. */
export interface OpenSearch {
  /** What shrink() is given beside tree and requirements; goes on from what is remembered. */
  readonly shrinking: Pick<ShrinkOptions, "from" | "test" | "saved" | "chance" | "onState" | "mayTest">;
  /** Boots the result some more times. When it fails once, steps are taken back until one does not, and the search is to go on. */
  readonly confirm: (state: ShrinkState) => Promise<boolean>;
  readonly bytesOf: (text: string) => Promise<number>;
  readonly record: () => SearchRecord;
}

const CONFIRMATIONS = 3;

/** Begins a search with the kernel that all starts from, or reads what an earlier one has found. */
export async function openSearch(context: SearchContext): Promise<OpenSearch> {
  const { path, acceptance, memory, trials, boot, until, tests, onTest } = context;
  const began = Date.now();
  let record = (await readSearch(path)) ?? (await beginSearch(context));
  const secondsBefore = record.seconds;
  const expected = record.expected;
  let made = 0;
  let spent = 0;
  let booted = 0;
  let built: string | undefined;
  const save = async (change: Partial<SearchRecord>): Promise<void> => {
    record = { ...record, ...change, seconds: Math.round(secondsBefore + (Date.now() - began) / 1000) };
    await writeSearch(path, record);
  };
  const build = async (text: string): Promise<{ image: string; bytes: number }> => {
    built = undefined;
    const kernel = await trials.build(text).catch((error: unknown) => {
      // No compiler has said what is wrong: it may have been killed, for want of memory say.
      if (!isUnbuildable(error) || error.diagnostics.length > 0) throw error;
      return trials.build(text);
    });
    built = text;
    return kernel;
  };

  const test = async (text: string, step: ShrinkStep): Promise<Verdict> => {
    const config = sha256(text);
    const known = memory.find(config, acceptance);
    if (known !== undefined) return verdictOf(known);
    const since = Date.now();
    let bytes: number | undefined;
    let why: string | undefined;
    let unbuildable: true | undefined;
    try {
      const kernel = await build(text);
      ({ bytes } = kernel);
      const before = Date.now();
      why = await faultOfKernel(kernel.image, boot, expected);
      booted += Date.now() - before;
    } catch (error) {
      if (!isUnbuildable(error)) throw error;
      unbuildable = true;
      why = `the kernel does not build: ${error.message.split("\n").slice(0, 2).join(" ")}`;
    }
    const ok = why === undefined;
    const { off, goes, options } = step;
    await memory.add({ config, acceptance, ok, why, unbuildable, bytes, off, goes });
    made++;
    spent += Date.now() - since;
    const seconds = Math.round((Date.now() - since) / 100) / 10;
    const point = {
      ok,
      options,
      bytes: bytes ?? 0,
      seconds: Math.round(secondsBefore + (Date.now() - began) / 1000),
    };
    await save({ curve: [...record.curve, point] });
    onTest?.({ ...step, number: record.curve.length, ok, why, bytes, seconds, left: until - Date.now() });
    return verdictOf({ ok, why });
  };

  const isSteady = async (text: string): Promise<boolean> => {
    const config = sha256(text);
    // A process that was killed may have come no further than to note it.
    if (memory.find(config, acceptance)?.ok === false) return false;
    const { image, bytes } = await build(text);
    for (let turn = 0; turn < CONFIRMATIONS; turn++) {
      const why = await faultOfResult(image, boot, expected);
      if (why === undefined) continue;
      await memory.add({ config, acceptance, ok: false, why, bytes, off: [], goes: [] });
      return false;
    }
    return true;
  };

  const bytesOf = async (text: string): Promise<number> => {
    const known = memory.find(sha256(text), acceptance)?.bytes;
    if (known !== undefined) return known;
    return text === trials.start.text ? record.start.bytes : (await build(text)).bytes;
  };

  return {
    record: () => record,
    bytesOf,
    get shrinking() {
      return {
        from: record.state ?? trials.start.text,
        test,
        saved: (symbols: readonly string[]) => savedBytes(record, symbols) + symbols.length,
        chance: memory.chance,
        onState: async (state: ShrinkState) => {
          const stepped = state.step !== (record.state?.step ?? 0);
          if (stepped && built === state.text) await trials.keep();
          const last = record.state === undefined ? [] : [record.state];
          await save({ state, ...(stepped ? { history: [...(record.history ?? []), ...last] } : {}) });
        },
        mayTest: (text: string) => {
          // What is remembered costs nothing.
          if (memory.find(sha256(text), acceptance) !== undefined) return true;
          if (tests !== undefined && made >= tests) return false;
          // In the end the result is booted some more times.
          const mean = made === 0 ? 0 : (spent + CONFIRMATIONS * booted) / made;
          return Date.now() + mean < until;
        },
      };
    },
    confirm: async (state) => {
      let good: ShrinkState | undefined = state;
      while (good !== undefined && good.step > 0 && !(await isSteady(good.text))) {
        const history: readonly ShrinkState[] = record.history ?? [];
        good = history.at(-1);
        await save({ state: good, history: history.slice(0, -1) });
      }
      if (good !== state && built !== undefined && built === good?.text) await trials.keep();
      return good === state;
    },
  };
}

function verdictOf({ ok, why }: { readonly ok: boolean; readonly why?: string | undefined }): Verdict {
  return ok ? { ok } : { ok, why: why ?? "it failed" };
}

function isUnbuildable(error: unknown): error is KernelError {
  return error instanceof KernelError && error.code === "KERNEL_BUILD";
}

/** What two boots of a kernel fail by, since one may have by a busy machine; undefined when the first or the second does not. */
async function faultOfKernel(
  image: string,
  boot: SearchContext["boot"],
  expected: Expectation,
): Promise<string | undefined> {
  const once = async (): Promise<string | undefined> => faultOf(await boot(image, expected), expected);
  return (await once()) === undefined ? undefined : once();
}

/** One boot of the result; another one only when time ran out. */
async function faultOfResult(
  image: string,
  boot: SearchContext["boot"],
  expected: Expectation,
): Promise<string | undefined> {
  const first = await boot(image, expected);
  const fault = await faultOf(first, expected);
  const { end } = first.record;
  if (fault === undefined || end?.kind !== "failed" || !end.timedOut) return fault;
  return faultOf(await boot(image, expected), expected);
}

/** Builds and boots the kernel that all starts from, twice, and learns what passing means. */
async function beginSearch({ path, trials, boot, byOutput, used }: SearchContext): Promise<SearchRecord> {
  const kernel = await trials.build(trials.start.text);
  await trials.keep();
  const { objects } = await kernelSize(kernel.directory);
  const nothing = { output: undefined, told: [], notes: [] };
  const boots = [];
  for (let turn = 0; turn < 2; turn++) {
    const one = await boot(kernel.image, undefined);
    const fault = await faultOf(one, { ...nothing, notes: one.record.notes });
    if (fault !== undefined) {
      const { end } = one.record;
      const endless =
        byOutput && end?.kind === "failed" && end.timedOut && one.record.times.start !== undefined;
      throw new ApplianceError(
        "APPLIANCE_NOT_MINIMAL",
        `The appliance does not pass before anything is turned off: ${fault}`,
        {
          hint: endless
            ? "a program that does not end needs a 'test' in the spec, which tells whether it does its job"
            : "make 'appliance run' succeed first",
        },
      );
    }
    boots.push(one);
  }
  const [first, second] = boots.map(({ output }) => output);
  const reports = boots.map(({ record: { report } }) => toldBy(report));
  const times = boots.map(({ record: { times } }) => ({ start: times.start ?? 0, end: times.end ?? 0 }));
  const slowest = (of: readonly number[]): number => Math.max(...of);
  const record: SearchRecord = {
    format: 1,
    start: { options: countOptions(trials.start.text), bytes: kernel.bytes },
    expected: {
      output: first === second && byOutput ? first : undefined,
      told: (reports[0] ?? []).filter((fact) => reports[1]?.includes(fact) === true),
      notes: boots.flatMap(({ record: { notes } }) => notes),
      patience: {
        firstOutput: 10_000 + 5 * slowest(times.map(({ start }) => start)),
        programStart: 10_000 + 10 * slowest(times.map(({ start }) => start)),
      },
      timeout: 30_000 + 10 * slowest(times.map(({ end }) => end)),
    },
    used: [...used],
    objects: objects.map(({ options, kept, text, data, bss }) => ({ options, kept, text, data, bss })),
    curve: [],
    seconds: 0,
  };
  await writeSearch(path, record);
  return record;
}
