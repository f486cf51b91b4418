import type { TftpHost, TftpPeer, TftpPort } from "../tftp-host.ts";
import { encodeTftp, parseTftp, TFTP_ERROR, type TftpPacket } from "../tftp-packet.ts";

/** How a transfer went. */
export interface SessionResult {
  readonly outcome: "complete" | "probe" | "refused" | "failed";
  readonly bytes: number;
  readonly milliseconds: number;
  readonly retransmissions: number;
  readonly detail?: string;
}

/** A transfer under way: an engine, its port and its file. */
export interface Session {
  start(): void;
  receive(datagram: Uint8Array): void;
  /** Whether the client has confirmed anything: until then it may be a forged address. */
  heard(): boolean;
  /** When the client last confirmed something new. */
  quietSince(): number;
  /** Whether the result is known, and only repeated last packets are answered. */
  over(): boolean;
  /** End it; the client is told unless it has turned away by itself. */
  abandon(reason: string, tell: boolean): Promise<void>;
}

/** What all engines' states have. */
interface EngineState {
  readonly phase: string;
  readonly deadline: number;
  readonly quietSince: number;
  readonly retransmissions: number;
}

type EngineInput = { readonly kind: "packet"; readonly packet: TftpPacket } | { readonly kind: "timer" };

interface Outcome<State, Action> {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** What a session is made of. */
export interface SessionParts {
  readonly host: TftpHost;
  readonly port: TftpPort;
  readonly client: TftpPeer;
  /** The result is known. */
  ended(result: SessionResult): void;
  /** Port and file are closed; called once, last. */
  closed(): void;
}

/** What a kind of session does in its own way. */
export interface SessionKind<State extends EngineState, Action> {
  readonly first: Outcome<State, Action>;
  step(state: State, input: EngineInput, now: number): Outcome<State, Action>;
  perform(action: Action, session: SessionControl<State>): void;
  heard(state: State): boolean;
  /** Bytes that have arrived, for the result of a transfer that did not end well. */
  bytes(state: State): number;
  /** Give back the file. */
  release(): Promise<void>;
}

/** What a kind of session can do in turn. */
export interface SessionControl<State> {
  readonly state: State;
  readonly stopped: boolean;
  /** Whether the bytes have gone and may be overwritten. */
  send(datagram: Uint8Array): boolean;
  finish(outcome: SessionResult["outcome"], detail?: string): void;
  /** End as failed because of this machine, and tell the client. */
  fail(message: string, code?: number): void;
}

/** Run an engine: feed it packets and time, let `kind` do what it says. */
export function runSession<State extends EngineState, Action>(
  parts: SessionParts,
  kind: SessionKind<State, Action>,
): Session {
  const { host, port, client } = parts;
  const began = host.now();
  let state = kind.first.state;
  let cancel: (() => void) | undefined;
  let finished = false;
  let stopping: Promise<void> | undefined;

  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      cancel?.();
      await Promise.allSettled([kind.release(), host.open ? port.close() : undefined]);
      parts.closed();
    })());

  const control: SessionControl<State> = {
    get state() {
      return state;
    },
    get stopped() {
      return stopping !== undefined;
    },
    send(datagram) {
      return !stopping && port.send(datagram, client);
    },
    finish(outcome, detail) {
      if (!finished) {
        finished = true;
        parts.ended({
          outcome,
          bytes: kind.bytes(state),
          milliseconds: host.now() - began,
          retransmissions: state.retransmissions,
          ...(detail === undefined ? {} : { detail }),
        });
      }
      if (outcome !== "complete" || state.phase === "done") void stop();
    },
    fail(message, code = TFTP_ERROR.undefined) {
      this.send(encodeTftp({ kind: "error", code, message }));
      this.finish("failed", message);
    },
  };

  const arm = (): void => {
    if (stopping || cancel || state.deadline === Number.POSITIVE_INFINITY) return;
    // The timer is left alone while answers push the deadline out; it is set again when it comes early.
    cancel = host.wake(state.deadline, () => {
      cancel = undefined;
      advance(kind.step(state, { kind: "timer" }, host.now()));
    });
  };

  const advance = (next: Outcome<State, Action>): void => {
    if (stopping) return;
    if (next.state.deadline < state.deadline) {
      cancel?.();
      cancel = undefined;
    }
    state = next.state;
    for (const action of next.actions) kind.perform(action, control);
    if (state.phase === "done" && finished) void stop();
    arm();
  };

  return {
    start: () => advance(kind.first),
    receive(datagram) {
      if (stopping) return;
      const parsed = parseTftp(datagram);
      if (parsed.ok) advance(kind.step(state, { kind: "packet", packet: parsed.value }, host.now()));
    },
    heard: () => kind.heard(state),
    quietSince: () => state.quietSince,
    over: () => finished,
    abandon(reason, tell) {
      const message = "Transfer ended by the server";
      if (!finished) {
        if (tell) control.send(encodeTftp({ kind: "error", code: TFTP_ERROR.undefined, message }));
        control.finish("failed", reason);
      }
      return stop();
    },
  };
}
