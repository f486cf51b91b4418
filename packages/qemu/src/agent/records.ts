import { QemuError } from "../errors.ts";
import { MAX_TO_AGENT } from "./frame.ts";

/** `key=value` records, each ended by NUL, as the agent takes them. */
export function encodeRecords(records: readonly (readonly [key: string, value: string])[]): Uint8Array {
  const holed = records.find(([, value]) => value.includes("\0"));
  if (holed !== undefined) throw invalid(`"${holed[1]}" holds a NUL character`);
  const bytes = Buffer.from(records.map(([key, value]) => `${key}=${value}\0`).join(""));
  if (bytes.length > MAX_TO_AGENT)
    throw invalid(
      `arguments and environment are ${bytes.length} bytes, at most ${MAX_TO_AGENT} are possible`,
      "Write the rest to a file of the guest, or hand it over as stdin",
    );
  return bytes;
}

export function invalid(message: string, hint?: string): QemuError {
  return new QemuError(
    "QEMU_AGENT_REQUEST",
    `The guest can't be asked for this: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
