/**
 * QEMU's network cards have iPXE as their ROM and say so. On its way to the server a request can be made one of
 * other firmware: the bytes that tell of iPXE are taken out of it, and all else stays as the ROM sent it.
 */
import type { FrameLink } from "@justenough/pxe";

const ETHERNET = 14;
const PAD = 0;
/** Code, length and value of iPXE's own marks in a DHCP request. */
const USER_CLASS = 77;
const ENCAPSULATED = 175;

export interface Disguise {
  /** The ROM is no iPXE, until it has fetched something by TFTP: what then starts speaks for itself. */
  readonly as: "foreign-rom" | "ipxe-without-http";
}

/** A cable on which the requests of machines are disguised. */
export function disguised(link: FrameLink, { as }: Disguise): FrameLink {
  async function* frames(): AsyncGenerator<Uint8Array> {
    const chained = new Set<string>();
    for await (const frame of link.frames) {
      const mac = Buffer.from(frame.subarray(6, 12)).toString("hex");
      const port = udpPort(frame);
      if (port === 69) chained.add(mac);
      if (port !== 67 || (as === "foreign-rom" && chained.has(mac))) yield frame;
      else yield rewrite(frame, as);
    }
  }
  return { frames: frames(), send: (frame) => link.send(frame) };
}

/** The destination port of a frame that holds UDP over IPv4. */
function udpPort(frame: Uint8Array): number | undefined {
  const view = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < ETHERNET + 28 || view.readUInt16BE(12) !== 0x0800 || view[ETHERNET + 9] !== 17)
    return undefined;
  return view.readUInt16BE(udpStart(view) + 2);
}

const udpStart = (frame: Uint8Array): number => ETHERNET + ((frame[ETHERNET] ?? 0) & 15) * 4;

function rewrite(frame: Uint8Array, as: Disguise["as"]): Uint8Array {
  const copy = Buffer.from(frame);
  const udp = udpStart(copy);
  let at = udp + 8 + 240;
  while (at + 1 < copy.length && copy[at] !== 255) {
    if (copy[at] === PAD) {
      at += 1;
      continue;
    }
    const end = at + 2 + (copy[at + 1] ?? 0);
    if (as === "foreign-rom" && (copy[at] === USER_CLASS || copy[at] === ENCAPSULATED))
      copy.fill(PAD, at, end);
    // Feature 19 is HTTP; 99 is none.
    else if (copy[at] === ENCAPSULATED) {
      for (let sub = at + 2; sub + 1 < end; sub += 2 + (copy[sub + 1] ?? 0))
        if (copy[sub] === 19) copy[sub] = 99;
    }
    at = end;
  }
  // The checksum of UDP over IPv4 may be left out (RFC 768).
  copy.writeUInt16BE(0, udp + 6);
  return copy;
}
