import { foldSum, pseudoHeaderSum, sumWords } from "./checksum.ts";
import { IP_PROTOCOL, putWord, word, type Ipv4Packet } from "./ipv4.ts";

/** A UDP datagram without its addresses, which are IP's. */
export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

export const UDP_HEADER = 8;

/** Read the datagram in a packet (RFC 768); undefined when it is damaged. */
export function parseUdp(packet: Ipv4Packet): UdpDatagram | undefined {
  const { payload } = packet;
  const length = word(payload, 4);
  if (payload.length < UDP_HEADER || length < UDP_HEADER || length > payload.length) return undefined;
  const bytes = payload.subarray(0, length);
  // Checksum zero: the sender made none.
  if (word(bytes, 6) !== 0) {
    const sum = pseudoHeaderSum(packet.from, packet.to, IP_PROTOCOL.udp, length);
    if (foldSum(sumWords(bytes, sum)) !== 0) return undefined;
  }
  return {
    sourcePort: word(bytes, 0),
    destinationPort: word(bytes, 2),
    data: bytes.subarray(UDP_HEADER),
  };
}

/** Put a datagram into a packet. */
export function encodeUdp(from: Uint8Array, to: Uint8Array, datagram: UdpDatagram): Ipv4Packet {
  const payload = new Uint8Array(UDP_HEADER + datagram.data.length);
  putWord(payload, 0, datagram.sourcePort);
  putWord(payload, 2, datagram.destinationPort);
  putWord(payload, 4, payload.length);
  payload.set(datagram.data, UDP_HEADER);
  const sum = pseudoHeaderSum(from, to, IP_PROTOCOL.udp, payload.length);
  // A sum of zero is sent as its other form, since zero says that there is none.
  putWord(payload, 6, foldSum(sumWords(payload, sum)) || 0xffff);
  return { from, to, protocol: IP_PROTOCOL.udp, payload };
}
