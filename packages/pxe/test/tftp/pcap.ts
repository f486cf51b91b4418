/** A UDP datagram of a capture. */
export interface CapturedDatagram {
  /** Milliseconds since the first one. */
  readonly at: number;
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  readonly bytes: Uint8Array;
}

/** Read the IPv4 UDP datagrams of a capture file of tcpdump's (little-endian, Ethernet). */
export function readPcap(file: Buffer): CapturedDatagram[] {
  if (file.readUInt32LE(0) !== 0xa1b2_c3d4 || file.readUInt32LE(20) !== 1) {
    throw new Error("not a capture of Ethernet in microseconds");
  }
  const datagrams: CapturedDatagram[] = [];
  let first: number | undefined;
  for (let at = 24; at + 16 <= file.length;) {
    const time = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 17) continue;
    const udp = 14 + ((frame[14] ?? 0) & 15) * 4;
    const address = (from: number): string => frame.subarray(from, from + 4).join(".");
    first ??= time;
    datagrams.push({
      at: time - first,
      from: { address: address(26), port: frame.readUInt16BE(udp) },
      to: { address: address(30), port: frame.readUInt16BE(udp + 2) },
      bytes: Uint8Array.from(frame.subarray(udp + 8, udp + frame.readUInt16BE(udp + 4))),
    });
  }
  return datagrams;
}
