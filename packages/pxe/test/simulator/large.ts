/** A file too large to be stored anywhere: the two engines alone, each block compared as it comes. */
import {
  agreeOptions,
  encodeTftp,
  parseTftp,
  startFetch,
  startTransfer,
  stepFetch,
  stepTransfer,
  type FetchOutcome,
  type TransferOutcome,
} from "../../src/index.ts";
import { checker, contentAt } from "./content.ts";
import { seeded } from "./random.ts";

/** What to simulate; every so many datagrams one is lost. */
export interface LargeCase {
  readonly seed: number;
  readonly size: number;
  readonly blksize: number;
  readonly windowsize: number;
  readonly lossEvery: number;
}

/** What came of it. */
export interface LargeReport {
  readonly outcome: string | undefined;
  readonly bytes: number;
  readonly exact: boolean;
  readonly blocks: number;
  readonly retransmissions: number;
}

/** Run the engines against each other on a wire that keeps the order and now and then loses a datagram. */
export function simulateLarge(one: LargeCase): LargeReport {
  const random = seeded(one.seed);
  const { blksize, windowsize, size } = one;
  const check = checker();
  const wire: { readonly to: "client" | "server"; readonly bytes: Uint8Array }[] = [];
  let head = 0;
  let now = 0;
  let outcome: string | undefined;
  const post = (to: "client" | "server", bytes: Uint8Array): void => {
    if (random.below(one.lossEvery) > 0) wire.push({ to, bytes });
  };

  const terms = agreeOptions(
    new Map([
      ["blksize", String(blksize)],
      ["windowsize", String(windowsize)],
      ["tsize", "0"],
    ]),
    size,
  );
  let sender = startTransfer(size, terms, now);
  const server = (next: TransferOutcome): void => {
    sender = next;
    for (const action of next.actions) {
      if (action.kind === "oack") post("client", encodeTftp({ kind: "oack", options: terms.reply }));
      if (action.kind !== "blocks") continue;
      for (let block = action.from; block <= action.to; block++) {
        const offset = (block - 1) * blksize;
        const bytes = contentAt(offset, Math.min(blksize, size - offset));
        post("client", encodeTftp({ kind: "data", block: block & 0xffff, bytes }));
      }
    }
  };
  let receiver = startFetch({ file: "large", blksize, windowsize, tsize: true }, now);
  const client = (next: FetchOutcome): void => {
    receiver = next;
    for (const action of next.actions) {
      if (action.kind === "send") post("server", encodeTftp(action.packet));
      if (action.kind === "store") check.take(action.bytes);
      if (action.kind === "end") ({ outcome } = action);
    }
  };

  server(sender);
  while (sender.state.phase !== "done" && receiver.state.phase !== "done") {
    const next = wire[head];
    if (!next) {
      now = Math.min(sender.state.deadline, receiver.state.deadline);
      server(stepTransfer(sender.state, { kind: "timer" }, now));
      client(stepFetch(receiver.state, { kind: "timer" }, now));
      continue;
    }
    if (++head === 1024) {
      wire.splice(0, head);
      head = 0;
    }
    now += 0.01;
    const parsed = parseTftp(next.bytes);
    if (!parsed.ok) throw new Error(parsed.reason);
    const packet = parsed.value;
    if (next.to === "server") server(stepTransfer(sender.state, { kind: "packet", packet }, now));
    else client(stepFetch(receiver.state, { kind: "packet", packet, port: 4000 }, now));
  }
  const { retransmissions } = sender.state;
  return {
    outcome,
    bytes: check.bytes,
    exact: check.exact,
    blocks: Math.floor(size / blksize) + 1,
    retransmissions,
  };
}
