import { savedBytes, kernelSize, KernelError } from "@justenough/kernel";
import type { KernelTrials, TrialKernel } from "@justenough/kernel";
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
  readonly boot: (image: string, expected: Expectation | undefined, signal?: AbortSignal) => Promise<Trial>;
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
  readonly shrinking: Pick<
    ShrinkOptions,
    "from" | "test" | "parallel" | "saved" | "chance" | "onState" | "mayTest"
  >;
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
  const before = await readSearch(path);
  let record = before ?? (await beginSearch(context));
  if (before === undefined) await trials.keep(trials.start.text);
  const secondsBefore = record.seconds;
  // Of those that were made before.
  const usual = record.curve.length === 0 ? 0 : (1000 * secondsBefore) / record.curve.length;
  const expected = record.expected;
  let begun = 0;
  let made = 0;
  let spent = 0;
  let booted = 0;
  let saved: Promise<void> = Promise.resolve();
  const save = (change: Partial<SearchRecord>): Promise<void> => {
    record = { ...record, ...change, seconds: Math.round(secondsBefore + (Date.now() - began) / 1000) };
    const now = record;
    // Tests that end at once write one after the other.
    saved = saved.then(() => writeSearch(path, now));
    return saved;
  };
  const build = (text: string, signal?: AbortSignal): Promise<TrialKernel> =>
    trials.build(text, signal).catch((error: unknown) => {
      // No compiler has said what is wrong: it may have been killed, for want of memory say.
      if (!isUnbuildable(error) || error.diagnostics.length > 0) throw error;
      return trials.build(text, signal);
    });

  const test = async (text: string, step: ShrinkStep, signal: AbortSignal): Promise<Verdict> => {
    const config = sha256(text);
    const known = memory.find(config, acceptance);
    if (known !== undefined) return verdictOf(known);
    const since = Date.now();
    begun++;
    let bytes: number | undefined;
    let why: string | undefined;
    let unbuildable: true | undefined;
    try {
      using kernel = await build(text, signal);
      ({ bytes } = kernel);
      const built = Date.now();
      why = await faultOfKernel(() => boot(kernel.image, expected, signal), expected);
      booted += Date.now() - built;
    } catch (error) {
      if (signal.aborted) begun--;
      if (signal.aborted || !isUnbuildable(error)) throw error;
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
    using kernel = await build(text);
    const { image, bytes } = kernel;
    for (let turn = 0; turn < CONFIRMATIONS; turn++) {
      const why = await faultOfResult(() => boot(image, expected), expected);
      if (why === undefined) continue;
      await memory.add({ config, acceptance, ok: false, why, bytes, off: [], goes: [] });
      return false;
    }
    return true;
  };

  const bytesOf = async (text: string): Promise<number> => {
    const known = memory.find(sha256(text), acceptance)?.bytes;
    if (known !== undefined) return known;
    if (text === trials.start.text) return record.start.bytes;
    using kernel = await build(text);
    return kernel.bytes;
  };

  return {
    record: () => record,
    bytesOf,
    get shrinking() {
      return {
        from: record.state ?? trials.start.text,
        test,
        parallel: trials.atOnce,
        saved: (symbols: readonly string[]) => savedBytes(record, symbols) + symbols.length,
        chance: memory.chance,
        onState: async (state: ShrinkState) => {
          const stepped = state.step !== (record.state?.step ?? 0);
          if (stepped) await trials.keep(state.text);
          const last = record.state === undefined ? [] : [record.state];
          await save({ state, ...(stepped ? { history: [...(record.history ?? []), ...last] } : {}) });
        },
        mayTest: (text: string) => {
          // What is remembered costs nothing.
          if (memory.find(sha256(text), acceptance) !== undefined) return true;
          if (tests !== undefined && begun >= tests) return false;
          // In the end the result is booted some more times.
          const mean = made === 0 ? usual : (spent + CONFIRMATIONS * booted) / made;
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
      if (good !== undefined && good !== state) await trials.keep(good.text);
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
async function faultOfKernel(boot: () => Promise<Trial>, expected: Expectation): Promise<string | undefined> {
  const once = async (): Promise<string | undefined> => faultOf(await boot(), expected);
  return (await once()) === undefined ? undefined : once();
}

/** One boot of the result; another one only when time ran out. */
async function faultOfResult(boot: () => Promise<Trial>, expected: Expectation): Promise<string | undefined> {
  const first = await boot();
  const fault = await faultOf(first, expected);
  const { end } = first.record;
  if (fault === undefined || end?.kind !== "failed" || !end.timedOut) return fault;
  return faultOf(await boot(), expected);
}

/** Builds and boots the kernel that all starts from, twice, and learns what passing means. */
async function beginSearch({ path, trials, boot, byOutput, used }: SearchContext): Promise<SearchRecord> {
  using kernel = await trials.build(trials.start.text);
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
