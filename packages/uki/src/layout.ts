import { UkiError } from "./errors.ts";
import { EFI_APPLICATION, type PeFile, type PeSection, SECTION_HEADER_SIZE } from "./pe.ts";

/** A stub that sections can be added to. */
export interface Stub {
  readonly name: string;
  readonly pe: PeFile;
  /** The file up to the end of its last section. */
  readonly bytes: Uint8Array;
  /** The size that the headers can have at most: up to the first section. */
  readonly room: number;
}

/** A section to be added. */
export interface NewSection {
  readonly name: string;
  readonly size: number;
  readonly executable: boolean;
}

export interface Layout {
  /** Replaces as many bytes at the start of the stub. */
  readonly headers: Uint8Array;
  /** All of the new file; those added are the last. */
  readonly sections: readonly PeSection[];
  readonly size: number;
}

const PAGE = 4096;
const LIMIT = 0xffff_ffff;
/** Firmware and systemd-stub take no more (systemd src/boot/pe.c, `verify_pe`). */
const MAX_SECTIONS = 96;
const NX_COMPAT = 0x100;

// Section characteristics of the PE format.
const CODE = 0x20;
const INITIALIZED_DATA = 0x40;
const MEM_EXECUTE = 0x2000_0000;
const MEM_READ = 0x4000_0000;

/**
 * Checks a stub and cuts off what is behind its last section. Stubs before systemd 253 have a symbol table there,
 * which no image file should have, and which would be a hole in what a signature covers.
 *
 * @throws UkiError `UKI_STUB_UNSUITABLE`
 */
export function acceptStub(name: string, file: Uint8Array, pe: PeFile): Stub {
  const refuse = (why: string, hint = "Give systemd's linux….efi.stub"): never => {
    throw new UkiError("UKI_STUB_UNSUITABLE", `Cannot use ${name} as a stub: ${why}`, { hint });
  };
  if (pe.subsystem !== EFI_APPLICATION) refuse(`it is for subsystem ${pe.subsystem}, not an EFI application`);
  if (pe.sections.some((section) => section.name === ".linux")) refuse("it holds a kernel already");
  if (pe.certificates !== undefined) refuse("it is signed, and would not be after a change");
  if (!isAlignment(pe.fileAlignment, 65_536)) refuse(`its file alignment is ${pe.fileAlignment}`);
  if (!isAlignment(pe.sectionAlignment, 16 * 1024 * 1024))
    refuse(`its section alignment is ${pe.sectionAlignment}`);
  const stored = pe.sections.filter(({ rawSize }) => rawSize > 0);
  if (stored.length === 0) refuse("it has no sections with content");
  const end = Math.max(...stored.map(({ rawOffset, rawSize }) => rawOffset + rawSize));
  if (end > file.length) refuse(`its sections end at ${end}, and the file at ${file.length}`);
  const room = Math.min(
    ...stored.map(({ rawOffset }) => rawOffset),
    ...pe.sections.map(({ virtualAddress }) => virtualAddress),
  );
  if (room < pe.sizeOfHeaders || tableEnd(pe) > pe.sizeOfHeaders)
    refuse("its headers and its sections overlap");
  return { name, pe, bytes: file.subarray(0, end), room };
}

const isAlignment = (value: number, max: number): boolean =>
  value > 0 && value <= max && (value & (value - 1)) === 0;

const tableEnd = ({ sectionTableOffset, sections }: PeFile): number =>
  sectionTableOffset + sections.length * SECTION_HEADER_SIZE;

/** The next multiple of a power of two, exact beyond 32 bits. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/**
 * Places sections behind those of the stub, in memory and in the file, and writes the headers for them. The checksum
 * becomes 0, for "none": only Windows looks at it, in its own drivers, and it would need all bytes to be read first.
 *
 * @throws UkiError `UKI_NO_ROOM`, `UKI_TOO_LARGE`, `UKI_SECTION_INVALID`
 */
