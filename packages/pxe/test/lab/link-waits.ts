/** What a client waited for on a cable: from each of its questions to the first frame of the answer. */
import type { FrameLink } from "../../src/index.ts";
import { parseEthernet } from "../../src/link/ethernet.ts";
import { parseIpv4Packet, type Ipv4Packet } from "../../src/link/ipv4.ts";
import { parseTcp } from "../../src/link/tcp-segment.ts";
import { parseUdp } from "../../src/link/udp-datagram.ts";

export interface Waits {
  /** Milliseconds for each question (DHCP, TFTP request, HTTP request), in order. */
  readonly answers: readonly { readonly question: string; readonly milliseconds: number }[];
  /** The longest time that a client waited inside a TFTP transfer, from its ACK to our next block. */
  readonly longestBlock: number;
}

interface Flow {
  readonly key: string;
  readonly question: string | undefined;
  readonly data: boolean;
}

/** To whom a packet belongs: the client's port, and for TCP whether there are data in it. */
function flowOf(packet: Ipv4Packet, inward: boolean): Flow | undefined {
  if (packet.protocol === 17) {
    const datagram = parseUdp(packet);
    if (!datagram) return undefined;
    const { sourcePort, destinationPort, data } = datagram;
    const key = `udp ${inward ? sourcePort : destinationPort}`;
    if (!inward) return { key, question: undefined, data: true };
    if (destinationPort === 67) return { key, question: `dhcp ${data[242] ?? 0}`, data: true };
    if (destinationPort === 69)
      return {
        key,
        question: `tftp ${Buffer.from(data.subarray(2)).toString("latin1").split("\0")[0]}`,
        data: true,
      };
    return { key, question: undefined, data: true };
  }
  const segment = packet.protocol === 6 ? parseTcp(packet) : undefined;
  if (!segment) return undefined;
  const key = `tcp ${inward ? segment.sourcePort : segment.destinationPort}`;
  const text = Buffer.from(segment.data.subarray(0, 60)).toString("latin1");
  return {
    key,
    question: inward && /^(GET|HEAD|POST) /.test(text) ? text.split(" HTTP")[0] : undefined,
    data: text !== "",
  };
}

function packetOf(frame: Uint8Array): Ipv4Packet | undefined {
  const outer = parseEthernet(frame);
  return outer?.type === 0x0800 ? parseIpv4Packet(outer.payload) : undefined;
}

export function measureWaits(link: FrameLink): { link: FrameLink; waits(): Waits } {
  const asked = new Map<string, { question: string | undefined; at: number }>();
  const answers: { question: string; milliseconds: number }[] = [];
  let longestBlock = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const frame of link.frames) {
      const packet = packetOf(frame);
      const flow = packet && flowOf(packet, true);
      if (flow && (flow.question !== undefined || flow.key.startsWith("udp")) && !asked.has(flow.key))
        asked.set(flow.key, { question: flow.question, at: performance.now() });
      yield frame;
    }
  }
  return {
    waits: () => ({ answers, longestBlock }),
    link: {
      frames: read(),
      send(frame) {
        const packet = packetOf(frame);
        const flow = packet && flowOf(packet, false);
        const question = flow?.data === true ? asked.get(flow.key) : undefined;
        if (flow && question) {
          asked.delete(flow.key);
          const milliseconds = performance.now() - question.at;
          if (question.question === undefined) longestBlock = Math.max(longestBlock, milliseconds);
          else answers.push({ question: question.question, milliseconds });
        }
        return link.send(frame);
      },
    },
  };
}
