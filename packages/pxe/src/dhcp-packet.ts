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
const RELAY_AGENT = 82;
/** IP and UDP headers, which option 57 counts in. */
const DATAGRAM_OVERHEAD = 28;
const latin1 = new TextDecoder("latin1");

const refuse = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** Values as they are found: one part, or several of one option (RFC 3396). */
type Found = Map<number, Uint8Array | Uint8Array[]>;

/** Collect one field of options; true when it is sound. */
function collect(field: Uint8Array, into: Found): boolean {
  for (let at = 0; at < field.length;) {
    const code = field[at++];
    if (code === undefined || code === 255) return true;
    if (code === 0) continue;
    const length = field[at++];
    // A length that points past the end means that every later byte is misread: the packet is worthless.
    if (length === undefined || at + length > field.length) return false;
    const value = field.subarray(at, at + length);
    const before = into.get(code);
    if (before === undefined) into.set(code, value);
    else if (Array.isArray(before)) before.push(value);
    else into.set(code, [before, value]);
    at += length;
  }
  return true; // a missing 255 is tolerated: the datagram's end says the same
}

function joined(value: Uint8Array | readonly Uint8Array[]): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const out = new Uint8Array(value.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of value) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function cString(field: Uint8Array): string {
  const end = field.indexOf(0);
  if (end === 0) return "";
  return latin1.decode(end < 0 ? field : field.subarray(0, end));
}

/**
 * Read a datagram. Never throws, whatever the bytes: the result says why a packet is not DHCP. Values are views
 * of the datagram, which must not be changed afterwards.
 *
 * @example
 * ```ts
 * import { parseDhcp } from "@justenough/pxe";
 * const result = parseDhcp(new Uint8Array(10));
 * console.log(result.ok ? result.value.xid : result.reason);
 * ```
 */
export function parseDhcp(datagram: Uint8Array): ParseResult<DhcpMessage> {
  // Plain views, also of a Node buffer, whose slices would be buffers again.
  const bytes = new Uint8Array(datagram.buffer, datagram.byteOffset, datagram.length);
  if (bytes.length < HEADER_BYTES + COOKIE.length) return refuse(`only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const op = view.getUint8(0);
  if (op !== 1 && op !== 2) return refuse(`op is ${op}, not 1 or 2`);
  const hlen = view.getUint8(2);
  if (hlen > 16) return refuse(`a hardware address of ${hlen} bytes`);
  if (COOKIE.some((byte, index) => bytes[HEADER_BYTES + index] !== byte)) return refuse("no DHCP cookie");

  const found: Found = new Map();
  if (!collect(bytes.subarray(HEADER_BYTES + 4), found)) return refuse("an option runs past the end");
  const code = found.get(OVERLOAD);
  const overload = (code && joined(code)[0]) ?? 0;
  const file = bytes.subarray(108, 236);
  const sname = bytes.subarray(44, 108);
  // RFC 3396 section 5 fixes the order in which parts are joined: options, file, sname.
  if (overload & 1 && !collect(file, found)) return refuse("an option runs past the file field");
  if (overload & 2 && !collect(sname, found)) return refuse("an option runs past the sname field");
  found.delete(OVERLOAD);
  const options = new Map<number, Uint8Array>();
  for (const [code, value] of found) options.set(code, joined(value));
  const type = options.get(MESSAGE_TYPE);
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
      chaddr: bytes.subarray(28, 28 + hlen),
      sname: overload & 2 ? "" : cString(sname),
      file: overload & 1 ? "" : cString(file),
      options,
    },
  };
}

/** How many bytes an option takes; a value of more than 255 is split into several (RFC 3396). */
function optionSize(value: Uint8Array): number {
  return value.length + 2 * Math.max(1, Math.ceil(value.length / 255));
}

/** Write one option; where it ends. */
function putOption(bytes: Uint8Array, start: number, code: number, value: Uint8Array): number {
  let to = start;
  let from = 0;
  do {
    const length = Math.min(255, value.length - from);
    bytes[to++] = code;
    bytes[to++] = length;
    for (let count = length; count > 0; count--) bytes[to++] = value[from++] ?? 0;
  } while (from < value.length);
  return to;
}

function putText(bytes: Uint8Array, text: string, at: number, size: number, field: string): void {
  // One byte stays 0: ROMs take the field as a C string.
  let sound = text.length < size;
  for (let index = 0; sound && index < text.length; index++) {
    const code = text.charCodeAt(index);
    sound = code > 0 && code < 256;
    bytes[at + index] = code;
  }
  if (sound) return;
  throw new PxeError("PXE_DHCP_INVALID", `Cannot put ${JSON.stringify(text)} into the "${field}" field`, {
    hint: `use at most ${size - 1} Latin-1 characters`,
  });
}

/** A field that options can go to, and those that do. */
interface Field {
  /** Its bit in option 52. */
  readonly bit: number;
  readonly at: number;
  room: number;
  readonly options: (readonly [number, Uint8Array])[];
}

/** Where an option stands among those of its field. */
function sequence(code: number): number {
  if (code === MESSAGE_TYPE) return 0;
  if (code === OVERLOAD) return 1;
  return code === RELAY_AGENT ? 3 : 2;
}

/**
 * Share out options over the fields; what a relay agent added (82) has its place kept, since it must be the
 * last in the options field (RFC 3046 2.2).
 */
function place(message: DhcpMessage, room: number): readonly Field[] {
  const options = [...message.options].filter(([code]) => code !== 0 && code !== OVERLOAD && code !== 255);
  const total = options.reduce((sum, [, value]) => sum + optionSize(value), 0);
  const main: Field = { bit: 0, at: HEADER_BYTES + COOKIE.length, room, options: [] };
  const file: Field = { bit: 1, at: 108, room: message.file === "" ? 127 : 0, options: [] };
  const sname: Field = { bit: 2, at: 44, room: message.sname === "" ? 63 : 0, options: [] };
  // Three bytes are kept for option 52 as soon as it is needed.
  if (total > room) main.room -= 3;
  const early = (code: number): number => Number(code !== MESSAGE_TYPE && code !== RELAY_AGENT);
  for (const option of options.sort(([a], [b]) => early(a) - early(b))) {
    const [code, value] = option;
    const size = optionSize(value);
    const field = [main, file, sname].find((candidate) => candidate.room >= size);
    if (!field) {
      throw new PxeError("PXE_DHCP_TOO_LARGE", `Option ${code} does not fit into the reply`, {
        hint: `the client accepts ${room} bytes of options; shorten the boot file's name or send fewer options`,
      });
    }
    field.room -= size;
    field.options.push(option);
  }
  return [main, file, sname];
}

