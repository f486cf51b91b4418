/** Packets as another machine on the link would send them. */
import { foldSum, sumWords } from "../../src/link/checksum.ts";
import { encodeIpv4Packet } from "../../src/link/ipv4.ts";
import { linkLocal } from "../../src/link/neighbour-discovery.ts";

export const OWN = Uint8Array.of(10, 77, 0, 1);
export const OWN_MAC = Uint8Array.of(0x52, 0x55, 10, 77, 0, 1);
export const OTHER = Uint8Array.of(10, 77, 0, 9);
export const OTHER_MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);

export function echoRequest(text: string): Uint8Array {
  const payload = new Uint8Array(8 + text.length);
  payload.set([8, 0, 0, 0, 0, 1, 0, 1]);
  payload.set(new TextEncoder().encode(text), 8);
  const sum = foldSum(sumWords(payload));
  payload.set([sum >> 8, sum & 255], 2);
  return encodeIpv4Packet({ from: OTHER, to: OWN, protocol: 1, payload });
}

function icmp6(to: Uint8Array, message: Uint8Array): Uint8Array {
  const from = linkLocal(OTHER_MAC);
  const sum = foldSum(sumWords(message, sumWords(to, sumWords(from)) + message.length + 58));
  message.set([sum >> 8, sum & 255], 2);
  return Uint8Array.of(0x60, 0, 0, 0, 0, message.length, 58, 255, ...from, ...to, ...message);
}

export function routerSolicitation(): Uint8Array {
  const routers = Uint8Array.of(255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
  return icmp6(routers, Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0, 1, 1, ...OTHER_MAC));
}

export function neighbourSolicitation(target: Uint8Array): Uint8Array {
  const group = Uint8Array.of(255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, ...target.subarray(13));
  return icmp6(group, Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0, ...target, 1, 1, ...OTHER_MAC));
}
