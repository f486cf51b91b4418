import type { TftpTerms } from "../tftp-options.ts";
import { encodeTftp, TFTP_ERROR } from "../tftp-packet.ts";
import { startTransfer, stepTransfer, type TransferAction, type TransferState } from "../tftp-transfer.ts";
import type { OpenFile } from "../virtual-files.ts";
import type { Congestion } from "./congestion.ts";
import { readAhead, type PieceCache } from "./read-ahead.ts";
import { runSession, type Session, type SessionControl, type SessionParts } from "./tftp-session.ts";

/** How often a waiting transfer looks at the clock. */
const IDLE_MS = 50;

/** A client reads a file. The session owns `file` and closes it. */
export function readSession(
  parts: SessionParts & {
    readonly file: OpenFile;
    readonly terms: TftpTerms;
    readonly cache: PieceCache;
    readonly congestion: Congestion;
  },
): Session {
  const { file, terms, host, congestion } = parts;
  const { blksize } = terms;
  const source = readAhead(file, parts.cache);
  let complete = false;
  /** Free to be filled with the next block: an allocation for each would keep the garbage collector busy. */
  let buffer: Buffer | undefined;
  /** The blocks to send once what is being read has come; those asked for meanwhile replace them. */
  let waiting: { from: number; to: number } | undefined;

  const sendBlocks = (from: number, to: number, session: SessionControl<TransferState>): void => {
    if (waiting) {
      waiting = { from, to };
      return;
    }
    for (let block = from; block <= to; block++) {
      const offset = (block - 1) * blksize;
      const length = Math.min(blksize, file.size - offset);
      // The last, shorter block is a view of it.
      buffer ??= Buffer.allocUnsafe(4 + blksize);
      const datagram = length === blksize ? buffer : buffer.subarray(0, 4 + length);
      if (!source.fill(datagram, 4, offset, length)) {
        waiting = { from: block, to };
        source.load(offset, length).then(
          () => {
            const next = waiting;
            waiting = undefined;
            // What was confirmed meanwhile need not go out any more.
            if (next && !session.stopped) {
              sendBlocks(Math.max(next.from, session.state.acked + 1), next.to, session);
            }
          },
          (error: unknown) => session.fail(`Cannot read the file: ${String(error)}`, TFTP_ERROR.undefined),
        );
        return;
      }
      datagram[0] = 0;
      datagram[1] = 3;
      datagram[2] = (block >> 8) & 255;
      datagram[3] = block & 255;
      if (!session.send(datagram)) buffer = undefined;
    }
  };

  /** Bytes of this transfer that count as under way. */
  let underWay = 0;
  const count = (bytes: number, confirmed: boolean): void => {
    const more = bytes - underWay;
    underWay = bytes;
    if (more > 0) congestion.sent(more);
    else if (more < 0) congestion.arrived(-more, confirmed);
  };
  /** An answer that has come, but whose window has to wait for its turn. */
  let held: { readonly datagram: Uint8Array; readonly since: number } | undefined;
  let waited = 0;

  const session = runSession<TransferState, TransferAction>(parts, {
    first: startTransfer(file.size, terms, host.now()),
    step(state, input, now) {
      if (input.kind === "timer" && held)
        return { state: { ...state, deadline: now + IDLE_MS }, actions: [] };
      // The wait for its turn is no part of the round trip.
      const own =
        waited > 0 && state.sentAt !== undefined ? { ...state, sentAt: state.sentAt + waited } : state;
      waited = 0;
      const next = stepTransfer(own, input, now);
      if (next.state === own) return next;
      const { phase, sent, acked, retransmissions } = next.state;
      const again = retransmissions > state.retransmissions;
      // Behind a time-out nothing is known to be under way: a client that is gone must not stop others.
      count(phase === "data" && !again ? (sent - acked) * blksize : 0, true);
      if (state.heard && (again || (acked > state.acked && acked < state.sent))) congestion.lost();
      return next;
    },
    perform(action, control) {
      switch (action.kind) {
        case "oack":
          control.send(encodeTftp({ kind: "oack", options: terms.reply }));
          return;
        case "blocks":
          return sendBlocks(action.from, action.to, control);
        case "error":
          control.send(encodeTftp(action));
          return;
        case "end":
          complete = action.outcome === "complete";
          return control.finish(action.outcome, action.detail);
      }
    },
    heard: (state) => state.heard,
    bytes: (state) => (complete ? file.size : Math.min(file.size, state.acked * blksize)),
    release() {
      held = undefined;
      count(0, false);
      return file.close();
    },
  });

  return {
    ...session,
    receive(datagram) {
      if (datagram[1] !== 4) return session.receive(datagram);
      if (held) {
        held = { ...held, datagram };
        return;
      }
      count(0, true);
      if (!congestion.full()) return session.receive(datagram);
      held = { datagram, since: host.now() };
      congestion.wait(() => {
        const turn = held;
        held = undefined;
        if (!turn) return;
        waited = host.now() - turn.since;
        session.receive(turn.datagram);
      });
    },
  };
}
