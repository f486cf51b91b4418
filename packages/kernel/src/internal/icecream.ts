import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelError } from "../errors.ts";
import { cleanEnv, run } from "./process.ts";

/** The scheduler says who compiles, and holds back what is too much. */
export const ICECREAM_JOBS = 32;

// It holds back all while every machine is busy with other things, and sends each a compiler of some 50 MB first.
const PATIENCE = 120_000;

/**
 * Has icecream compile something.
 *
 * @throws KernelError KERNEL_FARM when this machine's daemon does not answer, or nothing is compiled for two minutes.
 */
export async function checkIcecream(
  program: string,
  compiler: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "icecream-check-"));
  try {
    await writeFile(join(scratch, "check.c"), "int check;\n");
    const command = {
      file: program,
      args: [compiler, "-c", "check.c", "-o", "check.o"],
      cwd: scratch,
      env: { ...cleanEnv(), ICECC_DEBUG: "warning" },
    };
    const late = AbortSignal.timeout(PATIENCE);
    const either = signal === undefined ? late : AbortSignal.any([late, signal]);
    const { exitCode, tail } = await run(command, { signal: either }).catch((error: unknown) => {
      if (!late.aborted || signal?.aborted === true) throw error;
      throw new KernelError("KERNEL_FARM", "icecream let nothing be compiled for two minutes", {
        hint: "Are all its machines busy? icecream-sundae, or icecc-scheduler's port 8766, tell",
      });
    });
    // Without a daemon it compiles here, and says so.
    const alone = tail.find((line) =>
      /no local daemon|local build forced|failed to connect|no scheduler/i.test(line),
    );
    if (exitCode === 0 && alone === undefined) return;
    throw new KernelError(
      "KERNEL_FARM",
      `icecream does not work here: ${alone ?? tail.at(-1) ?? "no message"}`,
      {
        hint: "Start iceccd on this machine; it finds the scheduler, or takes it as -s HOST",
      },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
