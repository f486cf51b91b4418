/** PE files made by hand, for what no linker here makes. */

export interface CraftedSection {
  readonly name: string;
  readonly bytes?: Uint8Array;
  readonly virtualSize?: number;
  readonly virtualAddress?: number;
}

export interface CraftOptions {
  readonly machine?: number;
  readonly plus?: boolean;
  readonly subsystem?: number;
  readonly peOffset?: number;
  readonly fileAlignment?: number;
  readonly sectionAlignment?: number;
  /** Default: up to the first section, rounded up to the file alignment. */
  readonly sizeOfHeaders?: number;
  /** Where the first section is in the file. */
  readonly firstRaw?: number;
  readonly dllCharacteristics?: number;
  readonly certificates?: { readonly offset: number; readonly size: number };
  readonly sections?: readonly CraftedSection[];
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

export function craftPe(options: CraftOptions = {}): Uint8Array {
  const {
    machine = 0x8664,
    plus = true,
    subsystem = 10,
    peOffset = 0x80,
    fileAlignment = 512,
    sectionAlignment = 4096,
    dllCharacteristics = 0,
    sections = [
      { name: ".text", bytes: new Uint8Array(700).fill(0x90) },
      { name: ".sdmagic", bytes: text("#### LoaderInfo: systemd-stub 999 ####\0") },
    ],
  } = options;
  const optionalSize = (plus ? 112 : 96) + 16 * 8;
  const optional = peOffset + 24;
  const table = optional + optionalSize;
  const tableEnd = table + sections.length * 40;
  const firstRaw = options.firstRaw ?? align(tableEnd + 512, fileAlignment);
  const placed: { section: CraftedSection; raw: number; rawSize: number; address: number }[] = [];
  let raw = firstRaw;
  let address = align(firstRaw, sectionAlignment);
  for (const section of sections) {
    const rawSize = align(section.bytes?.length ?? 0, fileAlignment);
    const at = section.virtualAddress ?? address;
    placed.push({ section, raw: rawSize === 0 ? 0 : raw, rawSize, address: at });
    raw += rawSize;
    address = align(at + Math.max(section.virtualSize ?? section.bytes?.length ?? 0, 1), sectionAlignment);
  }
  const file = new Uint8Array(raw);
  const view = new DataView(file.buffer);
  file.set(text("MZ"));
  view.setUint32(0x3c, peOffset, true);
  file.set(text("PE\0\0"), peOffset);
  view.setUint16(peOffset + 4, machine, true);
  view.setUint16(peOffset + 6, sections.length, true);
  view.setUint16(peOffset + 20, optionalSize, true);
  view.setUint16(peOffset + 22, 0x22e, true);
  view.setUint16(optional, plus ? 0x20b : 0x10b, true);
  view.setUint32(optional + 16, 0x1000, true);
  view.setUint32(optional + 32, sectionAlignment, true);
  view.setUint32(optional + 36, fileAlignment, true);
  view.setUint32(optional + 56, address, true);
  view.setUint32(optional + 60, options.sizeOfHeaders ?? firstRaw, true);
  view.setUint32(optional + 64, 0xdead, true);
  view.setUint16(optional + 68, subsystem, true);
  view.setUint16(optional + 70, dllCharacteristics, true);
  view.setUint32(optional + (plus ? 108 : 92), 16, true);
  if (options.certificates) {
    const directory = optional + (plus ? 112 : 96) + 4 * 8;
    view.setUint32(directory, options.certificates.offset, true);
    view.setUint32(directory + 4, options.certificates.size, true);
  }
  for (const [index, { section, raw, rawSize, address }] of placed.entries()) {
    const at = table + index * 40;
    file.set(text(section.name).subarray(0, 8), at);
    view.setUint32(at + 8, section.virtualSize ?? section.bytes?.length ?? 0, true);
    view.setUint32(at + 12, address, true);
    view.setUint32(at + 16, rawSize, true);
    view.setUint32(at + 20, raw, true);
    view.setUint32(at + 36, 0x4000_0040, true);
    file.set(section.bytes ?? [], raw);
  }
  return file;
}

/** An x86 kernel as far as its headers go (linux Documentation/arch/x86/boot.rst). */
export function craftBzImage(version: string, options: CraftOptions = {}): Uint8Array {
  const file = craftPe({ peOffset: 0x400, ...options });
  const view = new DataView(file.buffer);
  file.set(text("HdrS"), 0x202);
  view.setUint16(0x206, 0x20f, true);
  view.setUint16(0x20e, 0x100, true);
  view.setUint32(0x238, 2047, true);
  file.set(text(`${version} (a@b) #1 SMP\0`), 0x300);
  return file;
}
