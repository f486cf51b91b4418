import { createHash } from "node:crypto";
import type { Agent } from "../../src/index.ts";
import type { Random } from "./random.ts";

/** Signals that end a program, and leave no core file that would take its time. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGKILL", "SIGTERM", "SIGUSR1", "SIGALRM"];

/**
 * Runs a shell that writes two streams of random sizes at once and ends with a random status or by a signal, and throws unless
 * all is exactly what it must be. Returns the number of bytes.
 *
 * @param limit - Bytes of a stream at most
 */
export async function execRound(agent: Agent, random: Random, round: number, limit: number): Promise<number> {
  const size = (): number =>
    random.below(5) === 0 ? 0 : random.below(2 ** (1 + random.below(Math.log2(limit))));
  const [out, err] = [size(), size()];
  const status = random.below(256);
  const signal = random.below(4) === 0 ? SIGNALS[random.below(SIGNALS.length)] : undefined;
  const word = `round ${round} of ${random.below(1e9)}`;
  const how = signal === undefined ? `exit ${status}` : `kill -${signal.slice(3)} $$`;
  const result = await agent.exec([
    "sh",
    "-c",
    `yes "out $0" | head -c ${out} & yes "err $0" | head -c ${err} >&2; wait $!; ${how}`,
    word,
  ]);
  const wanted = (text: string, length: number): Buffer => Buffer.alloc(length, `${text} ${word}\n`);
  const problems = [
    signal === undefined && result.code !== status
      ? `status ${result.code} in place of ${status}`
      : undefined,
    signal !== undefined && result.signal !== signal
      ? `signal ${result.signal} in place of ${signal}`
      : undefined,
    differs("stdout", result.stdout, wanted("out", out)),
    differs("stderr", result.stderr, wanted("err", err)),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0)
    throw new Error(`Round ${round} (${how}, ${out} and ${err} bytes): ${problems.join(", ")}`);
  return out + err;
}

function differs(what: string, got: Uint8Array, wanted: Uint8Array): string | undefined {
  if (Buffer.from(got).equals(wanted)) return undefined;
  const sum = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return `${what} is ${got.length} bytes (${sum(got)}) in place of ${wanted.length} (${sum(wanted)})`;
}
