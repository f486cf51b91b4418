/** Where lzop's header is without a name: after its magic number, up to the checksum; and the time in it. */
const HEADER = { start: 9, time: 25, end: 34 } as const;

/** Sets the time of compression in what lzop wrote to 0: it has no option to leave it out. */
export async function* withoutTime(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEADER.end + 4) continue;
    head.fill(0, HEADER.time, HEADER.time + 8);
    head.writeUInt32BE(adler32(head.subarray(HEADER.start, HEADER.end)), HEADER.end);
    yield head;
    head = undefined;
  }
}

// RFC 1950
function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}