/**
 * Write a message: option 53 first, 82 and 255 last, padded to 300 bytes. What does not fit into `maxBytes`
 * (the client's option 57, headers counted in; 576 unless told) goes into an empty `file`, then an empty
 * `sname`. Throws `PXE_DHCP_TOO_LARGE` when even that is not enough.
 */
export function encodeDhcp(message: DhcpMessage, limits: { maxBytes?: number | undefined } = {}): Uint8Array {
  if (message.chaddr.length > 16) {
    throw new PxeError("PXE_DHCP_INVALID", `A hardware address of ${message.chaddr.length} bytes`);
  }
  const room = Math.max(576, limits.maxBytes ?? 576) - DATAGRAM_OVERHEAD - HEADER_BYTES - COOKIE.length - 1;
  const fields = place(message, room);
  const overload = fields.reduce((bits, field) => bits | (field.options.length > 0 ? field.bit : 0), 0);
  const mainBytes = fields[0]?.options.reduce((sum, [, value]) => sum + optionSize(value), 0) ?? 0;
  const size = HEADER_BYTES + COOKIE.length + mainBytes + (overload === 0 ? 0 : 3) + 1;
  const bytes = new Uint8Array(Math.max(LEAST_BYTES, size));
  const view = new DataView(bytes.buffer);
  bytes[0] = message.op;
  bytes[1] = message.htype;
  bytes[2] = message.chaddr.length;
  bytes[3] = message.hops;
  view.setUint32(4, message.xid);
  view.setUint16(8, message.secs);
  view.setUint16(10, message.flags);
  view.setUint32(12, parseIpv4(message.ciaddr));
  view.setUint32(16, parseIpv4(message.yiaddr));
  view.setUint32(20, parseIpv4(message.siaddr));
  view.setUint32(24, parseIpv4(message.giaddr));
  bytes.set(message.chaddr, 28);
  putText(bytes, message.sname, 44, 64, "sname");
  putText(bytes, message.file, 108, 128, "file");
  bytes.set(COOKIE, HEADER_BYTES);
  for (const { bit, at, options } of fields) {
    if (bit === 0 && overload !== 0) options.push([OVERLOAD, Uint8Array.of(overload)]);
    if (bit !== 0 && options.length === 0) continue;
    let end = at;
    for (const [code, value] of options.sort(([a], [b]) => sequence(a) - sequence(b))) {
      end = putOption(bytes, end, code, value);
    }
    bytes[end] = 255;
  }
  return bytes;
}