export function layOut(stub: Stub, added: readonly NewSection[], options: { nxCompat: boolean }): Layout {
  const { pe } = stub;
  refuseDuplicates(stub, added);
  // Old stubs align to 512 bytes. Whole pages suit every firmware, and a kernel that is run where it lies.
  const alignment = Math.max(pe.sectionAlignment, PAGE);
  let address = Math.max(
    pe.sizeOfImage,
    ...pe.sections.map(
      ({ virtualAddress, virtualSize, rawSize }) => virtualAddress + Math.max(virtualSize, rawSize),
    ),
  );
  let end = stub.bytes.length;
  const sections = added.map(({ name, size, executable }): PeSection => {
    const section = {
      name,
      virtualAddress: alignUp(address, alignment),
      virtualSize: size,
      rawOffset: alignUp(end, pe.fileAlignment),
      rawSize: alignUp(size, pe.fileAlignment),
      characteristics: MEM_READ | (executable ? CODE | MEM_EXECUTE : INITIALIZED_DATA),
    };
    address = section.virtualAddress + size;
    end = section.rawOffset + section.rawSize;
    return section;
  });
  const sizeOfImage = alignUp(address, pe.sectionAlignment);
  if (sizeOfImage > LIMIT || end > LIMIT) {
    throw new UkiError(
      "UKI_TOO_LARGE",
      `The image would have ${Math.max(sizeOfImage, end)} bytes; a PE file has at most ${LIMIT}`,
    );
  }
  return {
    headers: writeHeaders(stub, sections, sizeOfImage, options.nxCompat),
    sections: [...pe.sections, ...sections],
    size: end,
  };
}

function refuseDuplicates(stub: Stub, added: readonly NewSection[]): void {
  const seen = new Set(stub.pe.sections.map(({ name }) => name));
  for (const { name } of added) {
    if (seen.has(name)) {
      throw new UkiError("UKI_SECTION_INVALID", `There would be two sections "${name}"`, {
        hint: "The stub may bring one of that name",
      });
    }
    seen.add(name);
  }
}

function writeHeaders(
  stub: Stub,
  sections: readonly PeSection[],
  sizeOfImage: number,
  nxCompat: boolean,
): Uint8Array {
  const { pe } = stub;
  const before = tableEnd(pe);
  const after = before + sections.length * SECTION_HEADER_SIZE;
  const count = pe.sections.length + sections.length;
  const free = Math.floor((stub.room - before) / SECTION_HEADER_SIZE);
  const isUsed = !isFiller(stub.bytes.subarray(before, Math.min(after, stub.room)));
  const why =
    count > MAX_SECTIONS
      ? `there would be ${count}, and firmware takes ${MAX_SECTIONS}`
      : after > stub.room
        ? `there is space for ${free}`
        : isUsed
          ? "the space behind them is in use"
          : undefined;
  if (why !== undefined) {
    throw new UkiError(
      "UKI_NO_ROOM",
      `The headers of ${stub.name} have no room for ${sections.length} more sections: ${why}`,
      { hint: "Use the stub of another systemd, or fewer sections" },
    );
  }
  const size =
    after <= pe.sizeOfHeaders ? pe.sizeOfHeaders : Math.min(alignUp(after, pe.fileAlignment), stub.room);
  // Not slice(), which of a Buffer is no copy.
  const headers = new Uint8Array(size);
  headers.set(stub.bytes.subarray(0, size));
  headers.fill(0, before, after);
  const view = new DataView(headers.buffer);
  const u16 = (offset: number, value: number): void => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number): void => view.setUint32(offset, value, true);
  u16(pe.coffOffset + 2, count);
  // The symbol table has been cut off.
  u32(pe.coffOffset + 8, 0);
  u32(pe.coffOffset + 12, 0);
  const data = sections.reduce((sum, { rawSize }) => sum + rawSize, pe.sizeOfInitializedData);
  u32(pe.optionalOffset + 8, Math.min(data, LIMIT));
  u32(pe.optionalOffset + 56, sizeOfImage);
  u32(pe.optionalOffset + 60, size);
  u32(pe.optionalOffset + 64, 0);
  // The whole must not promise what the kernel in it does not keep.
  if (!nxCompat) u16(pe.optionalOffset + 70, pe.dllCharacteristics & ~NX_COMPAT);
  for (const [index, section] of sections.entries()) {
    const at = before + index * SECTION_HEADER_SIZE;
    headers.set(new TextEncoder().encode(section.name), at);
    u32(at + 8, section.virtualSize);
    u32(at + 12, section.virtualAddress);
    u32(at + 16, section.rawSize);
    u32(at + 20, section.rawOffset);
    u32(at + 36, section.characteristics);
  }
  return headers;
}

/** Nothing but one word again and again: zeros, or the NOPs with which an assembler fills up to the next page. */
function isFiller(bytes: Uint8Array): boolean {
  return bytes.every((byte, index) => byte === bytes[index % 4]);
}

/** Whether a program promises to run with writable memory that is not executable. */
export function isNxCompat(pe: PeFile): boolean {
  return (pe.dllCharacteristics & NX_COMPAT) !== 0;
}
