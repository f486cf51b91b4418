import type { RemoteInfo } from "node:dgram";
import type { TftpTerms } from "../tftp-options.ts";
import { encodeTftp, parseTftp, TFTP_ERROR } from "../tftp-packet.ts";
import {
  startTransfer,
  stepTransfer,
  type TransferAction,
  type TransferOutcome,
  type TransferState,
} from "../tftp-transfer.ts";
import type { OpenFile } from "../virtual-files.ts";
import { readAhead } from "./read-ahead.ts";
import { closeUdp, type UdpSocket } from "./udp.ts";

/** How a transfer went. */
export interface SessionSummary {
  readonly client: string;
  readonly file: string;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly outcome: "complete" | "probe" | "refused" | "failed";
  readonly retransmissions: number;
  readonly detail?: string;
}

/** A transfer on its own socket: the engine's arms and legs. */
export interface Session {
  start(): void;
  /** Whether the client has confirmed anything. */
  heard(): boolean;
  abandon(reason: string): void;
  readonly ended: Promise<SessionSummary>;
}

/** Make a session; it owns `socket` and `file` and closes both when it ends. */
export function createSession(parts: {
  socket: UdpSocket;
  file: OpenFile;
  terms: TftpTerms;
  client: RemoteInfo;
  name: string;
}): Session {
  const { socket, file, terms, client, name } = parts;
  const source = readAhead(file);
  const began = performance.now();
  let resolve: (summary: SessionSummary) => void;
  const ended = new Promise<SessionSummary>((done) => {
    resolve = done;
  });
  const first = startTransfer(file.size, terms, began);
  let state: TransferState = first.state;
  let wake: NodeJS.Timeout | undefined;
  let over = false;

  const send = (parts: readonly Uint8Array[]): void => {
    // A lost datagram and one that could not be sent are the same thing: the timer repeats it.
    if (!over) socket.send(parts, client.port, client.address, () => undefined);
  };

  const finish = (result: Pick<SessionSummary, "outcome" | "detail">): void => {
    if (over) return;
    over = true;
    clearTimeout(wake);
    const summary: SessionSummary = {
      client: client.address,
      file: name,
      bytes: result.outcome === "complete" ? file.size : Math.min(file.size, state.acked * terms.blksize),
      milliseconds: performance.now() - began,
      retransmissions: state.retransmissions,
      ...result,
    };
    void Promise.allSettled([closeUdp(socket), file.close()]).then(() => resolve(summary));
  };

  const sendBlocks = (from: number, to: number): void => {
    for (let block = from; block <= to; block++) {
      const offset = (block - 1) * terms.blksize;
      const bytes = source.peek(offset, terms.blksize);
      if (!bytes) {
        source.load(offset, (to - block + 1) * terms.blksize).then(
          () => {
            // What was confirmed meanwhile need not go out any more.
            if (!over) sendBlocks(Math.max(block, state.acked + 1), to);
          },
          (error: unknown) => {
            const message = `Cannot read the file: ${String(error)}`;
            send([encodeTftp({ kind: "error", code: TFTP_ERROR.undefined, message })]);
            finish({ outcome: "failed", detail: message });
          },
        );
        return;
      }
      send([Uint8Array.of(0, 3, (block >> 8) & 255, block & 255), ...bytes]);
    }
  };

  const perform = (action: TransferAction): void => {
    switch (action.kind) {
      case "oack":
        return send([encodeTftp({ kind: "oack", options: terms.reply })]);
      case "blocks":
        return sendBlocks(action.from, action.to);
      case "error":
        return send([encodeTftp(action)]);
      case "end":
        return finish({
          outcome: action.outcome,
          ...(action.detail === undefined ? {} : { detail: action.detail }),
        });
    }
  };

  const arm = (): void => {
    if (over || wake) return;
    const delay = Math.max(1, Math.ceil(state.deadline - performance.now()));
    // The timer is left alone while ACKs push the deadline out; it re-arms itself when it fires early.
    wake = setTimeout(() => {
      wake = undefined;
      advance(stepTransfer(state, { kind: "timer" }, performance.now()));
    }, delay);
  };

  const advance = (next: TransferOutcome): void => {
    const sooner = next.state.deadline < state.deadline;
    state = next.state;
    if (sooner) {
      clearTimeout(wake);
      wake = undefined;
    }
    for (const action of next.actions) perform(action);
    arm();
  };

  socket.on("message", (bytes, from) => {
    if (from.address !== client.address || from.port !== client.port) {
      const error = { kind: "error", code: TFTP_ERROR.unknownTransfer, message: "Unknown transfer" } as const;
      if (!over) socket.send(encodeTftp(error), from.port, from.address, () => undefined);
      return;
    }
    const parsed = parseTftp(bytes);
    if (parsed.ok) advance(stepTransfer(state, { kind: "packet", packet: parsed.value }, performance.now()));
  });
  socket.on("error", (error) => finish({ outcome: "failed", detail: error.message }));

  return {
    start: () => advance(first),
    heard: () => state.heard,
    abandon: (detail) => {
      send([
        encodeTftp({ kind: "error", code: TFTP_ERROR.undefined, message: "Transfer ended by the server" }),
      ]);
      finish({ outcome: "failed", detail });
    },
    ended,
  };
}
