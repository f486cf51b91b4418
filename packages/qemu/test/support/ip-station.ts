import type { CodePort } from "../../src/net.ts";

/** As much of IPv4 as answers and asks for ARP (RFC 826) and echoes (RFC 792). */
export interface IpStation {
  /** Resolves with the data that came back. */
  ping(address: string, data: string): Promise<string>;
}

const ARP = 0x0806;
const IP = 0x0800;
const ICMP = 1;

const bytesOf = (address: string): Buffer => Buffer.from(address.split(".").map(Number));

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

export function ipStation(port: CodePort, mac: Uint8Array, address: string): IpStation {
  const own = bytesOf(address);
  const waiting = new Map<string, (answer: Buffer) => void>();
  const answerTo = (key: string): Promise<Buffer> =>
    new Promise((resolve) => {
      waiting.set(key, resolve);
    });

  const frame = (to: Uint8Array, type: number, ...parts: readonly Uint8Array[]): Uint8Array =>
    Buffer.concat([to, mac, Uint8Array.of(type >> 8, type & 255), ...parts]);

  const arp = (operation: number, mac2: Uint8Array, address2: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.of(0, 1, 8, 0, 6, 4, 0, operation), mac, own, mac2, address2]);

  const echo = (type: number, to: Uint8Array, rest: Buffer): Uint8Array[] => {
    const icmp = Buffer.concat([Uint8Array.of(type, 0, 0, 0), rest]);
    icmp.writeUInt16BE(checksum(icmp), 2);
    const header = Buffer.concat([Uint8Array.of(0x45, 0, 0, 0, 0, 0, 0, 0, 64, ICMP, 0, 0), own, to]);
    header.writeUInt16BE(header.length + icmp.length, 2);
    header.writeUInt16BE(checksum(header), 10);
    return [header, icmp];
  };

  const receive = (bytes: Buffer): void => {
    const type = bytes.readUInt16BE(12);
    const sender = bytes.subarray(6, 12);
    if (type === ARP && bytes.subarray(38, 42).equals(own)) {
      if (bytes[21] === 1)
        port.send(frame(sender, ARP, arp(2, bytes.subarray(22, 28), bytes.subarray(28, 32))));
      else waiting.get(`arp ${bytes.subarray(28, 32).join(".")}`)?.(bytes.subarray(22, 28));
    }
    if (type !== IP || bytes[23] !== ICMP || !bytes.subarray(30, 34).equals(own)) return;
    // Ethernet fills up short frames; the length is IP's.
    const icmp = bytes.subarray(34, 14 + bytes.readUInt16BE(16));
    if (checksum(icmp) !== 0) throw new Error("An echo with a wrong checksum");
    if (icmp[0] === 8) port.send(frame(sender, IP, ...echo(0, bytes.subarray(26, 30), icmp.subarray(4))));
    if (icmp[0] === 0) waiting.get(`echo ${bytes.subarray(26, 30).join(".")}`)?.(icmp.subarray(8));
  };

  void (async () => {
    for await (const bytes of port.frames) receive(Buffer.from(bytes));
  })();

  return {
    ping: async (to, data) => {
      const found = answerTo(`arp ${to}`);
      port.send(frame(new Uint8Array(6).fill(255), ARP, arp(1, new Uint8Array(6), bytesOf(to))));
      const station = await found;
      const back = answerTo(`echo ${to}`);
      port.send(
        frame(
          station,
          IP,
          ...echo(8, bytesOf(to), Buffer.concat([Uint8Array.of(0, 1, 0, 1), Buffer.from(data)])),
        ),
      );
      return (await back).toString("latin1");
    },
  };
}
