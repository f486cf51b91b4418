import type { TftpTerms } from "../tftp-options.ts";
import { encodeTftp, type TftpPacket } from "../tftp-packet.ts";
import { startReceive, stepReceive, type ReceiveAction, type ReceiveState } from "../tftp-receive.ts";
import { TftpRefusal } from "../tftp-refusal.ts";
import type { UploadSink } from "../tftp-uploads.ts";
import { runSession, type Session, type SessionControl, type SessionParts } from "./tftp-session.ts";

/** A client writes a file: nothing is confirmed before it is stored. The session owns `sink`. */
export function writeSession(
  parts: SessionParts & {
    readonly sink: UploadSink;
    readonly terms: TftpTerms;
    /** From netascii, for instance. */
    readonly decode: (bytes: Uint8Array, last: boolean) => Uint8Array;
  },
): Session {
  const { sink, terms, decode } = parts;
  const opening = terms.reply.size > 0 ? "oack" : "ack";
  const most = 2 * terms.blksize * terms.windowsize;
  let queue: Uint8Array[] = [];
  let queued = 0;
  let stored = 0;
  let tail = Promise.resolve();

  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(queue);
    queue = [];
    queued = 0;
    if (bytes.length > 0) await sink.write(bytes);
    stored += bytes.length;
  };

  /** After everything before it, and not at all once that has failed. */
  const then = (session: SessionControl<ReceiveState>, work: () => Promise<void> | void): void => {
    tail = tail.then(async () => {
      if (session.stopped) return;
      try {
        await work();
      } catch (error) {
        if (error instanceof TftpRefusal) session.fail(error.message, error.tftp);
        else session.fail(`Cannot store the file: ${String(error)}`);
      }
    });
  };

  let committed = false;
  return runSession<ReceiveState, ReceiveAction>(parts, {
    first: startReceive(terms, parts.host.now(), opening),
    step(state, input, now) {
      // The disk is behind: blocks beyond the window are as good as lost, and cost no memory.
      const data = input.kind === "packet" && input.packet.kind === "data";
      return data && queued >= most ? { state, actions: [] } : stepReceive(state, input, now);
    },
    perform(action, session) {
      switch (action.kind) {
        case "oack":
          session.send(encodeTftp({ kind: "oack", options: terms.reply }));
          return;
        case "store": {
          const bytes = decode(action.bytes, action.bytes.length < terms.blksize);
          queue.push(bytes);
          queued += bytes.length;
          return;
        }
        case "ack": {
          const packet: TftpPacket = { kind: "ack", block: action.block & 0xffff };
          return then(session, async () => {
            await flush();
            if (action.last && !committed) {
              await sink.commit();
              committed = true;
            }
            session.send(encodeTftp(packet));
          });
        }
        case "error":
          session.send(encodeTftp(action));
          return;
        case "end":
          if (action.outcome !== "complete") return session.finish(action.outcome, action.detail);
          return then(session, () => session.finish("complete"));
      }
    },
    heard: (state) => state.received > 0,
    bytes: () => stored,
    release: () => tail.then(() => sink.release()),
  });
}
