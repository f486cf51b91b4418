import { peerFinished, type Draft, type EarlyPiece, type TcpAction } from "./tcp-state.ts";

/** More gaps than a lossy network makes; whoever makes more must send again. */
const MOST_PIECES = 64;

/** Put a piece among those that came early; it is copied, and what is there already stays. */
function insert(early: readonly EarlyPiece[], at: number, bytes: Uint8Array): readonly EarlyPiece[] {
  const result: EarlyPiece[] = [];
  let from = at;
  const end = at + bytes.length;
  const add = (to: number): void => {
    if (to > from) result.push({ at: from, bytes: bytes.slice(from - at, to - at) });
  };
  for (const piece of early) {
    const behind = piece.at + piece.bytes.length;
    if (from < end && piece.at > from) add(Math.min(end, piece.at));
    result.push(piece);
    if (from < behind) from = Math.max(from, Math.min(end, behind));
  }
  add(end);
  return result.length > MOST_PIECES ? early : result;
}

/** Take a segment's data and FIN, as far as they lie in our window (RFC 9293 section 3.10.7.4, 7th and 8th). */
export function onData(
  draft: Draft,
  out: TcpAction[],
  segment: { readonly start: number; readonly data: Uint8Array; readonly fin: boolean },
): void {
  const { start, data, fin } = segment;
  const from = Math.max(start, draft.received);
  const to = Math.min(start + data.length, draft.edge, draft.peerEnd ?? Number.POSITIVE_INFINITY);
  if (fin && draft.peerEnd === undefined && start + data.length <= draft.edge) {
    const end = start + data.length;
    // A FIN before bytes that are here already is a lie.
    const last = draft.early.at(-1);
    if (end >= draft.received && (!last || last.at + last.bytes.length <= end)) {
      draft.peerEnd = end;
      draft.active = draft.ended && draft.most > draft.written;
    }
  }
  const deliver = (bytes: Uint8Array): void => {
    out.push({ kind: "deliver", bytes });
    draft.received += bytes.length;
    draft.unread += bytes.length;
  };
  if (to > from) {
    const bytes = data.subarray(from - start, to - start);
    if (from > draft.received) draft.early = insert(draft.early, from, bytes);
    else deliver(bytes);
  }
  let used = 0;
  for (const piece of draft.early) {
    if (piece.at > draft.received) break;
    used += 1;
    const fresh = piece.bytes.subarray(Math.max(0, draft.received - piece.at));
    if (fresh.length > 0) deliver(fresh);
  }
  if (used > 0) draft.early = draft.early.slice(used);
  if (draft.received === draft.peerEnd && !peerFinished(draft)) {
    draft.received += 1;
    out.push({ kind: "peer-ended" });
  }
}
