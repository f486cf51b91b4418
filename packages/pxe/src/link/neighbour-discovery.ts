import { foldSum, sumWords } from "./checksum.ts";
import { sameBytes } from "./ethernet.ts";
import { putWord, word } from "./ipv4.ts";

/** What comes of an IPv6 packet: the answer, and the card that it is for. */
export interface NeighbourAnswer {
  readonly toMac: Uint8Array;
  readonly packet: Uint8Array;
}

const HEADER = 40;
const ICMPV6 = 58;
const TYPE = { routerSolicitation: 133, routerAdvertisement: 134, solicitation: 135, advertisement: 136 };
const ALL_NODES = Uint8Array.of(255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const UNSPECIFIED = new Uint8Array(16);
/** Options of neighbour discovery that hold a card's address. */
const TARGET_MAC = 2;

/** The address that a card has by itself (RFC 4291, appendix A). */
export function linkLocal(mac: Uint8Array): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  return Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f);
}

function sumOf(from: Uint8Array, to: Uint8Array, message: Uint8Array): number {
  return foldSum(sumWords(message, sumWords(to, sumWords(from)) + message.length + ICMPV6));
}

function wrap(from: Uint8Array, to: Uint8Array, message: Uint8Array): Uint8Array {
  putWord(message, 2, sumOf(from, to, message));
  const bytes = new Uint8Array(HEADER + message.length);
  bytes[0] = 0x60;
  putWord(bytes, 4, message.length);
  bytes[6] = ICMPV6;
  bytes[7] = 255; // proves that no router passed it on
  bytes.set(from, 8);
  bytes.set(to, 24);
  bytes.set(message, HEADER);
  return bytes;
}

/**
 * Answer as much of IPv6 as ends a client's wait for it (RFC 4861): a router solicitation with "there is
 * none" (lifetime 0, no prefix; it spares old iPXE 16 s), and a question for our own address.
 */
export function answerNeighbour(
  bytes: Uint8Array,
  fromMac: Uint8Array,
  mac: Uint8Array,
): NeighbourAnswer | undefined {
  if (bytes.length < HEADER || (bytes[0] ?? 0) >> 4 !== 6) return undefined;
  const length = word(bytes, 4);
  if (bytes[6] !== ICMPV6 || bytes[7] !== 255 || length < 8 || bytes.length < HEADER + length)
    return undefined;
  const from = bytes.subarray(8, 24);
  const to = bytes.subarray(24, 40);
  const message = bytes.subarray(HEADER, HEADER + length);
  if (sumOf(from, to, message) !== 0 || message[1] !== 0) return undefined;
  const own = linkLocal(mac);
  if (message[0] === TYPE.routerSolicitation) {
    const advertisement = new Uint8Array(16);
    advertisement[0] = TYPE.routerAdvertisement;
    return { toMac: ALL_NODES_MAC, packet: wrap(own, ALL_NODES, advertisement) };
  }
  if (message[0] !== TYPE.solicitation || length < 24) return undefined;
  if (!sameBytes(message.subarray(8, 24), own)) return undefined;
  const detecting = sameBytes(from, UNSPECIFIED);
  const advertisement = new Uint8Array(32);
  advertisement[0] = TYPE.advertisement;
  // Solicited (unless nobody can be named) and overriding.
  advertisement[4] = detecting ? 0x20 : 0x60;
  advertisement.set(own, 8);
  advertisement.set([TARGET_MAC, 1], 24);
  advertisement.set(mac, 26);
  return detecting
    ? { toMac: ALL_NODES_MAC, packet: wrap(own, ALL_NODES, advertisement) }
    : { toMac: fromMac.slice(), packet: wrap(own, from, advertisement) };
}
