import { type UnpackAsKernelOptions, unpackAsKernel } from "../../src/index.ts";
import { createHash } from "node:crypto";
import { comparable, describeTree, timedNames } from "./describe-tree.ts";
import { corner, type KernelCase } from "./kernel-case.ts";
import { decompressKnown } from "./members.ts";
import { join, padded, zeros } from "./segment.ts";

/** What {@link unpackAsKernel} says about an image made of cases, as a guest can confirm it. */
export interface Prediction {
  readonly lines: readonly string[];
  readonly failure: string | undefined;
  readonly codes: readonly string[];
  /** False if the kernel never comes to an end, or nobody can tell what it does. */
  readonly isCertain: boolean;
}

export function predict(image: Uint8Array, options: UnpackAsKernelOptions): Prediction {
  const result = unpackAsKernel(image, { decompress: decompressKnown, keepTimes: true, ...options });
  const codes = result.diagnostics.map(({ code }) => code);
  return {
    lines: describeTree(result.tree),
    failure: result.failure?.message,
    codes,
    isCertain: result.complete && !codes.includes("KERNEL_UNCERTAIN"),
  };
}

export interface PlacedCase {
  readonly name: string;
  readonly dir: string;
  readonly bytes: Uint8Array;
  /** Others can follow it in the same image. */
  readonly isOpen: boolean;
  readonly isCertain: boolean;
  /** The message that it ends the unpacking with. */
  readonly failure: string | undefined;
}

/** Makes a case in a directory of its own, and tells whether more can come after it. */
export function place(kernelCase: KernelCase, number: number, kernel = "6.1"): PlacedCase {
  const at = corner(`c${number}`, number + 1);
  const bytes = join(at.directory(`/${at.dir}`), kernelCase.make(at));
  // Four zeros end what reads on for more, such as lz4.
  const closed = padded(join(bytes, zeros(4)));
  const probe = predict(join(closed, at.entry({ name: "/probe" })), { kernel });
  const isOpen = probe.failure === undefined && probe.lines.some((line) => line.startsWith("/probe "));
  const { isCertain, failure } = predict(bytes, { kernel });
  return { name: kernelCase.name, dir: at.dir, bytes: isOpen ? closed : bytes, isOpen, isCertain, failure };
}

/** What became of one case: the kernel's message, and the lines of its directory or, if they are many, their hash. */
export interface Verdict {
  readonly failure?: string;
  readonly tree: readonly string[] | string;
}

/** What guests have reported. */
export interface Verdicts {
  readonly releases: readonly string[];
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Where a release differs from those before it. */
  readonly changed: Readonly<Record<string, Readonly<Record<string, Verdict>>>>;
}

export function verdictOf(lines: readonly string[], dir: string, failure: string | undefined): Verdict {
  const own = lines.filter((line) => line.startsWith(`/${dir}/`) || line.startsWith(`/${dir} `));
  // Its number changes when a case is added before it.
  const inPath = new RegExp(`(?<=/)${dir}(?=[/ ])`, "g");
  const tree = comparable(own, timedNames(lines)).map((line) => line.replaceAll(inPath, "DIR"));
  const hash = createHash("sha256").update(tree.join("\n")).digest("hex");
  return { ...(failure === undefined ? {} : { failure }), tree: tree.length > 20 ? hash : tree };
}
