/** A piece of the console: the kernel's and /init's words before and after, the program's own bytes between. */
export interface ConsolePart {
  readonly part: "before" | "program" | "after";
  readonly bytes: Uint8Array;
}

/**
 * Sets the program's output apart from everything else on the console, by the two markers that the generated
 * /init writes when it has a token. The markers themselves are left out. Pieces are passed on at once; only
 * bytes that may turn out to begin a marker wait for the next chunk.
 *
 * @example
 * ```ts
 * import { splitConsole } from "@justenough/initramfs";
 * const text = "booting\n\x1e[appliance c0ffee start]\nhello\n\n\x1e[appliance c0ffee end]\nPower down\n";
 * for await (const { part, bytes } of splitConsole([new TextEncoder().encode(text)], "c0ffee")) {
 *   if (part === "program") process.stdout.write(bytes); // hello
 * }
 * ```
 */
export async function* splitConsole(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  token: string,
): AsyncGenerator<ConsolePart, void, undefined> {
  const parts = ["before", "program", "after"] as const;
  const markers = ["start", "end"].map((what) =>
    Buffer.from(`\n\x1e[appliance ${token} ${what}]\n`, "latin1"),
  );
  let index = 0;
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of bytes) {
    let rest: Buffer = Buffer.concat([held, chunk]);
    held = new Uint8Array(0);
    for (let marker = markers[index]; marker !== undefined; marker = markers[index]) {
      const at = rest.indexOf(marker);
      if (at < 0) break;
      if (at > 0) yield { part: parts[index] as ConsolePart["part"], bytes: rest.subarray(0, at) };
      rest = rest.subarray(at + marker.length);
      index++;
    }
    const keep = overlap(rest, markers[index]);
    held = rest.subarray(rest.length - keep);
    const ready = rest.subarray(0, rest.length - keep);
    if (ready.length > 0) yield { part: parts[index] as ConsolePart["part"], bytes: ready };
  }
  if (held.length > 0) yield { part: parts[index] as ConsolePart["part"], bytes: held };
}

/** How many bytes at the end of `bytes` are a beginning of the marker. */
function overlap(bytes: Buffer, marker: Buffer | undefined): number {
  if (marker === undefined) return 0;
  for (let length = Math.min(marker.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length;
  }
  return 0;
}
