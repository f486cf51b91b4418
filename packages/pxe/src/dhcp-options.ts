import { formatIpv4, parseIpv4 } from "./address.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";

/** The option codes that a boot server meets (RFC 2132, RFC 3004, RFC 3046, RFC 4578, RFC 5071; 175 is iPXE's). */
export const DHCP_OPTION = {
  subnetMask: 1,
  router: 3,
  dns: 6,
  hostName: 12,
  broadcast: 28,
  vendorSpecific: 43,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  serverId: 54,
  parameterList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientId: 61,
  tftpServer: 66,
  bootFile: 67,
  userClass: 77,
  relayAgent: 82,
  clientArch: 93,
  clientNdi: 94,
  clientUuid: 97,
  ipxe: 175,
  pxelinuxConfig: 209,
  pxelinuxPrefix: 210,
} as const;

/** The values of option 53. */
export const MESSAGE_TYPE = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

/** What a message is, or undefined for plain BOOTP. */
export function messageType(message: DhcpMessage): number | undefined {
  return message.options.get(DHCP_OPTION.messageType)?.[0];
}

/** One address, or undefined when the option is absent or has another length. */
export function addressOption(message: DhcpMessage, code: number): string | undefined {
  const value = message.options.get(code);
  if (value?.length !== 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = value;
  return formatIpv4(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

/** A list of 16-bit numbers; an odd last byte is left out. */
export function numbersOption(message: DhcpMessage, code: number): readonly number[] {
  const value = Buffer.from(message.options.get(code) ?? []);
  return Array.from({ length: value.length >> 1 }, (_, index) => value.readUInt16BE(index * 2));
}

/** Text up to the first NUL (many clients end it with one), or undefined. */
export function textOption(message: DhcpMessage, code: number): string | undefined {
  const value = message.options.get(code);
  return value && Buffer.from(value).toString("latin1").split("\0", 1)[0];
}

/** Bytes of addresses, one after the other. */
export function addressBytes(...addresses: readonly string[]): Uint8Array {
  const out = new Uint8Array(addresses.length * 4);
  const view = new DataView(out.buffer);
  for (const [index, address] of addresses.entries()) view.setUint32(index * 4, parseIpv4(address));
  return out;
}

/** Bytes of an unsigned 32-bit number: the form of lease times. */
export function u32Bytes(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** Bytes of Latin-1 text. */
export function textBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Take apart the encapsulated options of 43 and 175; what is broken ends the list. */
export function parseSuboptions(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at++];
    if (code === undefined || code === 255) break;
    if (code === 0) continue;
    const length = bytes[at++];
    if (length === undefined || at + length > bytes.length) break;
    found.set(code, bytes.slice(at, at + length));
    at += length;
  }
  return found;
}

/** Put together the encapsulated options of 43 (`end` closes it with 255, as the PXE specification wants) and 175. */
export function encodeSuboptions(
  entries: Iterable<readonly [number, Uint8Array]>,
  form: { end?: boolean | undefined } = {},
): Uint8Array {
  const out: number[] = [];
  for (const [code, value] of entries) out.push(code, value.length, ...value);
  if (form.end === true) out.push(255);
  return Uint8Array.from(out);
}
