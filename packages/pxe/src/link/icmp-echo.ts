import { foldSum, sumWords } from "./checksum.ts";
import { IP_PROTOCOL, putWord, type Ipv4Packet } from "./ipv4.ts";

/** The answer to a ping (RFC 792, RFC 1122 section 3.2.2.6); undefined for all other and damaged messages. */
export function echoReply(packet: Ipv4Packet): Ipv4Packet | undefined {
  const { payload } = packet;
  if (payload.length < 8 || payload[0] !== 8 || payload[1] !== 0) return undefined;
  if (foldSum(sumWords(payload)) !== 0) return undefined;
  const answer = payload.slice();
  answer[0] = 0;
  putWord(answer, 2, 0);
  putWord(answer, 2, foldSum(sumWords(answer)));
  return { from: packet.to, to: packet.from, protocol: IP_PROTOCOL.icmp, payload: answer };
}
