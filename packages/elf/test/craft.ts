import type { ElfClass, ElfEndianness } from "../src/index.ts";

/** A writer of numbers in a given byte order and word size. */
class Writer {
  readonly bytes: number[] = [];
  readonly #class: ElfClass;
  readonly #little: boolean;

  constructor(elfClass: ElfClass, endianness: ElfEndianness) {
    this.#class = elfClass;
    this.#little = endianness === "little";
  }

  number(value: number | bigint, size: number): this {
    const digits = Array.from({ length: size }, (_, index) =>
      Number((BigInt(value) >> BigInt(index * 8)) & 255n),
    );
    this.bytes.push(...(this.#little ? digits : digits.reverse()));
    return this;
  }

  half(...values: number[]): this {
    for (const value of values) this.number(value, 2);
    return this;
  }

  word(...values: number[]): this {
    for (const value of values) this.number(value, 4);
    return this;
  }

  /** Addresses, offsets, and what else is as wide as the class. */
  wide(...values: (number | bigint)[]): this {
    for (const value of values) this.number(value, this.#class / 8);
    return this;
  }

  raw(bytes: Uint8Array | readonly number[]): this {
    this.bytes.push(...bytes);
    return this;
  }
}

export interface CraftOptions {
  readonly class: ElfClass;
  readonly endianness: ElfEndianness;
  readonly machineCode: number;
  readonly typeCode: number;
  readonly interpreter?: string | undefined;
  /** Tag and value; a string becomes its index in the string table. */
  readonly dynamic?: readonly (readonly [tag: bigint, value: string | bigint])[] | undefined;
  readonly notes?:
    | readonly { readonly owner: string; readonly type: number; readonly desc: Uint8Array }[]
    | undefined;
  readonly sections?: readonly { readonly name: string; readonly bytes: Uint8Array }[] | undefined;
  /** Count segments and sections the way that files with more than 65,000 of them do. */
  readonly extendedNumbering?: boolean | undefined;
}

const BASE = 0x1_0000;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Writes an ELF file after the gABI, independently of the reader's tables of offsets. */
export function craftElf(options: CraftOptions): Uint8Array {
  const is64 = options.class === 64;
  const writer = (): Writer => new Writer(options.class, options.endianness);
  const [headerSize, segmentSize, sectionSize] = is64 ? [64, 56, 64] : [52, 32, 40];
  const bodies: { type: number; bytes: Uint8Array; align: number }[] = [];

  if (options.interpreter !== undefined) {
    bodies.push({ type: 3, bytes: text(`${options.interpreter}\0`), align: 1 });
  }
  if (options.notes !== undefined) bodies.push({ type: 4, bytes: craftNotes(options), align: 4 });
  const strings = writer().raw([0]);
  const indexOf = (value: string): bigint => {
    const index = strings.bytes.length;
    strings.raw(text(`${value}\0`));
    return BigInt(index);
  };
  const resolved = options.dynamic?.map(
    ([tag, value]) => [tag, typeof value === "string" ? indexOf(value) : value] as const,
  );
  const segmentCount =
    bodies.length === 0 && resolved === undefined ? 0 : bodies.length + 1 + (resolved ? 1 : 0);
  let offset = headerSize + segmentCount * segmentSize;
  const align = (): void => {
    offset = Math.ceil(offset / 8) * 8;
  };
  const placed = bodies.map((body) => {
    align();
    const at = offset;
    offset += body.bytes.length;
    return { type: body.type, bytes: body.bytes, align: body.align, at };
  });
  if (resolved !== undefined) {
    align();
    const stringsAt = offset;
    placed.push({ type: -1, bytes: Uint8Array.from(strings.bytes), align: 1, at: stringsAt });
    offset += strings.bytes.length;
    align();
    const dynamic = writer();
    for (const [tag, value] of resolved) dynamic.wide(tag, value);
    dynamic.wide(5, BASE + stringsAt, 10, strings.bytes.length, 0, 0);
    placed.push({ type: 2, bytes: Uint8Array.from(dynamic.bytes), align: 8, at: offset });
    offset += dynamic.bytes.length;
  }
  const loaded = offset;

  const names = writer().raw([0]);
  const sections: { name: number; type: number; at: number; size: number }[] = [];
  const sectionBodies: { at: number; bytes: Uint8Array }[] = [];
  for (const { name, bytes } of options.sections ?? []) {
    align();
    sections.push({
      name: names.bytes.length,
      type: name.startsWith(".note") ? 7 : 1,
      at: offset,
      size: bytes.length,
    });
    names.raw(text(`${name}\0`));
    sectionBodies.push({ at: offset, bytes });
    offset += bytes.length;
  }
  const hasSections = options.sections !== undefined;
  if (hasSections) {
    sections.push({ name: names.bytes.length, type: 3, at: offset, size: 0 });
    names.raw(text(".shstrtab\0"));
    (sections.at(-1) as { size: number }).size = names.bytes.length;
    sectionBodies.push({ at: offset, bytes: Uint8Array.from(names.bytes) });
    offset += names.bytes.length;
    align();
  }
  const sectionsAt = hasSections ? offset : 0;
  const sectionCount = hasSections ? sections.length + 1 : 0;
  const extended = options.extendedNumbering === true;

  const out = writer()
    .raw([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, options.endianness === "little" ? 1 : 2, 1])
    .raw(new Uint8Array(9))
    .half(options.typeCode, options.machineCode)
    .word(1)
    .wide(BASE + 4, segmentCount === 0 ? 0 : headerSize, sectionsAt)
    .word(0x5)
    .half(headerSize, segmentSize, extended ? 0xffff : segmentCount, sectionSize)
    .half(extended ? 0 : sectionCount, extended ? 0xffff : Math.max(0, sectionCount - 1));
  const segment = (type: number, at: number, size: number, alignment: number): void => {
    if (is64) {
      out.word(type, 4).wide(at, BASE + at, BASE + at, size, size, alignment);
    } else {
      out
        .word(type)
        .wide(at, BASE + at, BASE + at, size, size)
        .word(4, alignment);
    }
  };
  if (segmentCount > 0) segment(1, 0, loaded, 8);
  for (const { type, bytes, align, at } of placed) if (type > 0) segment(type, at, bytes.length, align);

  const file = new Uint8Array(offset + sectionCount * sectionSize);
  file.set(out.bytes);
  for (const { at, bytes } of [...placed, ...sectionBodies]) file.set(bytes, at);
  if (hasSections) {
    const table = writer();
    const section = (
      name: number,
      type: number,
      at: number,
      size: number,
      link: number,
      info: number,
    ): void => {
      table.word(name, type).wide(0, 0, at, size).word(link, info).wide(4, 0);
    };
    section(
      0,
      0,
      0,
      extended ? sectionCount : 0,
      extended ? sectionCount - 1 : 0,
      extended ? segmentCount : 0,
    );
    for (const { name, type, at, size } of sections) section(name, type, at, size, 0, 0);
    file.set(table.bytes, sectionsAt);
  }
  return file;
}

/** Notes as in a .note section: header, owner and description, each padded to 4. */
export function craftNotes(options: Pick<CraftOptions, "class" | "endianness" | "notes">): Uint8Array {
  const out = new Writer(options.class, options.endianness);
  const pad = (): void => {
    while (out.bytes.length % 4 !== 0) out.raw([0]);
  };
  for (const { owner, type, desc } of options.notes ?? []) {
    out.word(owner.length + 1, desc.length, type).raw(text(`${owner}\0`));
    pad();
    out.raw(desc);
    pad();
  }
  return Uint8Array.from(out.bytes);
}
