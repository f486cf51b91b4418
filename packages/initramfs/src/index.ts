export type { Arch } from "./arch.ts";
export {
  buildInitramfs,
  type BuildInitramfsOptions,
  type BuiltInitramfs,
  type ImageEntry,
  listTree,
} from "./build.ts";
export type { ChannelFrame } from "./channel-frame.ts";
export { decodeChannel } from "./channel.ts";
export { checkInitramfs } from "./check.ts";
export { closure, type ClosureEntry, type ClosureOptions, closures } from "./closure.ts";
export { collect } from "./collect.ts";
export { type Compression, COMPRESSIONS } from "./compression.ts";
export { type ConsolePart, splitConsole } from "./console-split.ts";
export type { InitramfsContext, InitramfsProgress } from "./context.ts";
export type { Diagnostic } from "./diagnostic.ts";
export { InitramfsError, type InitramfsErrorCode, type InitramfsErrorDetails } from "./error.ts";
export { genInitCpio, type GenInitCpioOptions } from "./gen-init-cpio.ts";
export { compileInit, initSources, type InitProgram, type InitProgramOptions } from "./init-program.ts";
export type { InitRecords } from "./init-records.ts";
export { jobSegment } from "./job.ts";
export { FACET_NAMES } from "./facets.ts";
export { type AddedToImage, type AddOptions, addToImage } from "./image/add.ts";
export { diffImages, type ImageDifference } from "./image/diff.ts";
export { type ExtractedImage, extractImage } from "./image/extract.ts";
export { explainPath, type WhyStep } from "./image/why.ts";
export { type InitramfsEntry, readInitramfs } from "./image/entries.ts";
export type { MemoryNeed } from "./image/memory-need.ts";
export { readImage, type ReadImageOptions, type UnpackedImage } from "./image/read-image.ts";
export { type VerifiedImage, verifyImage, type VerifyOptions } from "./image/verify.ts";
export type { FirmwareFile, FirmwareNeed } from "./internal/firmware.ts";
export {
  type KernelCompression,
  kernelDecompress,
  type KernelDecompressed,
  type KernelDecompressOptions,
} from "./decompress/kernel-decompress.ts";
export { type KernelModule, type ModuleClosure, type ModuleRequest, readModules } from "./kernel-modules.ts";
export { type BootReport, summarizeReport } from "./report.ts";
export { decodeCapabilities, type FileCapabilities } from "./layers/capabilities.ts";
export { guessLayerKind } from "./layers/guess-kind.ts";
export type { LayerInfo } from "./layers/layer.ts";
export type { LayerLimits, LayerSpec, OciLayerSpec } from "./layers/layer-spec.ts";
export type { ImageConfig } from "./layers/oci-config.ts";
export { type LayerStack, readImageConfig, readLayers } from "./layers/read-layers.ts";
export type {
  ContentSpec,
  DirectorySpec,
  FileSpec,
  InitSpec,
  LinkSpec,
  NodeSpec,
  ProgramSpec,
} from "./spec.ts";
export { type FileContent, FileTree, type NodeAttributes, type TreeNode } from "./tree.ts";
export { writeInitramfs, type WrittenArchive } from "./write.ts";
