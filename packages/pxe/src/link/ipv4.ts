import { foldSum, sumWords } from "./checksum.ts";

/** Numbers of the protocols inside IPv4 that this package speaks. */
export const IP_PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;

export const IPV4_HEADER = 20;

/** A whole packet: fragments are not put together, since no boot firmware sends any. */
export interface Ipv4Packet {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** Read a packet (RFC 791); undefined when it is damaged, a fragment, or claims to come from a group. */
export function parseIpv4Packet(bytes: Uint8Array): Ipv4Packet | undefined {
  const first = bytes[0] ?? 0;
  const header = (first & 15) * 4;
  if (first >> 4 !== 4 || header < IPV4_HEADER || bytes.length < header) return undefined;
  const length = word(bytes, 2);
  if (length < header || length > bytes.length) return undefined;
  // Offset zero and no more to come: the packet is whole.
  if ((word(bytes, 6) & 0x3fff) !== 0) return undefined;
  if (foldSum(sumWords(bytes.subarray(0, header))) !== 0) return undefined;
  if ((bytes[12] ?? 0) >= 224) return undefined;
  return {
    from: bytes.subarray(12, 16),
    to: bytes.subarray(16, 20),
    protocol: bytes[9] ?? 0,
    // Ethernet fills up short frames; the length is IP's.
    payload: bytes.subarray(header, length),
  };
}

/** Put a packet together; it says that it must not be fragmented (RFC 6864: then it needs no number). */
export function encodeIpv4Packet(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER + packet.payload.length);
  bytes[0] = 0x45;
  putWord(bytes, 2, bytes.length);
  bytes[6] = 0x40;
  bytes[8] = 64;
  bytes[9] = packet.protocol;
  bytes.set(packet.from, 12);
  bytes.set(packet.to, 16);
  putWord(bytes, 10, foldSum(sumWords(bytes.subarray(0, IPV4_HEADER))));
  bytes.set(packet.payload, IPV4_HEADER);
  return bytes;
}

/** Two bytes, big-endian. */
export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 255;
}
