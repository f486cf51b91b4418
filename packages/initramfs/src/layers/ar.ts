import type { ByteSource } from "./byte-source.ts";
import { layerError } from "./layer-error.ts";

const MAGIC = "!<arch>\n";
const HEADER = 60;

/** The members of an ar archive as deb(5) uses it: short names, no symbol table. */
export function* readAr(
  source: ByteSource,
  archive: string,
): Generator<{ readonly name: string; readonly data: ByteSource }, void, undefined> {
  const text = (at: number, length: number): string =>
    Buffer.from(source.read(at, length)).toString("latin1");
  if (text(0, MAGIC.length) !== MAGIC) throw layerError(archive, undefined, "it is no ar archive");
  for (let at = MAGIC.length; at < source.size;) {
    const header = text(at, HEADER);
    const size = /^\d{1,10} *$/.test(header.slice(48, 58)) ? Number(header.slice(48, 58)) : Number.NaN;
    const data = at + HEADER;
    if (header.slice(58) !== "`\n" || !(data + size <= source.size)) {
      throw layerError(archive, undefined, "it is cut off or no ar archive after all");
    }
    // Some tools end names with a slash, as System V does.
    yield { name: header.slice(0, 16).replace(/\/? *$/, ""), data: source.slice(data, size) };
    at = data + size + (size % 2);
  }
}
