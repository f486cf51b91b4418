/** Write bytes in netascii (RFC 764 as used by RFC 1350): LF becomes CR LF, CR becomes CR NUL. */
export function toNetascii(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length * 2);
  let length = 0;
  for (const byte of bytes) {
    if (byte === 10) out[length++] = 13;
    out[length++] = byte;
    if (byte === 13) out[length++] = 0;
  }
  return out.subarray(0, length);
}

/**
 * Read netascii that comes in pieces: CR LF becomes LF, CR NUL becomes CR, a CR before anything else stays.
 * A CR at the end of a piece waits for the next, which `end` says will not come.
 */
export function fromNetascii(): (piece: Uint8Array, end: boolean) => Uint8Array {
  let held = false;
  return (piece, end) => {
    const out = new Uint8Array(piece.length + 2);
    let length = 0;
    for (const byte of piece) {
      if (held && byte !== 10) out[length++] = 13;
      if (byte === 13) {
        held = true;
        continue;
      }
      if (!(held && byte === 0)) out[length++] = byte;
      held = false;
    }
    if (end && held) out[length++] = 13;
    return out.subarray(0, length);
  };
}
