import { formatIpv4, parseIpv4 } from "./address.ts";
import { PxeError, type ParseResult } from "./errors.ts";

/**
 * One DHCP message (RFC 2131 section 2). Options that were split (RFC 3396) or overloaded into `file` and
 * `sname` (RFC 2132 section 9.3) are joined; a field that carried options reads as "".
 */
export interface DhcpMessage {
  /** 1 from clients, 2 from servers. */
  readonly op: 1 | 2;
  readonly htype: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  /** Bit 15 asks for replies by broadcast. */
  readonly flags: number;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  /** The hardware address, `hlen` bytes long. */
  readonly chaddr: Uint8Array;
  readonly sname: string;
  readonly file: string;
  /** Values by option code, in the order in which they came or shall go; 0, 52 and 255 never appear. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

const HEADER_BYTES = 236;
const COOKIE = [99, 130, 83, 99];
/** BOOTP (RFC 1542 2.1) demands 300 bytes, and old relays and ROMs drop shorter messages. */
const LEAST_BYTES = 300;
const OVERLOAD = 52;
const MESSAGE_TYPE = 53;
/** IP and UDP headers, which option 57 counts in. */
const DATAGRAM_OVERHEAD = 28;
const latin1 = new TextDecoder("latin1");

const refuse = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** Collect one field of options; true when it is sound. */
function collect(field: Uint8Array, into: Map<number, number[]>): boolean {
  for (let at = 0; at < field.length;) {
    const code = field[at++];
    if (code === undefined || code === 255) return true;
    if (code === 0) continue;
    const length = field[at++];
    // A length that points past the end means that every later byte is misread: the packet is worthless.
    if (length === undefined || at + length > field.length) return false;
    const value = into.get(code) ?? [];
    for (const byte of field.subarray(at, at + length)) value.push(byte);
    into.set(code, value);
    at += length;
  }
  return true; // a missing 255 is tolerated: the datagram's end says the same
}

function cString(field: Uint8Array): string {
  const end = field.indexOf(0);
  return latin1.decode(end < 0 ? field : field.subarray(0, end));
}

/**
 * Read a datagram. Never throws, whatever the bytes: the result says why a packet is not DHCP.
 *
 * @example
 * ```ts
 * import { parseDhcp } from "@justenough/pxe";
 * const result = parseDhcp(new Uint8Array(10));
 * console.log(result.ok ? result.value.xid : result.reason);
 * ```
 */
export function parseDhcp(bytes: Uint8Array): ParseResult<DhcpMessage> {
  if (bytes.length < HEADER_BYTES + COOKIE.length) return refuse(`only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const op = view.getUint8(0);
  if (op !== 1 && op !== 2) return refuse(`op is ${op}, not 1 or 2`);
  const hlen = view.getUint8(2);
  if (hlen > 16) return refuse(`a hardware address of ${hlen} bytes`);
  if (COOKIE.some((byte, index) => bytes[HEADER_BYTES + index] !== byte)) return refuse("no DHCP cookie");

  const found = new Map<number, number[]>();
  if (!collect(bytes.subarray(HEADER_BYTES + 4), found)) return refuse("an option runs past the end");
  const overload = found.get(OVERLOAD)?.[0] ?? 0;
  found.delete(OVERLOAD);
  const file = bytes.subarray(108, 236);
  const sname = bytes.subarray(44, 108);
  // RFC 3396 section 5 fixes the order in which parts are joined: options, file, sname.
  if (overload & 1 && !collect(file, found)) return refuse("an option runs past the file field");
  if (overload & 2 && !collect(sname, found)) return refuse("an option runs past the sname field");
  found.delete(OVERLOAD);
  const type = found.get(MESSAGE_TYPE);
  if (type && type.length !== 1) return refuse("the message type is given twice");

  return {
    ok: true,
    value: {
      op,
      htype: view.getUint8(1),
      hops: view.getUint8(3),
      xid: view.getUint32(4),
      secs: view.getUint16(8),
      flags: view.getUint16(10),
      ciaddr: formatIpv4(view.getUint32(12)),
      yiaddr: formatIpv4(view.getUint32(16)),
      siaddr: formatIpv4(view.getUint32(20)),
      giaddr: formatIpv4(view.getUint32(24)),
      chaddr: bytes.slice(28, 28 + hlen),
      sname: overload & 2 ? "" : cString(sname),
      file: overload & 1 ? "" : cString(file),
      options: new Map([...found].map(([code, value]) => [code, Uint8Array.from(value)])),
    },
  };
}

/** The bytes of one option; a value of more than 255 bytes is split into several (RFC 3396). */
function optionBytes(code: number, value: Uint8Array): number[] {
  const out: number[] = [];
  let at = 0;
  do {
    const part = value.subarray(at, at + 255);
    out.push(code, part.length, ...part);
    at += 255;
  } while (at < value.length);
  return out;
}

function isLatin1(text: string): boolean {
  return Buffer.from(text, "latin1").toString("latin1") === text;
}

function putText(bytes: Uint8Array, text: string, at: number, size: number, field: string): void {
  // One byte stays 0: ROMs take the field as a C string.
  if (text.length >= size || text.includes("\0") || !isLatin1(text)) {
    throw new PxeError("PXE_DHCP_INVALID", `Cannot put ${JSON.stringify(text)} into the "${field}" field`, {
      hint: `use at most ${size - 1} Latin-1 characters`,
    });
  }
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}

/**
 * Write a message: option 53 first, 255 last, padded to 300 bytes. What does not fit into `maxBytes` (the
 * client's option 57, headers counted in; 576 unless told) goes into an empty `file`, then an empty `sname`.
 * Throws `PXE_DHCP_TOO_LARGE` when even that is not enough.
 */
export function encodeDhcp(message: DhcpMessage, limits: { maxBytes?: number | undefined } = {}): Uint8Array {
  if (message.chaddr.length > 16) {
    throw new PxeError("PXE_DHCP_INVALID", `A hardware address of ${message.chaddr.length} bytes`);
  }
  const room = Math.max(576, limits.maxBytes ?? 576) - DATAGRAM_OVERHEAD - HEADER_BYTES - COOKIE.length - 1;
  const parts = [...message.options]
    .filter(([code]) => code !== 0 && code !== OVERLOAD && code !== 255)
    .sort(([a], [b]) => Number(b === MESSAGE_TYPE) - Number(a === MESSAGE_TYPE))
    .map(([code, value]) => ({ code, bytes: optionBytes(code, value) }));

  const main: number[] = [];
  const fields = [
    { bit: 1, at: 108, room: message.file === "" ? 127 : 0, bytes: [] as number[] },
    { bit: 2, at: 44, room: message.sname === "" ? 63 : 0, bytes: [] as number[] },
  ];
  // Three bytes are kept for option 52 as soon as it could be needed.
  const total = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const mainRoom = total <= room ? room : room - 3;
  for (const part of parts) {
    if (main.length + part.bytes.length <= mainRoom) {
      main.push(...part.bytes);
      continue;
    }
    const field = fields.find((candidate) => candidate.bytes.length + part.bytes.length <= candidate.room);
    if (!field) {
      throw new PxeError("PXE_DHCP_TOO_LARGE", `Option ${part.code} does not fit into the reply`, {
        hint: `the client accepts ${room} bytes of options; shorten the boot file's name or send fewer options`,
      });
    }
    field.bytes.push(...part.bytes);
  }
  const overload = fields.reduce((bits, field) => bits | (field.bytes.length > 0 ? field.bit : 0), 0);
  if (overload !== 0) main.push(OVERLOAD, 1, overload);

  const bytes = new Uint8Array(Math.max(LEAST_BYTES, HEADER_BYTES + COOKIE.length + main.length + 1));
  const view = new DataView(bytes.buffer);
  bytes.set([message.op, message.htype, message.chaddr.length, message.hops]);
  view.setUint32(4, message.xid);
  view.setUint16(8, message.secs);
  view.setUint16(10, message.flags);
  for (const [index, address] of [message.ciaddr, message.yiaddr, message.siaddr, message.giaddr].entries()) {
    view.setUint32(12 + index * 4, parseIpv4(address));
  }
  bytes.set(message.chaddr, 28);
  putText(bytes, message.sname, 44, 64, "sname");
  putText(bytes, message.file, 108, 128, "file");
  for (const field of fields) {
    if (field.bytes.length > 0) bytes.set([...field.bytes, 255], field.at);
  }
  bytes.set([...COOKIE, ...main, 255], HEADER_BYTES);
  return bytes;
}
