export { formatLocation, KconfigError } from "./errors.ts";
export type { Diagnostic, KconfigErrorCode, Location } from "./errors.ts";
export { isSymbolName, readValue, sameValue, valueOf, writeValue } from "./value.ts";
export type { ConfigValue, ValueKind } from "./value.ts";
export { configOf, parseConfig, printConfig, printEntry } from "./config.ts";
export type { Config, ConfigEntry, ConfigLine } from "./config.ts";
export { countSymbols } from "./count.ts";
export type { SymbolCount } from "./count.ts";
export { diffConfigs } from "./diff.ts";
export type { ConfigChange, ConfigDiff } from "./diff.ts";
export { mergeFragments, mergeRequests, overrideRequests, parseFragment, requestsOf } from "./fragment.ts";
export type { ConfigRequest, Fragment, MergedRequests } from "./fragment.ts";
export { applyRequests } from "./merge.ts";
export { formatRefusal, proveConfig, refusalError } from "./prove.ts";
export type { Refusal } from "./prove.ts";
export { explainRefusals, printRequests, resolveConfig, solveBase } from "./resolve.ts";
export type { ConfigBase, ResolvedConfig, ResolveRequest } from "./resolve.ts";
export { loadKconfig } from "./tree.ts";
export type {
  ConditionalValue,
  KconfigSymbol,
  KconfigTree,
  LoadTreeOptions,
  SymbolDefinition,
  SymbolType,
  TreeHost,
  ValueOrigin,
} from "./tree.ts";
export { explain, formatExplanation } from "./explain.ts";
export type { Explanation, RequiredSetting, UnmetCondition } from "./explain.ts";
export { minimize } from "./solve/minimize.ts";
export { formatUnsolvable } from "./solve/format.ts";
export { solve } from "./solve/solve.ts";
export type { Solved, SolveOptions, Unsolvable } from "./solve/solve.ts";
export type { SolveBase } from "./solve/base.ts";
export type { Effort } from "./solve/optimize.ts";
export type { Reason } from "./solve/reasons.ts";
export { shrink } from "./shrink/shrink.ts";
export type { Shrunk, ShrinkOptions, ShrinkStep, Verdict } from "./shrink/shrink.ts";
export type { NeededOption, RemovedOption, ShrinkState } from "./shrink/state.ts";
export { printReasoned, reasonsFor } from "./shrink/reasons.ts";
export type { ReasonedEntry } from "./shrink/reasons.ts";
export { parseAnswers, recordAnswers, recordedHost } from "./recorded.ts";
export type { AnswerRecorder, RecordedAnswers, RecordOptions } from "./recorded.ts";
export { schemaOf, typesOf } from "./types.ts";
export type { ConfigSchema, SymbolSchema } from "./types.ts";
export { embeddedConfig } from "./ikconfig.ts";
export type { EmbeddedConfigOptions, ForeignCompression } from "./ikconfig.ts";
