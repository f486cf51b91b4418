/** An ARP message for IPv4 on Ethernet (RFC 826). */
export interface ArpMessage {
  readonly operation: "request" | "reply";
  readonly senderMac: Uint8Array;
  readonly sender: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly target: Uint8Array;
}

const LENGTH = 28;
/** Hardware Ethernet, protocol IPv4, and the lengths of their addresses. */
const KIND = Uint8Array.of(0, 1, 8, 0, 6, 4);

/** Read a message; undefined for other hardware, other protocols and other operations. */
export function parseArp(bytes: Uint8Array): ArpMessage | undefined {
  if (bytes.length < LENGTH || KIND.some((byte, index) => bytes[index] !== byte) || bytes[6] !== 0)
    return undefined;
  const operation = bytes[7] === 1 ? "request" : bytes[7] === 2 ? "reply" : undefined;
  return (
    operation && {
      operation,
      senderMac: bytes.slice(8, 14),
      sender: bytes.subarray(14, 18),
      targetMac: bytes.subarray(18, 24),
      target: bytes.subarray(24, 28),
    }
  );
}

export function encodeArp(message: ArpMessage): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  bytes.set(KIND, 0);
  bytes[7] = message.operation === "request" ? 1 : 2;
  bytes.set(message.senderMac, 8);
  bytes.set(message.sender, 14);
  bytes.set(message.targetMac, 18);
  bytes.set(message.target, 24);
  return bytes;
}
