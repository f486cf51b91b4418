import { readFile } from "node:fs/promises";
import { encodeCpio } from "@justenough/cpio";
import { compileGuestProgram, type AgentProgramOptions } from "../agent/program.ts";

/** Where the tracer is in the guest. */
export const TRACER = "/tracer";

/**
 * A piece for the end of `initrd` that puts the tracer into the guest. `/tracer DEVICE PROGRAM ARGUMENT…` runs a program
 * and writes to the device, a serial port say, which system calls the program and all that it starts make, each kind once;
 * {@link readTrace} reads that. Its exit status is the program's.
 *
 * @throws QemuError `QEMU_AGENT_COMPILER` without a C compiler for that architecture
 * @example
 * ```ts
 * import { tracerSegment } from "@justenough/qemu";
 * console.log((await tracerSegment()).length % 4); // 0
 * ```
 */
export async function tracerSegment(options: AgentProgramOptions = {}): Promise<Uint8Array> {
  const data = await readFile(await compileGuestProgram("tracer", options));
  return encodeCpio([{ type: "file", name: TRACER.slice(1), mode: 0o755, data }], { blockSize: 4 });
}
