/** A running sum of 16-bit words (RFC 1071); a part of odd length may only be the last. */
export function sumWords(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return even === bytes.length ? sum : sum + ((bytes[even] as number) << 8);
}

/** The Internet checksum of what was summed; 0 over bytes that hold their own correct checksum. */
export function foldSum(sum: number): number {
  let folded = sum;
  // Sums exceed 32 bits only beyond 65,536 words, and no packet has as many.
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** The sum of what UDP and TCP add of the IPv4 header (RFC 9293 section 3.1). */
export function pseudoHeaderSum(from: Uint8Array, to: Uint8Array, protocol: number, length: number): number {
  return sumWords(to, sumWords(from)) + protocol + length;
}
