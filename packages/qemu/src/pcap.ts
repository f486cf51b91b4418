import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { QemuError } from "./errors.ts";
import { MAX_FRAME } from "./internal/ethernet.ts";

/** A capture file that is being written. */
export interface PcapFile extends Disposable {
  readonly path: string;
  /** Frames written so far. */
  readonly frames: number;
  /** Adds a frame. `at` is in milliseconds since 1970, by default now, and is kept to a microsecond. */
  write(frame: Uint8Array, at?: number): void;
  /** Hands everything to the system, as happens by itself in each turn of the event loop in which frames came. */
  flush(): void;
  /** @throws QemuError `QEMU_FILE_UNWRITABLE` when frames are missing at the end, of a full disk for instance. */
  close(): void;
}

/** A whole turn's frames go to the system at once, but no more bytes than these: the longest frame has room. */
const BATCH = 128 * 1024;
const RECORD_HEADER = 16;

/**
 * Starts a capture file in the classic format of pcap, with microseconds and Ethernet frames (draft-ietf-opsawg-pcap).
 * It is handed whole frames in each turn of the event loop: of a process that is killed the last turn's may be missing.
 *
 * @param onClose - Called once, when the file has been closed.
 * @throws QemuError `QEMU_FILE_UNWRITABLE`
 * @example
 * ```ts
 * import { createPcap } from "@justenough/qemu/net";
 * const pcap = createPcap("/dev/null");
 * pcap.write(new Uint8Array(60));
 * pcap.close();
 * console.log(pcap.frames); // 1
 * ```
 */
export function createPcap(path: string, onClose?: () => void): PcapFile {
  const file = open(path);
  // The system's clock gives milliseconds; this one tells frames of the same millisecond apart.
  const epoch = Date.now() - performance.now();
  const batch = Buffer.alloc(BATCH);
  let filled = fileHeader(batch);
  let written = 0;
  let frames = 0;
  let timer: NodeJS.Immediate | undefined;
  let failure: unknown;
  let closed = false;

  const put = (bytes: Uint8Array): void => {
    if (failure !== undefined) return;
    const start = written;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      written = start + bytes.length;
    } catch (error) {
      failure = error;
      cutOff(file, start);
    }
  };

  const flush = (): void => {
    clearImmediate(timer);
    timer = undefined;
    put(batch.subarray(0, filled));
    filled = 0;
  };

  const close = (): void => {
    if (closed) return;
    flush();
    closed = true;
    closeSync(file);
    onClose?.();
    if (failure !== undefined) throw unwritable(path, failure);
  };

  flush();
  return {
    path,
    get frames() {
      return frames;
    },
    write: (frame, at = epoch + performance.now()) => {
      if (closed || failure !== undefined) return;
      const part = frame.subarray(0, MAX_FRAME);
      if (filled + RECORD_HEADER + part.length > BATCH) flush();
      const microseconds = Math.round(at * 1000);
      batch.writeUInt32LE(Math.floor(microseconds / 1e6), filled);
      batch.writeUInt32LE(microseconds % 1e6, filled + 4);
      batch.writeUInt32LE(part.length, filled + 8);
      batch.writeUInt32LE(frame.length, filled + 12);
      batch.set(part, filled + RECORD_HEADER);
      filled += RECORD_HEADER + part.length;
      frames += 1;
      timer ??= setImmediate(flush);
    },
    flush,
    close,
    [Symbol.dispose]: close,
  };
}

function fileHeader(target: Buffer): number {
  target.writeUInt32LE(0xa1b2c3d4, 0);
  target.writeUInt16LE(2, 4);
  target.writeUInt16LE(4, 6);
  // Time zone and accuracy, which nobody fills, at 8 and 12; then the longest frame and LINKTYPE_ETHERNET.
  target.writeUInt32LE(MAX_FRAME, 16);
  target.writeUInt32LE(1, 20);
  return 24;
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** A frame that is there in part would make the file's reader stumble. */
function cutOff(file: number, length: number): void {
  try {
    ftruncateSync(file, length);
  } catch {
    // Not a regular file.
  }
}

function unwritable(path: string, cause: unknown): QemuError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new QemuError("QEMU_FILE_UNWRITABLE", `Cannot write capture "${path}": ${code ?? message}`, {
    cause,
  });
}
