/** Reads captures of UDP over IPv4 over Ethernet, as tcpdump writes them. */
import { formatIpv4 } from "../../src/index.ts";

export interface Datagram {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Uint8Array;
}

export function readPcap(bytes: Uint8Array): readonly Datagram[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24 || view.getUint32(0, true) !== 0xa1b2_c3d4) throw new Error("not a pcap file");
  const out: Datagram[] = [];
  for (let at = 24; at + 16 <= bytes.length;) {
    const length = view.getUint32(at + 8, true);
    const frame = at + 16;
    at = frame + length;
    if (at > bytes.length) break; // the capture ended here
    if (view.getUint16(frame + 12) !== 0x0800 || bytes[frame + 23] !== 17) continue;
    const udp = frame + 14 + ((bytes[frame + 14] ?? 0) & 15) * 4;
    out.push({
      from: formatIpv4(view.getUint32(frame + 26)),
      to: formatIpv4(view.getUint32(frame + 30)),
      fromPort: view.getUint16(udp),
      toPort: view.getUint16(udp + 2),
      payload: bytes.slice(udp + 8, udp + view.getUint16(udp + 4)),
    });
  }
  return out;
}
