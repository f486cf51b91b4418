import type { Agent } from "../../src/index.ts";

const MARK = 8;

/**
 * A long stream of the guest's that the host knows: the same content again and again, each time behind its number. Every
 * byte is compared.
 */
export async function readBlocks(agent: Agent, content: Uint8Array, count: number): Promise<number> {
  const block = Buffer.concat([Buffer.alloc(MARK), content]);
  let [total, at] = [0, block.length];
  let number = 0;
  const script = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); printf '%07d\\n' $i; cat /content; done`;
  for await (const bytes of agent.output(["sh", "-c", script])) {
    for (let done = 0; done < bytes.length;) {
      if (at === block.length) {
        number += 1;
        block.write(`${String(number).padStart(MARK - 1, "0")}\n`, "latin1");
        at = 0;
      }
      const part = bytes.subarray(done, done + block.length - at);
      if (block.compare(part, 0, part.length, at, at + part.length) !== 0)
        throw new Error(
          `Something within ${part.length} bytes from byte ${total + done} on is not what was sent`,
        );
      at += part.length;
      done += part.length;
    }
    total += bytes.length;
  }
  if (total !== count * block.length) throw new Error(`${total} bytes have come of ${count * block.length}`);
  return total;
}
