/** The types that this package speaks (IEEE 802 numbers). */
export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

/** Two addresses and a type. */
export const ETHERNET_HEADER = 14;
/** The most bytes behind the header: larger frames are no use to a network card. */
export const MTU = 1500;

export const BROADCAST_MAC = new Uint8Array(6).fill(255);

/** A frame without its checksum, as virtual networks carry it; the payload may have padding behind it. */
export interface EthernetFrame {
  readonly to: Uint8Array;
  readonly from: Uint8Array;
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Read a frame; undefined when it is none, or has a group's address as its sender. */
export function parseEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  if (bytes.length < ETHERNET_HEADER || bytes.length > ETHERNET_HEADER + 65_535) return undefined;
  if (isGroupMac(bytes.subarray(6, 12))) return undefined;
  return {
    to: bytes.subarray(0, 6),
    from: bytes.subarray(6, 12),
    type: ((bytes[12] as number) << 8) | (bytes[13] as number),
    payload: bytes.subarray(ETHERNET_HEADER),
  };
}

/** Put a frame together. Short ones are not filled up: only a real wire needs that. */
export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER + frame.payload.length);
  bytes.set(frame.to, 0);
  bytes.set(frame.from, 6);
  bytes[12] = frame.type >> 8;
  bytes[13] = frame.type & 255;
  bytes.set(frame.payload, ETHERNET_HEADER);
  return bytes;
}

/** True for multicast and broadcast. */
export function isGroupMac(mac: Uint8Array): boolean {
  return ((mac[0] ?? 0) & 1) === 1;
}

/** True when two addresses are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
