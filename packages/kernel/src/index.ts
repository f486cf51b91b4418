export { KernelError } from "./errors.ts";
export type { KernelErrorCode } from "./errors.ts";
export { kernelCacheDir } from "./context.ts";
export type { KernelContext, KernelProgress } from "./context.ts";
export type { Arch } from "./arch.ts";
export { composeFeatures, defaultFeatures, listFeatures } from "./feature.ts";
export type { ComposedFeatures, Feature } from "./feature.ts";
export { listPresets, selectPresets } from "./preset.ts";
export type { Preset } from "./preset.ts";
export { provePresets } from "./preset-proof.ts";
export type { PresetFinding, PresetProof } from "./preset-proof.ts";
export { defaultSource, fetchSource, resolveSource } from "./source.ts";
export type {
  DebianSource,
  DirectorySource,
  GitSource,
  KernelOrgSource,
  KernelSource,
  RemoteTarballSource,
  ResolvedSource,
  SourceProvenance,
  TarballSource,
} from "./source.ts";
export { configureKernel } from "./configure.ts";
export type { ConfiguredKernel, KernelConfiguration } from "./configure.ts";
export { buildKernel } from "./build.ts";
export type { BuildOptions } from "./build.ts";
export type { CompileHelpers } from "./internal/compile-help.ts";
export { explainOption } from "./explain-option.ts";
export type { ExplainedOption } from "./explain-option.ts";
export { withTrials } from "./trials.ts";
export type { KernelTrials, TrialKernel } from "./trials.ts";
export { buildMatrix } from "./matrix.ts";
export type { MatrixCell, MatrixOptions, MatrixResult } from "./matrix.ts";
export { readMatrix } from "./matrix-file.ts";
export { buildModules } from "./modules.ts";
export type { ExternalModule, ExternalModules, ModulesOptions } from "./modules.ts";
export { verifyKernel } from "./verify.ts";
export type { KernelVerification } from "./verify.ts";
export type { BuildRecord } from "./build-record.ts";
export { formatDiagnostic } from "./build-diagnostic.ts";
export type { BuildDiagnostic } from "./build-diagnostic.ts";
export { exportArtifacts, readArtifacts } from "./artifacts.ts";
export type { KernelArtifacts, KernelProvenance } from "./artifacts.ts";
export { distroKernel } from "./distro.ts";
export type { DistroKernelOptions } from "./distro.ts";
export { referenceConfig } from "./reference.ts";
export type { ReferenceOptions } from "./reference.ts";
export { diffKernelConfigs, readKernelConfig } from "./config-diff.ts";
export { kernelSize } from "./size.ts";
export { savedBytes } from "./internal/option-tree.ts";
export type { KernelBytes, KernelSize, LinkerBytes, OptionBytes, SizedGroup, SizedObject } from "./size.ts";
export { callsOfFunction } from "./footprint/libc-functions.ts";
export type { ImpliedCall } from "./footprint/libc-functions.ts";
export { knownOptions, optionsFor } from "./footprint/options-for.ts";
export type { KernelUse, OptionNeed } from "./footprint/options-for.ts";
export { driversFor } from "./drivers.ts";
export type { Driver, Drivers, DriversOptions } from "./drivers.ts";
export { machineDevices } from "./machine-devices.ts";
export { readKbuild } from "./kbuild/tree.ts";
export type { KbuildTree } from "./kbuild/tree.ts";
export type { Mention, NotRead } from "./kbuild/directory.ts";
export { underConfiguration } from "./kbuild/built.ts";
export type { BuiltAs, BuiltTree, Effect } from "./kbuild/built.ts";
export { formatCondition } from "./kbuild/condition.ts";
export type { Condition } from "./kbuild/condition.ts";
export { listCache, trimCache } from "./cache.ts";
export type { CacheEntry, TrimmedCache, TrimOptions } from "./cache.ts";
export type { CacheKind } from "./internal/cache-layout.ts";
export { examineMachine } from "./doctor.ts";
export type { MachineReport, MachineTool } from "./doctor.ts";
