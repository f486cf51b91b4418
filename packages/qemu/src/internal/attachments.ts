import type { Duplex } from "node:stream";
import { QemuError } from "../errors.ts";
import { QUEUE, type Attachment, type CodePort, type Member } from "../switch-port.ts";
import { isGroup, MAX_FRAME, MIN_FRAME, SOURCE } from "./ethernet.ts";
import { createFrameDecoder, encodeFrame } from "./frame-decoder.ts";
import type { FrameQueue } from "./frame-queue.ts";

/** The way to a device at the other end of a stream. */
export function streamAttachment(stream: Duplex): Attachment {
  let corked = false;
  return {
    deliver: (frame) => {
      if (stream.writableLength + frame.length > QUEUE) return false;
      // The frames of one turn go to the system together.
      if (!corked) {
        corked = true;
        stream.cork();
        process.nextTick(() => {
          corked = false;
          stream.uncork();
        });
      }
      stream.write(encodeFrame(frame));
      return true;
    },
    release: () => void stream.destroy(),
  };
}

/** The way back. */
export function readStream(stream: Duplex, member: Member): void {
  const decoder = createFrameDecoder();
  stream.on("data", (chunk: Uint8Array) => {
    for (const frame of decoder.push(chunk)) member.receive(frame);
    if (decoder.failure !== undefined) member.end(decoder.failure);
  });
  // A machine that is killed leaves by an error as well as by an end.
  for (const event of ["error", "end", "close"]) stream.on(event, () => member.end());
  if (stream.destroyed) member.end();
}

/** A program's port. */
export function codePort(member: Member, frames: FrameQueue): CodePort {
  return {
    name: member.name,
    counters: member.counters,
    impair: member.impair,
    closed: member.closed,
    close: member.close,
    [Symbol.dispose]: member.close,
    frames,
    send: (frame) => {
      if (frame.length < MIN_FRAME || frame.length > MAX_FRAME || isGroup(frame, SOURCE))
        throw noFrame(frame);
      member.receive(frame);
      return member.open;
    },
  };
}

function noFrame(frame: Uint8Array): QemuError {
  const wrong =
    frame.length >= MIN_FRAME && frame.length <= MAX_FRAME
      ? "its sender is a group address"
      : `it has ${frame.length} bytes, wanted are ${MIN_FRAME} to ${MAX_FRAME}`;
  return new QemuError("QEMU_FRAME_INVALID", `Cannot send the frame: ${wrong}`);
}
