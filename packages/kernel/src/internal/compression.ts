import { open } from "node:fs/promises";

/** A program that decompresses, as `PROGRAM -dc FILE` and as an option of tar. */
export interface Decompressor {
  readonly program: string;
  readonly tarOption: string;
}

// Each by the first bytes of its format; file(1) knows them as well.
const KNOWN: readonly (Decompressor & { readonly magic: string; readonly suffix: RegExp })[] = [
  { program: "xz", tarOption: "-J", magic: "fd377a585a00", suffix: /\.t?xz$/ },
  { program: "gzip", tarOption: "-z", magic: "1f8b", suffix: /\.(gz|tgz)$/ },
  { program: "zstd", tarOption: "--zstd", magic: "28b52ffd", suffix: /\.t?zst$/ },
  { program: "bzip2", tarOption: "-j", magic: "425a68", suffix: /\.t?bz2$/ },
];

/** What decompresses a file, by its first bytes: names may say anything. Undefined when it is not compressed. */
export async function decompressorOf(path: string): Promise<Decompressor | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.subarray(0, bytesRead).toString("hex");
    return KNOWN.find(({ magic }) => head.startsWith(magic));
  } finally {
    await file.close();
  }
}

/** What decompresses a file, by its name, for what is not there yet. */
export function decompressorByName(name: string): Decompressor | undefined {
  return KNOWN.find(({ suffix }) => suffix.test(name));
}
