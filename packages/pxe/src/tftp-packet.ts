import type { ParseResult } from "./errors.ts";

/** Error codes of RFC 1350 and RFC 2347. */
export const TFTP_ERROR = {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransfer: 5,
  fileExists: 6,
  optionRefused: 8,
} as const;

/** A packet as it comes from a client or a server. */
export type TftpPacket =
  | {
      readonly kind: "read" | "write";
      readonly file: string;
      /** Lower case: "octet", "netascii", or whatever was sent. */
      readonly mode: string;
      /** Option values by lower-case name. */
      readonly options: ReadonlyMap<string, string>;
    }
  /** The bytes are a part of the datagram. */
  | { readonly kind: "data"; readonly block: number; readonly bytes: Uint8Array }
  | { readonly kind: "ack"; readonly block: number }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  | { readonly kind: "oack"; readonly options: ReadonlyMap<string, string> };

/** Options that are looked at; a request with more is not a request. */
const MOST_OPTIONS = 32;

const refuse = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** Split NUL-terminated strings; undefined when the last one is not terminated. */
function strings(bytes: Uint8Array): string[] | undefined {
  const parts = Buffer.from(bytes).toString("latin1").split("\0");
  // Some ROMs leave the last NUL out; then the last part is text instead of "".
  if (parts.at(-1) === "") parts.pop();
  return parts.length > 2 + MOST_OPTIONS * 2 ? undefined : parts;
}

function pairs(parts: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const name = (parts[index] ?? "").toLowerCase();
    if (name !== "" && !options.has(name)) options.set(name, parts[index + 1] ?? "");
  }
  return options;
}

/** Read a datagram (RFC 1350, RFC 2347). Never throws. */
export function parseTftp(bytes: Uint8Array): ParseResult<TftpPacket> {
  if (bytes.length < 4) return refuse(`only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opcode = view.getUint16(0);
  const rest = bytes.subarray(2);
  switch (opcode) {
    case 1:
    case 2: {
      const parts = strings(rest);
      const [file, mode, ...options] = parts ?? [];
      if (file === undefined || file === "" || mode === undefined || mode === "") {
        return refuse("a request without file name or mode");
      }
      const kind = opcode === 1 ? "read" : "write";
      return { ok: true, value: { kind, file, mode: mode.toLowerCase(), options: pairs(options) } };
    }
    case 3:
      return { ok: true, value: { kind: "data", block: view.getUint16(2), bytes: bytes.subarray(4) } };
    case 4:
      return { ok: true, value: { kind: "ack", block: view.getUint16(2) } };
    case 5: {
      const message = Buffer.from(bytes.subarray(4, 516)).toString("latin1").split("\0", 1)[0] ?? "";
      return { ok: true, value: { kind: "error", code: view.getUint16(2), message } };
    }
    case 6: {
      const parts = strings(rest);
      return parts
        ? { ok: true, value: { kind: "oack", options: pairs(parts) } }
        : refuse("too many options");
    }
    default:
      return refuse(`opcode ${opcode}`);
  }
}

/** Write a packet. */
export function encodeTftp(packet: TftpPacket): Uint8Array {
  const text = (opcode: number, parts: readonly string[]): Uint8Array => {
    const body = Buffer.from(parts.map((part) => `${part}\0`).join(""), "latin1");
    return Uint8Array.from([opcode >> 8, opcode & 255, ...body]);
  };
  const numbered = (opcode: number, value: number): number[] => [0, opcode, (value >> 8) & 255, value & 255];
  switch (packet.kind) {
    case "read":
    case "write":
      return text(packet.kind === "read" ? 1 : 2, [packet.file, packet.mode, ...[...packet.options].flat()]);
    case "data": {
      const out = new Uint8Array(4 + packet.bytes.length);
      out.set(numbered(3, packet.block));
      out.set(packet.bytes, 4);
      return out;
    }
    case "ack":
      return Uint8Array.from(numbered(4, packet.block));
    case "error":
      return Uint8Array.from([
        ...numbered(5, packet.code),
        ...Buffer.from(packet.message.slice(0, 500), "latin1"),
        0,
      ]);
    default:
      return text(6, [...packet.options].flat());
  }
}
