import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { InitramfsError } from "../error.ts";

const COMPRESSES = {
  does: "compresses the image",
  hint: "Install it, or choose gzip, zstd or lz4, which are built in",
};

/**
 * A stage that runs an installed program on what passes through.
 *
 * @throws {InitramfsError} when the program is missing or fails; it does not outlive the pipeline
 */
export function throughTool(program: string, args: readonly string[], purpose = COMPRESSES) {
  return async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const ended = once(child, "close") as Promise<[number | null]>;
    ended.catch(() => {});
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    // Its own failure says more than the broken pipe that follows from it, so it is looked at first.
    let fed: unknown;
    const feeding = pipeline(Readable.from(source), child.stdin).catch((error: unknown) => (fed = error));
    try {
      yield* child.stdout as AsyncIterable<Uint8Array>;
      const [status] = await ended;
      if (status !== 0) {
        throw new InitramfsError(
          "INITRAMFS_TOOL",
          `"${program}" failed: ${said.trim() || `status ${status}`}`,
        );
      }
      await feeding;
      if (fed !== undefined) throw fed;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new InitramfsError(
        "INITRAMFS_TOOL",
        `The program "${program}", which ${purpose.does}, is missing`,
        { cause: error, hint: purpose.hint },
      );
    } finally {
      child.kill();
    }
  };
}
