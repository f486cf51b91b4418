import { createServer, type Socket } from "node:net";
import { unlink } from "node:fs/promises";
import { PxeError } from "../errors.ts";
import { formatMac } from "../address.ts";
import { isGroupMac } from "./ethernet.ts";
import type { FrameLink } from "./frame-link.ts";
import { frameStream } from "./frame-stream.ts";

/** A cable with as many ends as machines connect. */
export interface FrameListener extends FrameLink, AsyncDisposable {
  readonly path: string;
  close(): Promise<void>;
}

/** Machines that may be connected at a time. */
const MOST_MACHINES = 256;
/** Addresses that are remembered for a machine; one network card has one. */
const MOST_ADDRESSES = 16;
/** Frames that wait to be read, of all machines together. */
const MOST_FRAMES = 4096;

/**
 * Listen on a Unix socket for QEMU machines: `-netdev stream,id=n0,server=off,addr.type=unix,addr.path=PATH`.
 * Each machine reaches us and not the others. Errors: `PXE_ADDRESS_IN_USE`, `PXE_SOCKET_FAILED`.
 *
 * @example
 * ```ts
 * import { listenFrames } from "@justenough/pxe";
 * await using link = await listenFrames("lab.sock");
 * console.log(`-netdev stream,id=n0,server=off,addr.type=unix,addr.path=${link.path}`);
 * ```
 */
export async function listenFrames(path: string): Promise<FrameListener> {
  const machines = new Map<Socket, { readonly addresses: Set<string>; readonly link: FrameLink }>();
  const frames: Uint8Array[] = [];
  let closed = false;
  let wake = (): void => undefined;

  const serve = async (socket: Socket): Promise<void> => {
    const addresses = new Set<string>();
    const link = frameStream(socket);
    machines.set(socket, { addresses, link });
    for await (const frame of link.frames) {
      if (frame.length < 14) continue;
      const from = formatMac(frame.subarray(6, 12));
      if (addresses.size < MOST_ADDRESSES) addresses.add(from);
      // The reader keeps up, or the network is too busy for it: then frames are lost, as on any wire.
      if (frames.length < MOST_FRAMES) frames.push(frame);
      wake();
    }
    machines.delete(socket);
  };

  const server = createServer((socket) => {
    if (machines.size >= MOST_MACHINES) socket.destroy();
    else void serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: Error & { code?: string }) => {
      const taken = cause.code === "EADDRINUSE";
      const message = `Cannot listen on the socket ${JSON.stringify(path)}: ${taken ? "there is something of that name" : cause.message}`;
      const hint = taken
        ? "another server has it, or one was killed: then remove the file"
        : "name a file in a directory that exists and is yours, in at most 107 characters";
      reject(new PxeError(taken ? "PXE_ADDRESS_IN_USE" : "PXE_SOCKET_FAILED", message, { cause, hint }));
    });
    server.listen({ path }, resolve);
  });

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    wake();
    const over = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of machines.keys()) socket.destroy();
    await over;
    await unlink(path).catch(() => undefined); // Node has removed it already
  };

  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let frame = frames.shift(); frame; frame = frames.shift()) yield frame;
      if (closed) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    path,
    frames: read(),
    send(frame) {
      const to = isGroupMac(frame) ? undefined : formatMac(frame.subarray(0, 6));
      for (const { addresses, link } of machines.values())
        if (to === undefined || addresses.has(to)) link.send(frame);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
