import type { TftpTerms } from "../tftp-options.ts";
import { encodeTftp, TFTP_ERROR } from "../tftp-packet.ts";
import { startTransfer, stepTransfer, type TransferAction, type TransferState } from "../tftp-transfer.ts";
import type { OpenFile } from "../virtual-files.ts";
import { readAhead } from "./read-ahead.ts";
import { runSession, type Session, type SessionControl, type SessionParts } from "./tftp-session.ts";

/** A client reads a file. The session owns `file` and closes it. */
export function readSession(
  parts: SessionParts & { readonly file: OpenFile; readonly terms: TftpTerms; readonly memory: number },
): Session {
  const { file, terms } = parts;
  const { blksize } = terms;
  const source = readAhead(file, { window: blksize * terms.windowsize, memory: parts.memory });
  let complete = false;
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
      const datagram = Buffer.allocUnsafe(4 + length);
      if (!source.fill(datagram, 4, offset, length)) {
        waiting = { from: block, to };
        source.load(offset, (to - block + 1) * blksize).then(
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
      session.send(datagram);
    }
  };

  return runSession<TransferState, TransferAction>(parts, {
    first: startTransfer(file.size, terms, parts.host.now()),
    step: stepTransfer,
    perform(action, session) {
      switch (action.kind) {
        case "oack":
          return session.send(encodeTftp({ kind: "oack", options: terms.reply }));
        case "blocks":
          return sendBlocks(action.from, action.to, session);
        case "error":
          return session.send(encodeTftp(action));
        case "end":
          complete = action.outcome === "complete";
          return session.finish(action.outcome, action.detail);
      }
    },
    heard: (state) => state.heard,
    bytes: (state) => (complete ? file.size : Math.min(file.size, state.acked * blksize)),
    release: () => file.close(),
  });
}
