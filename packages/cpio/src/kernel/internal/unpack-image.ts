import { CpioError } from "../../cpio-error.ts";
import type { KernelCompression, KernelDecompress, KernelDecompressed } from "../kernel-options.ts";
import type { EntryMaker } from "./entry-maker.ts";
import type { Findings } from "./findings.ts";
import { kernelCompressionAt } from "./kernel-compression.ts";
import type { KernelTraits } from "./kernel-version.ts";
import type { Machine } from "./machine.ts";

const ZERO = 0x30;

export interface ImageContext {
  readonly traits: KernelTraits;
  readonly machine: Machine;
  readonly maker: EntryMaker;
  readonly findings: Findings;
  readonly decompress: KernelDecompress | undefined;
  readonly configured: ReadonlySet<KernelCompression>;
}

/** unpack_to_rootfs(): archives as they are, compressed members and zeros, one after another. */
export function unpackImage(context: ImageContext, image: Uint8Array): void {
  const { machine, findings, maker } = context;
  machine.state = "start";
  let index = 0;
  while (index < image.length && !findings.ended) {
    if (image[index] === ZERO && index % 4 === 0) {
      machine.state = "start";
      machine.position = index;
      index += machine.run(image.subarray(index));
    } else if (image[index] === 0) {
      index++;
    } else {
      index += unpackMember(context, image, index);
    }
  }
  if (!findings.ended) reportEnd(context);
  maker.finish();
  if (context.traits.forgetsAtEnd) maker.links.reset();
}

function unpackMember(context: ImageContext, image: Uint8Array, offset: number): number {
  const { machine, findings } = context;
  const outside = findings.at(offset);
  machine.position = 0;
  const format = kernelCompressionAt(image, offset);
  let consumed = 0;
  if (format === undefined) {
    findings.abort("invalid magic at start of compressed archive", outside);
  } else if (!context.configured.has(format)) {
    const named = `compression method ${format} not configured`;
    findings.abort(context.traits.namesCompression ? named : "decompressor failed", outside);
  } else if (context.decompress === undefined) {
    const message = `Linux decompresses a member (${format}) here; without a decompressor the reading ends`;
    findings.stop("KERNEL_NO_DECOMPRESSOR", message, outside);
    return image.length - offset;
  } else {
    const result = checked(context.decompress(format, image.subarray(offset)));
    findings.member = offset;
    for (const piece of result.pieces) {
      if (findings.ended) break;
      feed(context, piece);
    }
    findings.member = undefined;
    if (result.error !== undefined) findings.abort(result.error, outside);
    consumed = result.consumed;
  }
  if (machine.state !== "reset") findings.abort("junk at the end of compressed archive", outside);
  if (findings.ended) return image.length - offset;
  if (consumed > image.length - offset) {
    const message = `The kernel reads ${consumed - (image.length - offset)} bytes beyond the image's end and goes on there`;
    findings.stop("KERNEL_UNCERTAIN", message, outside);
    return image.length - offset;
  }
  return consumed;
}

/** flush_buffer(): one piece may hold the end of one archive and the start of the next. */
function feed({ machine, findings }: ImageContext, piece: Uint8Array): void {
  let rest = piece;
  for (;;) {
    rest = rest.subarray(machine.run(rest));
    if (rest.length === 0 || findings.ended) return;
    if (rest[0] === ZERO) machine.state = "start";
    else if (rest[0] === 0) machine.state = "reset";
    else findings.abort("junk within compressed archive", findings.at(machine.position));
  }
}

function checked(result: KernelDecompressed): KernelDecompressed {
  const pieces: unknown = result?.pieces;
  const isOk =
    Array.isArray(pieces) &&
    pieces.every((piece) => piece instanceof Uint8Array) &&
    Number.isSafeInteger(result.consumed) &&
    result.consumed >= (result.error === undefined ? 1 : 0);
  if (isOk) return result;
  throw new CpioError(
    "CPIO_INVALID_INPUT",
    'Option "decompress" must give "pieces" of type Uint8Array and as "consumed" a number of bytes from 1 up',
  );
}

function reportEnd({ machine, findings }: ImageContext): void {
  const unfinished = machine.unfinished();
  if (unfinished === undefined) return;
  const message = `The image ends inside ${unfinished.what}. Linux says nothing`;
  findings.add("KERNEL_TRUNCATED", "warning", message, findings.at(unfinished.offset));
}
