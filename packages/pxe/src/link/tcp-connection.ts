import type { Ipv4Packet } from "./ipv4.ts";
import { sendQueue } from "./send-queue.ts";
import { acceptTcp, stepTcp } from "./tcp-engine.ts";
import { encodeTcp, type TcpSegment } from "./tcp-segment.ts";
import type { TcpAction, TcpEvent, TcpOutcome, TcpState } from "./tcp-state.ts";
import { tcpStream, type StreamControl, type TcpStream } from "./tcp-stream.ts";

/** What a program may give before it must wait for confirmations. */
const SEND_BUFFER = 256 * 1024;

/** One connection: the engine's arms and legs. */
export interface TcpConnection {
  readonly state: TcpState;
  receive(segment: TcpSegment): void;
  abort(): void;
  /** Leave without a word. */
  drop(): void;
}

const REASONS = {
  reset: { code: "ECONNRESET", message: "The peer reset the connection" },
  timeout: { code: "ETIMEDOUT", message: "The peer does not answer" },
  aborted: { code: "ECONNABORTED", message: "The connection was cut" },
} as const;

/** Begin a connection with the peer's SYN. */
export function tcpConnection(options: {
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
  readonly syn: TcpSegment;
  readonly iss: number;
  readonly send: (packet: Ipv4Packet) => void;
  readonly onOpen: (stream: TcpStream) => void;
  readonly onClosed: () => void;
}): TcpConnection {
  const { own, peer, syn } = options;
  const queue = sendQueue(1);
  const events: TcpEvent[] = [];
  let control: StreamControl | undefined;
  let wake: NodeJS.Timeout | undefined;
  let busy = false;
  let over = false;

  const perform = (action: TcpAction): void => {
    switch (action.kind) {
      case "send": {
        const header = {
          ...action.header,
          sourcePort: syn.destinationPort,
          destinationPort: syn.sourcePort,
        };
        options.send(encodeTcp(own, peer, header, queue.parts(action.from, action.length)));
        return;
      }
      case "open":
        control = tcpStream(
          { address: peer.join("."), port: syn.sourcePort },
          {
            write(bytes) {
              queue.push(bytes);
              step({ kind: "write", bytes: bytes.length });
            },
            full: () => queue.length > SEND_BUFFER,
            read: (bytes) => step({ kind: "read", bytes }),
            end: () => step({ kind: "end" }),
            abort: () => step({ kind: "abort" }),
          },
        );
        options.onOpen(control.stream);
        return;
      case "deliver":
        // What comes for a program that has left is answered as a closed door is (RFC 9293 section 3.6.1).
        if (control?.stream.destroyed === true) step({ kind: "abort" });
        else control?.deliver(action.bytes);
        return;
      case "peer-ended":
        control?.peerEnded();
        return;
      case "acked":
        queue.release(action.below);
        control?.resume();
        return;
      case "closed": {
        over = true;
        clearTimeout(wake);
        queue.release(Number.POSITIVE_INFINITY);
        options.onClosed();
        const reason = action.reason === "done" ? undefined : REASONS[action.reason];
        control?.closed(reason && Object.assign(new Error(reason.message), { code: reason.code }));
      }
    }
  };

  const advance = (outcome: TcpOutcome): void => {
    const sooner = outcome.state.deadline < state.deadline;
    state = outcome.state;
    for (const action of outcome.actions) perform(action);
    if (over || !sooner) return;
    clearTimeout(wake);
    wake = undefined;
  };

  const arm = (): void => {
    if (over || wake || state.deadline === Number.POSITIVE_INFINITY) return;
    // The timer is left alone while ACKs push the deadline out; it re-arms itself when it fires early.
    const delay = Math.max(1, Math.ceil(state.deadline - performance.now()));
    wake = setTimeout(() => {
      wake = undefined;
      step({ kind: "timer" });
    }, delay);
  };

  // A program may write while it is handed bytes: one step is performed whole before the next begins.
  const step = (event: TcpEvent): void => {
    if (over) return;
    events.push(event);
    if (busy) return;
    busy = true;
    try {
      for (let next = events.shift(); next; next = events.shift())
        advance(stepTcp(state, next, performance.now()));
    } finally {
      busy = false;
    }
    arm();
  };

  const first = acceptTcp(syn, options.iss, performance.now());
  let state = first.state;
  busy = true;
  advance(first);
  busy = false;
  arm();
  return {
    get state() {
      return state;
    },
    receive: (segment) => step({ kind: "segment", segment }),
    abort: () => step({ kind: "abort" }),
    drop() {
      over = true;
      clearTimeout(wake);
      control?.closed(Object.assign(new Error(REASONS.aborted.message), { code: REASONS.aborted.code }));
    },
  };
}
