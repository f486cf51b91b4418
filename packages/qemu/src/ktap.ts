import { parseKernelLine } from "./kernel-log.ts";

/** `crashed`: it began, or was announced, and no result came. `empty`: a run without any test. */
export type KtapStatus = "passed" | "failed" | "skipped" | "crashed" | "empty";

/** A test, with those that it is made of. */
export interface KtapTest {
  /** Empty for the whole run. */
  readonly name: string;
  readonly status: KtapStatus;
  /** What stands behind the directive: the reason for SKIP. */
  readonly reason?: string | undefined;
  readonly tests: readonly KtapTest[];
  /** Lines before its result that are no part of the protocol: diagnostics, and what the kernel printed meanwhile. */
  readonly log: readonly string[];
}

/** Tests that are made of no others, by how they ended. */
export type KtapCounts = Readonly<Record<KtapStatus, number>>;

interface Group {
  readonly indent: number;
  name: string | undefined;
  plan: number | undefined;
  log: string[];
  readonly tests: KtapTest[];
}

/** Nobody nests tests so deeply; what is deeper counts as this deep. */
const DEEPEST = 64;

const VERSION = /^(?:KTAP version \d+|TAP version 1[34])$/;
const RESULT = /^(ok|not ok) \d+(?: (?:- )?(.*))?$/;
const DIRECTIVE = /^(.*?)(?:^| )# ?(SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b[: ]*(.*)$/i;

/**
 * Reads the results of KUnit and of kselftests out of a console's text: KTAP (Documentation/dev-tools/ktap.rst) and TAP,
 * with any prefix before each line, and anything else in between. Undefined when there are none.
 *
 * @example
 * ```ts
 * import { parseKtap } from "@justenough/qemu";
 * const run = parseKtap("KTAP version 1\n1..2\nok 1 adds\nnot ok 2 subtracts\n");
 * console.log(run?.tests.map(({ name, status }) => `${name}: ${status}`)); // [ 'adds: passed', 'subtracts: failed' ]
 * ```
 */
export function parseKtap(text: string): KtapTest | undefined {
  const open: Group[] = [];
  let cut: number | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = parseKernelLine(raw).text.trimEnd();
    if (cut === undefined) {
      // The first version line stands at the top, whatever is before it.
      const start = /(?:KTAP version \d+|TAP version 1[34])$/.exec(line);
      if (start === null) continue;
      cut = start.index;
    }
    take(open, line.slice(cut));
  }
  const [top] = open;
  if (top === undefined) return undefined;
  close(open, top.indent);
  return { name: "", status: statusOf(top, "passed"), tests: complete(top), log: top.log };
}

/** Counts the tests without parts of their own; a suite whose tests never began counts as one. */
export function countKtap({ status, tests }: Pick<KtapTest, "status" | "tests">): KtapCounts {
  const counts = { passed: 0, failed: 0, skipped: 0, crashed: 0, empty: 0 };
  if (tests.length === 0) counts[status]++;
  for (const test of tests) {
    for (const [name, count] of Object.entries(countKtap(test))) counts[name as KtapStatus] += count;
  }
  return counts;
}

function take(open: Group[], line: string): void {
  const words = line.trimStart();
  const indent = line.length - words.length;
  const [, name] = /^# Subtest: (.*)$/.exec(words) ?? [];
  const [, plan] = /^1\.\.(\d+)(?: |$)/.exec(words) ?? [];
  const result = RESULT.exec(words);
  if (VERSION.test(words)) {
    close(open, indent - 1);
    enter(open, indent);
  } else if (name !== undefined) {
    const group = enter(open, indent);
    // A second one in the same place is the next suite, and the first has come to no end.
    if (group.name === undefined && group.tests.length === 0) group.name = name;
    else {
      close(open, indent - 1);
      enter(open, indent).name = name;
    }
  } else if (plan !== undefined) {
    enter(open, indent).plan ??= Number(plan);
  } else if (result !== null) {
    finish(open, indent, result[1] === "ok", result[2] ?? "");
  } else {
    open.at(-1)?.log.push(line);
  }
}

/** The group whose lines have this indentation; lines that are indented less than the top are taken for its own. */
function enter(open: Group[], indent: number): Group {
  close(open, indent);
  const last = open.at(-1);
  if (last !== undefined && (last.indent >= indent || open.length >= DEEPEST)) return last;
  const group: Group = { indent, name: undefined, plan: undefined, log: [], tests: [] };
  open.push(group);
  return group;
}

function finish(open: Group[], indent: number, passed: boolean, words: string): void {
  // What is one deeper are the parts of this test, unless those have a name and it is another.
  const below = open.find((group, index) => index > 0 && group.indent > indent);
  if (below !== undefined) close(open, below.indent);
  const [, text = words, directive, reason] = DIRECTIVE.exec(words) ?? [];
  const name = text.trim();
  const parts = below !== undefined && (below.name === undefined || below.name === name) ? below : undefined;
  if (parts !== undefined) open.pop();
  const group = enter(open, indent);
  const skipped = directive?.toUpperCase() === "SKIP";
  const status = skipped ? "skipped" : passed ? "passed" : "failed";
  const tests = parts === undefined ? [] : complete(parts);
  group.tests.push({
    name,
    status: tests.some((test) => test.status === "crashed") ? "crashed" : status,
    ...(reason === undefined ? {} : { reason }),
    tests,
    log: [...group.log.splice(0), ...(parts?.log ?? [])],
  });
}

/** Ends what is indented more: no result has come for it. */
function close(open: Group[], indent: number): void {
  for (
    let last = open.at(-1);
    last !== undefined && last.indent > indent && open.length > 1;
    last = open.at(-1)
  ) {
    open.pop();
    open
      .at(-1)
      ?.tests.push({ name: last.name ?? "", status: "crashed", tests: complete(last), log: last.log });
  }
}

/** With those that were announced and did not come. */
function complete({ plan, tests }: Group): KtapTest[] {
  const missing = Math.max(0, Math.min(plan ?? 0, 100_000) - tests.length);
  const none: KtapTest = { name: "", status: "crashed", tests: [], log: [] };
  return [...tests, ...Array.from({ length: missing }, () => none)];
}

function statusOf(group: Group, otherwise: KtapStatus): KtapStatus {
  const all = complete(group).map(({ status }) => status);
  if (all.length === 0) return "empty";
  if (all.includes("crashed")) return "crashed";
  if (all.includes("failed")) return "failed";
  return all.every((status) => status === "skipped") ? "skipped" : otherwise;
}
