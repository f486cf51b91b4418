import { UkiError } from "./errors.ts";
import { type Source, type UkiInput, withSource } from "./internal/source.ts";
import { type PeMachine, peMachine } from "./pe-machine.ts";

/** A line of the section table, in bytes. */
export interface PeSection {
  /** As it stands, at most eight characters; names of debug sections may be "/" and a number. */
  readonly name: string;
  readonly virtualAddress: number;
  /** Size in memory. What the file does not hold of it is zero. */
  readonly virtualSize: number;
  readonly rawOffset: number;
  /** Size in the file, which is padded to the file alignment. */
  readonly rawSize: number;
  readonly characteristics: number;
}

/** Headers of a PE file. */
export interface PeFile {
  readonly machine: PeMachine;
  /** The number behind `machine`. */
  readonly machineCode: number;
  /** `PE32+` for machines of 64 bits. */
  readonly format: "PE32" | "PE32+";
  /** 10 is an EFI application, {@link EFI_APPLICATION}. */
  readonly subsystem: number;
  readonly timestamp: number;
  readonly checksum: number;
  readonly dllCharacteristics: number;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly sizeOfInitializedData: number;
  /** Where the headers are in the file. */
  readonly coffOffset: number;
  readonly optionalOffset: number;
  readonly sectionTableOffset: number;
  /** Signatures, at the end of a signed file. */
  readonly certificates: { readonly offset: number; readonly size: number } | undefined;
  readonly sections: readonly PeSection[];
}

export const EFI_APPLICATION = 10;

/** All headers of real files are in the first few kilobytes; no more than this is read of any. */
const HEAD = 64 * 1024;
const COFF_SIZE = 20;
export const SECTION_HEADER_SIZE = 40;
const CERTIFICATE_TABLE = 4;

/**
 * Reads the headers of a PE/COFF image (PE format specification of Microsoft, which UEFI follows): EFI programs,
 * kernels with an EFI stub, Unified Kernel Images. Whatever the bytes, no more than 64 KiB are read and nothing
 * but a `UkiError` is thrown.
 *
 * @example
 * ```ts no-run
 * import { readPe } from "@justenough/uki";
 * const { machine, sections } = await readPe("/usr/lib/systemd/boot/efi/linuxx64.efi.stub");
 * console.log(machine, sections.map(({ name }) => name)); // x64 [ '.text', '.reloc', '.data', … ]
 * ```
 */
export function readPe(input: UkiInput): Promise<PeFile> {
  return withSource(input, readPeSource);
}

export async function readPeSource(source: Source): Promise<PeFile> {
  return parsePe(await source.read(0, Math.min(source.size, HEAD)), source.size, source.name);
}

function parsePe(head: Uint8Array, fileSize: number, name: string): PeFile {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const u16 = (offset: number): number => view.getUint16(offset, true);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const need = (end: number, what: string): void => {
    if (end > fileSize)
      throw new UkiError("UKI_TRUNCATED", `${name} ends before its ${what}, which ends at ${end}`);
    if (end > head.length)
      throw new UkiError("UKI_TOO_LARGE", `The ${what} of ${name} is beyond its first ${HEAD} bytes`);
  };

  if (head.length < 64 || u16(0) !== 0x5a4d) throw notPe(name);
  const peOffset = u32(0x3c);
  need(peOffset + 4 + COFF_SIZE, "PE header");
  if (u32(peOffset) !== 0x4550) throw notPe(name);
  const coffOffset = peOffset + 4;
  const optionalOffset = coffOffset + COFF_SIZE;
  const optionalSize = u16(coffOffset + 16);
  const sectionTableOffset = optionalOffset + optionalSize;
  need(sectionTableOffset, "optional header");
  const magic = optionalSize < 2 ? 0 : u16(optionalOffset);
  if (magic !== 0x10b && magic !== 0x20b) {
    throw new UkiError(
      "UKI_UNSUPPORTED",
      `${name} has an optional header of kind 0x${magic.toString(16)}, wanted 0x10b (PE32) or 0x20b (PE32+)`,
    );
  }
  const directories = magic === 0x10b ? 96 : 112;
  if (optionalSize < directories) {
    throw new UkiError(
      "UKI_MALFORMED",
      `The optional header of ${name} has ${optionalSize} bytes, wanted at least ${directories}`,
    );
  }
  const count = u16(coffOffset + 2);
  need(sectionTableOffset + count * SECTION_HEADER_SIZE, "section table");
  const machineCode = u16(coffOffset);
  const hasCertificates =
    u32(optionalOffset + directories - 4) > CERTIFICATE_TABLE &&
    optionalSize >= directories + (CERTIFICATE_TABLE + 1) * 8;
  return {
    machine: peMachine(machineCode),
    machineCode,
    format: magic === 0x10b ? "PE32" : "PE32+",
    // From here on the two formats have the same offsets, up to the sizes of stack and heap.
    subsystem: u16(optionalOffset + 68),
    timestamp: u32(coffOffset + 4),
    checksum: u32(optionalOffset + 64),
    dllCharacteristics: u16(optionalOffset + 70),
    sectionAlignment: u32(optionalOffset + 32),
    fileAlignment: u32(optionalOffset + 36),
    sizeOfImage: u32(optionalOffset + 56),
    sizeOfHeaders: u32(optionalOffset + 60),
    sizeOfInitializedData: u32(optionalOffset + 8),
    coffOffset,
    optionalOffset,
    sectionTableOffset,
    certificates: hasCertificates
      ? certificatesAt(view, optionalOffset + directories + CERTIFICATE_TABLE * 8)
      : undefined,
    sections: Array.from({ length: count }, (_, index) =>
      sectionAt(head, view, sectionTableOffset + index * SECTION_HEADER_SIZE),
    ),
  };
}

function sectionAt(head: Uint8Array, view: DataView, at: number): PeSection {
  const name = Buffer.from(head.subarray(at, at + 8)).toString("latin1");
  const u32 = (offset: number): number => view.getUint32(at + offset, true);
  return {
    name: name.split("\0", 1)[0] ?? "",
    virtualAddress: u32(12),
    virtualSize: u32(8),
    rawOffset: u32(20),
    rawSize: u32(16),
    characteristics: u32(36),
  };
}

function certificatesAt(view: DataView, at: number): PeFile["certificates"] {
  // The one directory whose address is a place in the file.
  const [offset, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
  return offset === 0 || size === 0 ? undefined : { offset, size };
}

function notPe(name: string): UkiError {
  return new UkiError("UKI_NOT_PE", `${name} is no PE file: it lacks the marks of an EFI program`);
}
