import { foldSum, pseudoHeaderSum, sumWords } from "./checksum.ts";
import { IP_PROTOCOL, putWord, word, type Ipv4Packet } from "./ipv4.ts";

/** Control bits (RFC 9293 section 3.1). */
export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export const TCP_HEADER = 20;

/** A TCP segment without its addresses, which are IP's. */
export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  /** Maximum segment size and window scale (RFC 7323), where the options name them. */
  readonly mss?: number | undefined;
  readonly scale?: number | undefined;
  readonly data: Uint8Array;
}

const OPTION = { end: 0, nothing: 1, mss: 2, scale: 3 };
const NO_DATA = new Uint8Array(0);

function long(bytes: Uint8Array, at: number): number {
  return word(bytes, at) * 65_536 + word(bytes, at + 2);
}

function putLong(bytes: Uint8Array, at: number, value: number): void {
  putWord(bytes, at, value >>> 16);
  putWord(bytes, at + 2, value & 0xffff);
}

/** The two options that are understood; others are passed over, and a damaged list ends where it is damaged. */
function readOptions(bytes: Uint8Array): Pick<TcpSegment, "mss" | "scale"> {
  const found: { mss?: number; scale?: number } = {};
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at] as number;
    if (kind === OPTION.end) break;
    if (kind === OPTION.nothing) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    if (kind === OPTION.mss && length === 4) found.mss = word(bytes, at + 2);
    // More than 14 is to be taken as 14 (RFC 7323 section 2.3).
    if (kind === OPTION.scale && length === 3) found.scale = Math.min(14, bytes[at + 2] as number);
    at += length;
  }
  return found;
}

/** Read the segment in a packet; undefined when it is damaged. */
export function parseTcp(packet: Ipv4Packet): TcpSegment | undefined {
  const { payload } = packet;
  const header = ((payload[12] ?? 0) >> 4) * 4;
  if (payload.length < TCP_HEADER || header < TCP_HEADER || header > payload.length) return undefined;
  const sum = pseudoHeaderSum(packet.from, packet.to, IP_PROTOCOL.tcp, payload.length);
  if (foldSum(sumWords(payload, sum)) !== 0) return undefined;
  const flags = (payload[13] as number) & 63;
  return {
    sourcePort: word(payload, 0),
    destinationPort: word(payload, 2),
    seq: long(payload, 4),
    ack: long(payload, 8),
    flags,
    window: word(payload, 14),
    ...((flags & TCP_FLAG.syn) === 0 ? {} : readOptions(payload.subarray(TCP_HEADER, header))),
    data: payload.subarray(header),
  };
}

/** Put a segment into a packet; its data may come in parts, which are copied. */
export function encodeTcp(
  from: Uint8Array,
  to: Uint8Array,
  segment: Omit<TcpSegment, "data">,
  data: readonly Uint8Array[] = [NO_DATA],
): Ipv4Packet {
  const { mss, scale } = segment;
  const header = TCP_HEADER + (mss === undefined ? 0 : 4) + (scale === undefined ? 0 : 4);
  const payload = new Uint8Array(data.reduce((sum, part) => sum + part.length, header));
  putWord(payload, 0, segment.sourcePort);
  putWord(payload, 2, segment.destinationPort);
  putLong(payload, 4, segment.seq);
  putLong(payload, 8, segment.ack);
  payload[12] = (header / 4) << 4;
  payload[13] = segment.flags;
  putWord(payload, 14, segment.window);
  let at = TCP_HEADER;
  if (mss !== undefined) {
    payload.set([OPTION.mss, 4, mss >> 8, mss & 255], at);
    at += 4;
  }
  if (scale !== undefined) {
    payload.set([OPTION.nothing, OPTION.scale, 3, scale], at);
    at += 4;
  }
  for (const part of data) {
    payload.set(part, at);
    at += part.length;
  }
  putWord(
    payload,
    16,
    foldSum(sumWords(payload, pseudoHeaderSum(from, to, IP_PROTOCOL.tcp, payload.length))),
  );
  return { from, to, protocol: IP_PROTOCOL.tcp, payload };
}
