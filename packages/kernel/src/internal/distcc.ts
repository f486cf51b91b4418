import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { KernelError } from "../errors.ts";
import { cleanEnv, run } from "./process.ts";

// distcc's own guess for a machine of which it knows nothing (distcc(1), "HOST SPECIFICATIONS").
const SLOTS = 4;

/** It would call "gcc" by another name, "x86_64-linux-gnu-gcc", which a kernel keeps in its configuration, and so in its bytes. */
export const DISTCC_ENV = { DISTCC_NO_REWRITE_CROSS: "1" } as const;

/** The hosts as DISTCC_HOSTS wants them, and how many compilers they and this machine hold. */
export function distccHosts(given: readonly string[]): { readonly hosts: string; readonly jobs: number } {
  let jobs = 0;
  for (const host of given) {
    const [, slots] = /^[\w.:[\]-]+?(?:\/(\d+))?$/.exec(host) ?? [];
    if (!/^[\w.:[\]-]+(\/[1-9]\d*)?$/.test(host)) {
      throw new KernelError("KERNEL_FARM", `"${host}" is no machine with distccd`, {
        hint: "It is HOST[:PORT][/JOBS], such as 10.0.0.2/8",
      });
    }
    jobs += slots === undefined ? SLOTS : Number(slots);
  }
  // Remote ones first: distcc prefers the first that is free. This machine preprocesses for all of them.
  const own = availableParallelism();
  return { hosts: [...given, `localhost/${own}`].join(" "), jobs: jobs + own };
}

/**
 * Has each machine compile something, and compares with what is compiled here: the compilers must be the same.
 *
 * @throws KernelError KERNEL_FARM.
 */
export async function checkDistcc(request: {
  readonly program: string;
  readonly compiler: string;
  readonly hosts: readonly string[];
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { program, compiler, signal } = request;
  const scratch = await mkdtemp(join(tmpdir(), "distcc-check-"));
  try {
    await writeFile(join(scratch, "check.c"), "int check(int a, int b)\n{\n\treturn a * 7 + b;\n}\n");
    const compile = async (output: string, host?: string): Promise<string | undefined> => {
      const args = ["-O2", "-c", "check.c", "-o", output];
      // Not the build's directory: there stands which hosts failed a minute ago, and are not asked.
      const farm = { ...DISTCC_ENV, DISTCC_DIR: scratch, DISTCC_FALLBACK: "0", TMPDIR: scratch };
      const command =
        host === undefined
          ? { file: compiler, args, cwd: scratch }
          : { file: program, args: [compiler, ...args], cwd: scratch };
      const env = { ...cleanEnv(), ...(host === undefined ? {} : { ...farm, DISTCC_HOSTS: host }) };
      const { exitCode, tail } = await run({ ...command, env }, { signal });
      return exitCode === 0 ? undefined : (tail[0] ?? "no message");
    };
    await compile("here.o");
    const here = await readFile(join(scratch, "here.o"));
    for (const host of request.hosts) {
      const failed = await compile("there.o", host);
      if (failed !== undefined) {
        throw new KernelError("KERNEL_FARM", `"${host}" does not compile by distcc: ${failed}`, {
          hint: `Is distccd running there, does it let this machine in (--allow), and does it know "${compiler}" (update-distcc-symlinks)?`,
        });
      }
      const there = await readFile(join(scratch, "there.o"));
      if (!there.equals(here)) {
        throw new KernelError(
          "KERNEL_FARM",
          `"${host}" has another compiler than this machine: ${compilerOf(there)}, here ${compilerOf(here)}`,
          { hint: "The same distribution and version on all machines of a farm gives the same bytes" },
        );
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// The section .comment has it.
function compilerOf(object: Buffer): string {
  return (
    /(GCC: \([^\0]*|[^\0]*clang version [^\0]*)/.exec(object.toString("latin1"))?.[1] ??
    "one that does not tell its name"
  );
}
