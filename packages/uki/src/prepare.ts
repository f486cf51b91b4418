import { checkCmdline, checkSectionName, checkUname } from "./check-input.ts";
import { UkiError } from "./errors.ts";
import { type UkiInput, withSource } from "./internal/source.ts";
import { readKernelImage } from "./kernel-image.ts";
import { acceptStub, alignUp, isNxCompat, layOut, type Stub } from "./layout.ts";
import { defaultOsRelease } from "./os-release.ts";
import type { PeMachine } from "./pe-machine.ts";
import { type PeSection, readPeSource } from "./pe.ts";
import { openPieces, type Piece, type UkiReader } from "./pieces.ts";
import { findStub } from "./stub.ts";

export interface UkiOptions {
  /** A kernel that UEFI can start: a bzImage, an Image, or a vmlinuz.efi. */
  readonly kernel: UkiInput;
  /** Parts of the initramfs, in this order; each is put where the kernel looks for one. */
  readonly initrd?: readonly UkiInput[] | undefined;
  readonly cmdline?: string | undefined;
  /** Text of an os-release(5), by which boot menus name the image. Default: "Linux" and the kernel's version. */
  readonly osRelease?: string | undefined;
  /** The kernel's version, where the image does not tell. */
  readonly uname?: string | undefined;
  /** Others of systemd-stub(7), such as `.dtb` or `.splash`. */
  readonly sections?: Readonly<Record<string, UkiInput>> | undefined;
  /** Default: the distribution's for the kernel's machine, see {@link findStub}. */
  readonly stub?: UkiInput | undefined;
}

/** A Unified Kernel Image that is put together while it is read: no bytes are copied before. */
export interface Uki {
  readonly machine: PeMachine;
  /** Of the file, in bytes; known before anything is read. */
  readonly size: number;
  readonly sections: readonly PeSection[];
  readonly kernelVersion: string | undefined;
  /** For reading at any offset, as TFTP and HTTP servers do. */
  open(): Promise<UkiReader>;
  /** The bytes from `start` (default 0) up to but not `end` (default the size). */
  stream(range?: {
    readonly start?: number | undefined;
    readonly end?: number | undefined;
  }): AsyncGenerator<Uint8Array, void>;
  /** The same image with more at the end of its initramfs: files for one machine. Only headers are made anew. */
  withInitrd(parts: readonly UkiInput[]): Promise<Uki>;
}

interface Part {
  readonly from: UkiInput;
  readonly size: number;
}

interface Ingredients {
  readonly stub: Stub;
  readonly nxCompat: boolean;
  readonly kernelVersion: string | undefined;
  /** All but the initramfs, in their order. */
  readonly sections: readonly { readonly name: string; readonly part: Part }[];
  readonly initrd: readonly Part[];
}

const MAX_STUB = 16 * 1024 * 1024;
const CHUNK = 256 * 1024;

/**
 * Prepares a Unified Kernel Image (UAPI group, "Unified Kernel Image") of systemd's stub, a kernel, an initramfs and
 * a command line. Files are looked at, and read only when the image is. The same inputs give the same bytes.
 *
 * @throws UkiError
 * @example
 * ```ts no-run
 * import { prepareUki } from "@justenough/uki";
 * const uki = await prepareUki({ kernel: "vmlinuz", initrd: ["initramfs.cpio.gz"], cmdline: "console=ttyS0" });
 * console.log(uki.machine, uki.size, uki.kernelVersion);
 * for await (const chunk of uki.stream({ start: 0, end: 4096 })) console.log(chunk.length);
 * ```
 */
