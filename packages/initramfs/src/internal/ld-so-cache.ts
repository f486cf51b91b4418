/** One library of a cache: the name that programs ask for and the path where it is. */
export interface CacheEntry {
  readonly name: string;
  readonly path: string;
  /** Of which kind the library is (libc6, ABI), see sysdeps/generic/ldconfig.h of glibc. */
  readonly flags: number;
  /** 0 for a library that every processor of the machine can use. */
  readonly hwcap: bigint;
}

// struct cache_file_new of glibc's sysdeps/generic/dl-cache.h.
const MAGIC_OLD = "ld.so-1.7.0";
const MAGIC = "glibc-ld.so.cache1.1";
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;
const FLAGS_LITTLE_ENDIAN = 2;

/** Reads /etc/ld.so.cache, also behind the old format's table; `undefined` for what is no such file. */
export function decodeLdSoCache(file: Uint8Array): CacheEntry[] | undefined {
  let start = 0;
  if (ascii(file, 0, MAGIC_OLD.length) === MAGIC_OLD) {
    // struct cache_file: magic, padding, count, entries of 12 bytes; then the new one, aligned to 8.
    if (file.length < 16) return undefined;
    const count = new DataView(file.buffer, file.byteOffset).getUint32(12, true);
    start = Math.ceil((16 + count * 12) / 8) * 8;
  }
  if (file.length < start + HEADER_SIZE || ascii(file, start, MAGIC.length) !== MAGIC) return undefined;
  const data = new DataView(file.buffer, file.byteOffset + start, file.length - start);
  // Byte 28: 0 means "not said", as written before glibc 2.33.
  const little = data.getUint8(28) !== 3;
  const count = data.getUint32(20, little);
  if (HEADER_SIZE + count * ENTRY_SIZE > data.byteLength) return undefined;
  const entries: CacheEntry[] = [];
  for (let at = HEADER_SIZE, index = 0; index < count; index++, at += ENTRY_SIZE) {
    const name = cString(file, start + data.getUint32(at + 4, little));
    const path = cString(file, start + data.getUint32(at + 8, little));
    if (name === undefined || path === undefined) return undefined;
    entries.push({ name, path, flags: data.getInt32(at, little), hwcap: data.getBigUint64(at + 16, little) });
  }
  return entries;
}

/** Writes a cache in the one format that glibc reads since 2.2 (all our machines are little-endian). */
export function encodeLdSoCache(entries: readonly Omit<CacheEntry, "hwcap">[]): Uint8Array {
  // The loader searches by halves, in descending order of this comparison (dl-cache.c).
  const sorted = [...entries].sort((a, b) => compareNames(b.name, a.name) || b.flags - a.flags);
  const strings: Uint8Array[] = [];
  const offsets = new Map<string, number>();
  let next = HEADER_SIZE + sorted.length * ENTRY_SIZE;
  const tableStart = next;
  for (const text of sorted.flatMap(({ name, path }) => [name, path])) {
    if (offsets.has(text)) continue;
    const bytes = new TextEncoder().encode(`${text}\0`);
    offsets.set(text, next);
    strings.push(bytes);
    next += bytes.length;
  }
  const file = new Uint8Array(next);
  const data = new DataView(file.buffer);
  file.set(new TextEncoder().encode(MAGIC));
  data.setUint32(20, sorted.length, true);
  data.setUint32(24, next - tableStart, true);
  data.setUint8(28, FLAGS_LITTLE_ENDIAN);
  let at = HEADER_SIZE;
  for (const { name, path, flags } of sorted) {
    data.setInt32(at, flags, true);
    data.setUint32(at + 4, offsets.get(name) as number, true);
    data.setUint32(at + 8, offsets.get(path) as number, true);
    at += ENTRY_SIZE;
  }
  let place = tableStart;
  for (const bytes of strings) {
    file.set(bytes, place);
    place += bytes.length;
  }
  return file;
}

/** _dl_cache_libcmp() of glibc: like strcmp, but runs of digits compare as numbers and come after other characters. */
export function compareNames(a: string, b: string): number {
  let i = 0;
  let j = 0;
  const digit = (text: string, at: number): boolean => text[at] !== undefined && /[0-9]/.test(text[at]);
  while (i < a.length) {
    if (digit(a, i)) {
      if (!digit(b, j)) return 1;
      const x = /^[0-9]+/.exec(a.slice(i))?.[0] as string;
      const y = /^[0-9]+/.exec(b.slice(j))?.[0] as string;
      if (Number(x) !== Number(y)) return Number(x) - Number(y);
      i += x.length;
      j += y.length;
    } else if (digit(b, j)) {
      return -1;
    } else {
      const difference = a.charCodeAt(i) - (j < b.length ? b.charCodeAt(j) : 0);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
  }
  return j < b.length ? -1 : 0;
}

function ascii(file: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...file.subarray(at, at + length));
}

function cString(file: Uint8Array, at: number): string | undefined {
  const end = file.indexOf(0, at);
  return at >= file.length || end < 0 ? undefined : new TextDecoder().decode(file.subarray(at, end));
}
