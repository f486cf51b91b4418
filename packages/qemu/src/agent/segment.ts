import { readFile } from "node:fs/promises";
import { encodeCpio } from "@justenough/cpio";
import { compileGuestProgram, type AgentProgramOptions } from "./program.ts";

/**
 * A piece for the end of `initrd` that puts the agent into the guest as `/agent`: to be started by the guest's init
 * (`/agent &`), or as init itself by `rdinit=/agent` on the kernel's command line, so that any kernel can be scripted.
 *
 * @throws QemuError `QEMU_AGENT_COMPILER` without a C compiler for that architecture
 * @example
 * ```ts
 * import { agentSegment } from "@justenough/qemu";
 * const segment = await agentSegment();
 * console.log(segment.length % 4); // 0
 * ```
 */
export async function agentSegment(options: AgentProgramOptions = {}): Promise<Uint8Array> {
  const data = await readFile(await compileGuestProgram("agent", options));
  return encodeCpio([{ type: "file", name: "agent", mode: 0o755, data }], { blockSize: 4 });
}
