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
export { packCpio } from "./pack.ts";
export { packCpioSync } from "./pack-sync.ts";
export type { PackOptions } from "./pack-options.ts";
export { unpackCpio } from "./unpack.ts";
export type { UnpackOptions } from "./unpack-options.ts";
