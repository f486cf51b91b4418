/** A client's side of a connection out of the server's engine, for simulations: the handshake is done by hand. */
import { acceptTcp } from "../../src/link/tcp-engine.ts";
import { TCP_FLAG, type TcpSegment } from "../../src/link/tcp-segment.ts";
import type { TcpAction, TcpState } from "../../src/link/tcp-state.ts";

export type Sent = Extract<TcpAction, { kind: "send" }>;

export const PORTS = { sourcePort: 40_000, destinationPort: 80 } as const;
const NONE = new Uint8Array(0);

/** A segment from the client. */
export function segment(fields: Partial<TcpSegment> & Pick<TcpSegment, "seq" | "flags">): TcpSegment {
  return { ...PORTS, ack: 0, window: 65_535, data: NONE, ...fields };
}

/** What the client's kernel would hold after the three segments of the handshake. */
export function clientState(syn: TcpSegment, synAck: Sent["header"], now: number): TcpState {
  // As if the server's SYN had been answered, then turned around.
  const { state } = acceptTcp(
    { ...syn, seq: synAck.seq, mss: synAck.mss, scale: synAck.scale },
    syn.seq,
    now,
  );
  return {
    ...state,
    phase: "open",
    una: 1,
    timed: undefined,
    window: synAck.window,
    windowSeq: 0,
    windowAck: 1,
    deadline: Number.POSITIVE_INFINITY,
  };
}

/** The last word of the handshake. */
export function handshakeAck(syn: TcpSegment, synAck: Sent["header"]): TcpSegment {
  return segment({ seq: (syn.seq + 1) >>> 0, ack: (synAck.seq + 1) >>> 0, flags: TCP_FLAG.ack });
}
