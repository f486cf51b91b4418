import type { Fragment } from "@justenough/kconfig";
import { KernelError } from "./errors.ts";

/** Something to look at, and what it has or lacks when a preset has taken effect. */
export interface PresetProof {
  readonly preset: string;
  /** A file of the running system, `dmesg` for the kernel's log, or `System.map` for the file beside a built kernel. */
  readonly subject: string;
  readonly wanted: "has" | "lacks";
  /** Matches within a line; `^` and `$` are the line's. A file that is not there has nothing, and lacks all. */
  readonly pattern: RegExp;
}

/** A proof, and whether it holds. */
export interface PresetFinding extends PresetProof {
  readonly holds: boolean;
  /** The line that decides, where there is one. */
  readonly line: string | undefined;
}

/**
 * Tries proofs against a system.
 *
 * @param read gives a subject's text; undefined where there is no such file. Without a log or a System.map nothing that is
 * to be seen there is proved.
 * @example
 * ```ts
 * import { provePresets, selectPresets } from "@justenough/kernel";
 * const seen = new Map([["/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"]]);
 * const proofs = selectPresets(["thp=madvise"], "x86_64").flatMap((preset) => preset.proofs);
 * for (const { preset, holds, line } of await provePresets(proofs, async (subject) => seen.get(subject)))
 *   console.log(preset, holds, line); // thp=madvise true always [madvise] never
 * ```
 */
export async function provePresets(
  proofs: readonly PresetProof[],
  read: (subject: string) => Promise<string | undefined>,
): Promise<PresetFinding[]> {
  const texts = new Map<string, string | undefined>();
  const findings: PresetFinding[] = [];
  for (const proof of proofs) {
    const { subject, wanted, pattern } = proof;
    if (!texts.has(subject)) texts.set(subject, await read(subject));
    const text = texts.get(subject);
    const line = text?.split("\n").find((one) => pattern.test(one));
    const looked = text !== undefined || subject.startsWith("/");
    findings.push({ ...proof, line, holds: looked && (line !== undefined) === (wanted === "has") });
  }
  return findings;
}

/** The lines `# proof: SUBJECT has|lacks PATTERN` of a fragment, of which there may be several. */
export function proofsOf(fragment: Fragment, preset: string): PresetProof[] {
  return fragment.lines.flatMap(({ raw }) => {
    if (!raw.startsWith("# proof: ")) return [];
    const [, subject, wanted, pattern] = /^# proof: (\S+) (has|lacks) (.+)$/.exec(raw) ?? [];
    if (subject === undefined || pattern === undefined) {
      throw new KernelError("KERNEL_PRESET", `${fragment.file} has a proof that is not understood: ${raw}`);
    }
    return [{ preset, subject, wanted: wanted === "has" ? "has" : "lacks", pattern: new RegExp(pattern) }];
  });
}
