/** Writes tar archives block by block, so that they can be as wrong as a test wants. */
export interface MadeEntry {
  readonly name: string | Uint8Array;
  /** Default "0", a file. */
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly linkname?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** What the header claims, if not the data's own size. */
  readonly size?: number;
  /** An extended header before it. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Default "ustar\0" with version "00". */
  readonly magic?: string;
  readonly prefix?: string;
  readonly badChecksum?: boolean;
  /** Bytes that replace some of the header before its checksum is made. */
  readonly patch?: readonly [at: number, bytes: Uint8Array];
}

export function makeTar(entries: readonly MadeEntry[], options: { readonly end?: boolean } = {}): Buffer {
  const parts = entries.flatMap((entry) => [
    ...(entry.pax === undefined
      ? []
      : block({ name: "pax", type: entry.type === "g" ? "g" : "x", data: paxData(entry.pax) })),
    ...(entry.type === "g" ? [] : block(entry)),
  ]);
  return Buffer.concat([...parts, ...(options.end === false ? [] : [Buffer.alloc(1024)])]);
}

export function paxData(records: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([keyword, value]) => {
      const rest = Buffer.concat([
        Buffer.from(` ${keyword}=`),
        Buffer.from(value as string),
        Buffer.from("\n"),
      ]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

function block(entry: MadeEntry): Buffer[] {
  const data = Buffer.from((entry.data ?? "") as string);
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number): void =>
    void header.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
  Buffer.from(entry.name as string).copy(header, 0, 0, 100);
  octal(entry.mode ?? (entry.type === "5" ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(entry.size ?? data.length, 124, 12);
  octal(entry.mtime ?? 0, 136, 12);
  header.write(entry.type ?? "0", 156, "latin1");
  Buffer.from((entry.linkname ?? "") as string).copy(header, 157, 0, 100);
  header.write(entry.magic ?? "ustar\x0000", 257, "latin1");
  if (entry.magic !== "") {
    octal(entry.major ?? 0, 329, 8);
    octal(entry.minor ?? 0, 337, 8);
  }
  header.write(entry.prefix ?? "", 345, "latin1");
  if (entry.patch !== undefined) header.set(entry.patch[1], entry.patch[0]);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0) + (entry.badChecksum === true ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}
