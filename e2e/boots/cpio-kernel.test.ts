/**
 * `unpackAsKernel` of @justenough/cpio against kernels: each boots with an initramfs of odd archives, a program in it
 * lists the root file system, and every name, mode, owner, link, size, byte and message must be as predicted.
 *
 * CPIO_CASES=all boots every case under every kernel, and more random ones. FUZZ_SEED repeats random ones.
 * CPIO_KERNEL=FILE,RELEASE takes another kernel in place of Debian's. CPIO_RECORD=FILE adds what became of each case to
 * verdicts.json of the package's own tests.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { CRAFTED_CASES } from "../../packages/cpio/test/kernel-cases/cases.ts";
import { comparable, timedNames } from "../../packages/cpio/test/kernel-cases/describe-tree.ts";
import {
  type PlacedCase,
  place,
  predict,
  type Prediction,
  type Verdict,
  verdictOf,
  type Verdicts,
} from "../../packages/cpio/test/kernel-cases/predict.ts";
import { damagedCase, sequenceCase } from "../../packages/cpio/test/kernel-cases/random-case.ts";
import { entry, FIFO, join } from "../../packages/cpio/test/kernel-cases/segment.ts";
import { FUZZ_SEED, randomFrom } from "../../packages/cpio/test/random.ts";
import { askKernel, compileReporter, distroKernel, type KernelImage } from "../lib/cpio-kernel/ask-kernel.ts";

const isWhole = process.env["CPIO_CASES"] === "all";
const OWN = process.env["CPIO_KERNEL"]?.split(",");
const KERNELS: readonly (() => KernelImage)[] =
  OWN === undefined
    ? ["linux-image-cloud-amd64", "linux-image-6.12-cloud-amd64"].map((name) => () => distroKernel(name))
    : [() => ({ image: OWN[0] ?? "", release: OWN[1] ?? "" })];

const random = (count: number, make: typeof sequenceCase) =>
  Array.from({ length: count }, (_, index) => make(randomFrom(FUZZ_SEED + index)));
/** Which cases end the unpacking depends on the version. */
function casesFor(release: string): PlacedCase[] {
  return [
    ...CRAFTED_CASES,
    ...random(isWhole ? 2000 : 300, sequenceCase),
    ...random(isWhole ? 60 : 6, damagedCase),
  ]
    .map((kernelCase, number) => place(kernelCase, number, release))
    .filter(({ isCertain }) => isCertain);
}

const REPORTER = entry({ name: "init", mode: 0o100755, data: compileReporter() });

const reported = new Map<string, Map<string, Verdict>>();
afterAll(() => {
  const file = process.env["CPIO_RECORD"];
  if (file === undefined) return;
  const known = JSON.parse(readFileSync(file, "utf8")) as Verdicts;
  const verdicts: Record<string, Verdict> = { ...known.verdicts };
  const changed: Record<string, Record<string, Verdict>> = { ...known.changed };
  for (const [release, cases] of reported) {
    changed[release] = {};
    for (const { name } of CRAFTED_CASES) {
      const verdict = cases.get(name);
      if (verdict === undefined) continue;
      verdicts[name] ??= verdict;
      if (!isDeepStrictEqual(verdict, verdicts[name])) changed[release][name] = verdict;
    }
  }
  const releases = [...new Set([...known.releases, ...reported.keys()])];
  writeFileSync(file, JSON.stringify({ releases, verdicts, changed }, undefined, 1));
});

/** What can be followed by others goes in front of what ends the unpacking, so that each boot judges many. */
function batches(cases: readonly PlacedCase[], turn: number): PlacedCase[][] {
  const open = cases.filter(({ isOpen }) => isOpen);
  const closed = pickClosed(
    cases.filter(({ isOpen }) => !isOpen),
    turn,
  );
  const lasts: (PlacedCase | undefined)[] = closed.length > 0 ? [...closed] : [undefined];
  const size = Math.ceil(open.length / lasts.length);
  return lasts.map((last, index) => [
    ...open.slice(index * size, (index + 1) * size),
    ...(last === undefined ? [] : [last]),
  ]);
}

/** Cases that end the unpacking take a boot each: one for every message, each kernel another one, or all. */
function pickClosed(closed: readonly PlacedCase[], turn: number): readonly PlacedCase[] {
  if (isWhole) return closed;
  const groups = Map.groupBy(closed, ({ failure }) => failure);
  return [...groups.values()].map((group) => group[turn % group.length] as PlacedCase);
}

/** Boots an image of some cases; gives the prediction that came true. */
async function compare(
  image: KernelImage,
  batch: readonly PlacedCase[],
  rootfs: "tmpfs" | "ramfs" = "tmpfs",
): Promise<Prediction> {
  const initramfs = join(REPORTER, ...batch.map(({ bytes }) => bytes));
  const wanted = predict(initramfs, { kernel: image.release, rootfs });
  const seen = await askKernel(image, initramfs, { more: rootfs === "ramfs" ? "rootfstype=ramfs" : "" });
  const what = batch.map(({ dir, name }) => `${dir} ${name}`).join("\n");
  expect(seen.silence, what).toBeUndefined();
  const known = timedNames(wanted.lines);
  expect(comparable(seen.lines, known), what).toEqual(comparable(wanted.lines, known));
  expect(seen.failure, batch.at(-1)?.name ?? "").toBe(wanted.failure);
  return wanted;
}

describe.each(KERNELS.map((kernel, index) => ({ kernel, index })))("kernel $index", ({ kernel, index }) => {
  test("does with every case what was predicted", async () => {
    const image = kernel();
    console.log(`${image.release}, FUZZ_SEED=${FUZZ_SEED}`);
    const verdicts = new Map<string, Verdict>();
    reported.set(image.release, verdicts);
    const started = performance.now();
    const boots = batches(casesFor(image.release), index);
    for (const batch of boots) {
      const { lines, failure } = await compare(image, batch);
      for (const { name, dir } of batch) {
        const own = name === batch.at(-1)?.name ? failure : undefined;
        verdicts.set(name, verdictOf(lines, dir, own));
      }
    }
    const count = boots.reduce((sum, batch) => sum + batch.length, 0);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`${image.release}: ${count} cases in ${boots.length} boots agree, ${seconds} s`);
  });
});

test("a ramfs in place of a tmpfs makes no other difference than predicted", async () => {
  const image = (KERNELS[0] as () => KernelImage)();
  const open = casesFor(image.release).filter(({ isOpen }) => isOpen);
  await compare(image, open, "ramfs");
});

if (isWhole) {
  test("a fifo in the way of a file makes the kernel wait for ever", async () => {
    const image = (KERNELS[0] as () => KernelImage)();
    const linked = { ino: 1, nlink: 2 };
    const initramfs = join(
      REPORTER,
      entry({ name: "a", ...linked }),
      entry({ name: "a", mode: FIFO | 0o600 }),
      entry({ name: "b", ...linked }),
    );
    expect(predict(initramfs, { kernel: image.release }).codes).toContain("KERNEL_HANG");
    const seen = await askKernel(image, initramfs, { seconds: 20 });
    expect(seen.silence).toBe("no-console");
  });
}
