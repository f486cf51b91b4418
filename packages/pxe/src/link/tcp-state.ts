import type { TcpSegment } from "./tcp-segment.ts";

/**
 * One connection, server side. Positions in either stream are absolute: the SYN is at 0, the first byte at 1,
 * the FIN behind the last byte; on the wire the initial sequence number is added, modulo 2^32.
 */
export interface TcpState {
  readonly phase: "syn-received" | "open" | "time-wait" | "closed";

  /** Our initial sequence number, and what of ours is confirmed, sent, ever sent, and given by the program. */
  readonly iss: number;
  readonly una: number;
  readonly next: number;
  readonly most: number;
  readonly written: number;
  /** The program has said its last word; the FIN is at `written`. */
  readonly ended: boolean;

  /** The peer's initial sequence number, and how far we have its bytes in order. */
  readonly irs: number;
  readonly received: number;
  /** Bytes behind a gap, in order, not overlapping. */
  readonly early: readonly EarlyPiece[];
  /** Where the peer's FIN is, once it has come. */
  readonly peerEnd: number | undefined;
  /** Whether our FIN was out when the peer's came: then TIME-WAIT is ours. */
  readonly active: boolean;
  /** Delivered, but not read by the program. */
  readonly unread: number;
  /** The end of the window that the peer was told of. It never moves back. */
  readonly edge: number;

  /** The peer's window, the largest shift and segment it allows, and which segment told the window last. */
  readonly window: number;
  readonly scale: number | undefined;
  readonly mss: number;
  readonly windowSeq: number;
  readonly windowAck: number;

  /** Congestion control (RFC 5681, RFC 6582). */
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly duplicates: number;
  readonly recovering: boolean;
  readonly recover: number;

  /** Retransmission (RFC 6298); `timed` is the one segment whose round trip is being measured. */
  readonly roundTrip: { readonly mean: number; readonly deviation: number } | undefined;
  readonly rto: number;
  readonly backoff: number;
  readonly timed: { readonly end: number; readonly at: number } | undefined;
  /** When to wake up; infinity when there is nothing to wait for. */
  readonly deadline: number;
  /** Since when the peer owes an answer. */
  readonly quietSince: number;
  readonly retransmissions: number;
}

/** Bytes that came too early. */
export interface EarlyPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What happens to a connection. */
export type TcpEvent =
  | { readonly kind: "segment"; readonly segment: TcpSegment }
  /** The program gave so many more bytes to send, took so many, or said its last word. */
  | { readonly kind: "write"; readonly bytes: number }
  | { readonly kind: "read"; readonly bytes: number }
  | { readonly kind: "end" }
  | { readonly kind: "abort" }
  | { readonly kind: "timer" };

/** What the caller must do. */
export type TcpAction =
  /** Send a segment with `length` bytes of ours from position `from` on. */
  | {
      readonly kind: "send";
      readonly header: Omit<TcpSegment, "data" | "sourcePort" | "destinationPort">;
      readonly from: number;
      readonly length: number;
    }
  | { readonly kind: "open" }
  /** Bytes of the peer, in order; they are the segment's own memory. */
  | { readonly kind: "deliver"; readonly bytes: Uint8Array }
  | { readonly kind: "peer-ended" }
  /** Bytes before this position need not be kept any more. */
  | { readonly kind: "acked"; readonly below: number }
  | { readonly kind: "closed"; readonly reason: "done" | "reset" | "aborted" | "timeout" };

/** The outcome of a step. */
export interface TcpOutcome {
  readonly state: TcpState;
  readonly actions: readonly TcpAction[];
}

/** A state under change within one step. */
export type Draft = { -readonly [K in keyof TcpState]: TcpState[K] };

/** What our window can be without scaling: uploads here are small. */
export const CAPACITY = 65_535;

/** Position of a sequence number, near a known position. */
export function positionOf(seq: number, initial: number, near: number): number {
  return near + ((seq - ((initial + near) >>> 0)) | 0);
}

/** The bits that a segment has on the wire for its own position. */
export function sequenceOf(position: number, initial: number): number {
  return (initial + position) >>> 0;
}

export function finConfirmed(state: TcpState): boolean {
  return state.ended && state.una > state.written;
}

export function peerFinished(state: TcpState): boolean {
  return state.peerEnd !== undefined && state.received > state.peerEnd;
}