export async function prepareUki(options: UkiOptions): Promise<Uki> {
  const kernel = await readKernelImage(options.kernel);
  const cmdline = checkCmdline(options.cmdline ?? "", kernel.maxCmdline);
  const uname = options.uname === undefined ? kernel.version : checkUname(options.uname);
  const extra = Object.entries(options.sections ?? {}).map(
    ([name, from]) => [checkSectionName(name), from] as const,
  );
  const stub = await readStub(options.stub ?? (await findStub(kernel.pe.machine)));
  if (stub.pe.machineCode !== kernel.pe.machineCode) {
    throw new UkiError(
      "UKI_STUB_UNSUITABLE",
      `The kernel is for ${kernel.pe.machine} and ${stub.name} for ${stub.pe.machine}`,
      { hint: "Give the stub of the kernel's machine" },
    );
  }
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const contents: readonly (readonly [name: string, from: UkiInput])[] = [
    [".osrel", text(options.osRelease ?? defaultOsRelease(uname))],
    [".uname", text(uname ?? "")],
    [".cmdline", cmdline],
    ...extra,
    [".linux", options.kernel],
  ];
  const sections = [];
  for (const [name, from] of contents) sections.push({ name, part: await measure(from) });
  const initrd = [];
  for (const from of options.initrd ?? []) initrd.push(await measure(from));
  return assemble({
    stub,
    // What runs in place of the stub later must keep what the whole promised.
    nxCompat: isNxCompat(kernel.pe),
    kernelVersion: uname,
    sections: sections.filter(({ part }) => part.size > 0),
    initrd,
  });
}

function measure(from: UkiInput): Promise<Part> {
  return withSource(from, async ({ size }) => ({ from, size }));
}

function readStub(input: UkiInput): Promise<Stub> {
  return withSource(input, async (source) => {
    const pe = await readPeSource(source).catch((cause: unknown) => {
      if (!(cause instanceof UkiError) || cause.code.startsWith("UKI_FILE")) throw cause;
      throw new UkiError("UKI_STUB_UNSUITABLE", `Cannot use ${source.name} as a stub: ${cause.message}`, {
        cause,
        hint: "Give systemd's linux….efi.stub",
      });
    });
    if (source.size > MAX_STUB) {
      throw new UkiError(
        "UKI_STUB_UNSUITABLE",
        `${source.name} has ${source.size} bytes, too many for a stub`,
      );
    }
    return acceptStub(source.name, await source.read(0, source.size), pe);
  });
}

function assemble(ingredients: Ingredients): Uki {
  const { stub, nxCompat, kernelVersion, sections, initrd } = ingredients;
  const segments = placeSegments(initrd);
  const last = segments.at(-1);
  const wanted = sections.map(({ name, part }) => ({ name, size: part.size, executable: name === ".linux" }));
  // Last, so that nothing else moves when it grows.
  if (last) wanted.push({ name: ".initrd", size: last.start + last.size, executable: false });
  const layout = layOut(stub, wanted, { nxCompat });
  const startOf = (index: number): number => layout.sections[stub.pe.sections.length + index]?.rawOffset ?? 0;
  const pieces: Piece[] = [
    { start: 0, size: layout.headers.length, from: layout.headers },
    {
      start: layout.headers.length,
      size: stub.bytes.length - layout.headers.length,
      from: stub.bytes.subarray(layout.headers.length),
    },
    ...sections.map(({ part }, index) => ({ ...part, start: startOf(index) })),
    ...segments.map((segment) => ({ ...segment, start: startOf(sections.length) + segment.start })),
  ];
  const open = (): Promise<UkiReader> => openPieces(pieces, layout.size);
  return {
    machine: stub.pe.machine,
    size: layout.size,
    sections: layout.sections,
    kernelVersion,
    open,
    async *stream({ start = 0, end = layout.size } = {}) {
      await using reader = await open();
      const stop = Math.min(end, layout.size);
      for (let at = Math.max(0, start); at < stop; at += CHUNK)
        yield await reader.read(at, Math.min(CHUNK, stop - at));
    },
    async withInitrd(parts) {
      const added = [];
      for (const from of parts) added.push(await measure(from));
      return assemble({ ...ingredients, initrd: [...initrd, ...added] });
    },
  };
}

/** The kernel accepts the header of an archive only at a multiple of four (linux init/initramfs.c). */
function placeSegments(parts: readonly Part[]): Piece[] {
  let end = 0;
  return parts
    .filter(({ size }) => size > 0)
    .map((part) => {
      const start = alignUp(end, 4);
      end = start + part.size;
      return { ...part, start };
    });
}
