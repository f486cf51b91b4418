export { CpioError, type CpioErrorCode, type CpioErrorDetails } from "./cpio-error.ts";
export { decodeCpio } from "./decode.ts";
export { encodeCpio } from "./encode.ts";
export type {
  CpioAttributes,
  CpioDecodedEntry,
  CpioDevice,
  CpioDeviceInput,
  CpioDirectoryInput,
  CpioEntry,
  CpioFileInput,
  CpioFormat,
  CpioHeader,
  CpioInput,
  CpioLinkInput,
  CpioNodeInput,
  CpioSource,
  CpioSymlinkInput,
  CpioType,
} from "./entry.ts";
export { IDENTIFY_BYTES, identifyFormat, type KnownFormat } from "./identify.ts";
export { type CpioIndexedEntry, type CpioRandomSource, indexCpio } from "./index-cpio.ts";
export { packCpio } from "./pack.ts";
export { packCpioSync } from "./pack-sync.ts";
export type { PackOptions } from "./pack-options.ts";
export { unpackCpio } from "./unpack.ts";
export type { UnpackOptions } from "./unpack-options.ts";
export type {
  KernelCompression,
  KernelDecompress,
  KernelDecompressed,
  UnpackAsKernelOptions,
} from "./kernel/kernel-options.ts";
export type {
  KernelDiagnostic,
  KernelDiagnosticCode,
  KernelFailure,
  KernelInode,
  KernelLocation,
  KernelTree,
  KernelUnpackResult,
} from "./kernel/kernel-result.ts";
export { type KernelTreeEntry, listKernelTree } from "./kernel/list-kernel-tree.ts";
export { findKernelFile, readKernelFile } from "./kernel/read-kernel-file.ts";
export { unpackAsKernel } from "./kernel/unpack-as-kernel.ts";
