/** A cable on which iPXE says that it has no HTTP, so that it is sent everywhere by TFTP. */
import { encodeDhcp, encodeSuboptions, parseDhcp, parseSuboptions, type FrameLink } from "../../src/index.ts";
import { encodeEthernet, parseEthernet } from "../../src/link/ethernet.ts";
import { encodeIpv4Packet, parseIpv4Packet } from "../../src/link/ipv4.ts";
import { encodeUdp, parseUdp } from "../../src/link/udp-datagram.ts";

const IPXE_OPTION = 175;
const HTTP_FEATURE = 19;

function changed(frame: Uint8Array): Uint8Array {
  const outer = parseEthernet(frame);
  const packet = outer?.type === 0x0800 ? parseIpv4Packet(outer.payload) : undefined;
  const datagram = packet?.protocol === 17 ? parseUdp(packet) : undefined;
  if (!outer || !packet || datagram?.destinationPort !== 67) return frame;
  const parsed = parseDhcp(datagram.data);
  const features = parsed.ok ? parsed.value.options.get(IPXE_OPTION) : undefined;
  if (!parsed.ok || !features) return frame;
  const kept = [...parseSuboptions(features)].filter(([code]) => code !== HTTP_FEATURE);
  const options = new Map(parsed.value.options).set(IPXE_OPTION, encodeSuboptions(kept));
  const data = encodeDhcp({ ...parsed.value, options });
  const { from, to } = packet;
  return encodeEthernet({ ...outer, payload: encodeIpv4Packet(encodeUdp(from, to, { ...datagram, data })) });
}

export function withoutHttp(link: FrameLink): FrameLink {
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const frame of link.frames) yield changed(frame);
  }
  return { frames: read(), send: (frame) => link.send(frame) };
}
