export { ApplianceError, type ApplianceErrorCode } from "./error.ts";
export {
  footprint,
  type Footprint,
  type FootprintNeed,
  type FootprintOptions,
} from "./footprint/footprint.ts";
export { renderFootprint } from "./footprint/render.ts";
export { defineAppliance } from "./spec/define.ts";
export { describeOrigin, describeValues } from "./spec/describe.ts";
export { jsonSchema } from "./spec/json-schema.ts";
export { loadSpec, parseSpec, type LoadedSpec } from "./spec/load.ts";
export { formatProblem, SpecError, type SpecProblem } from "./spec/problem.ts";
export type * from "./spec/resolved.ts";
export type { SpecOverrides } from "./spec/resolve.ts";
export { specSchema, type ApplianceSpec } from "./spec/schema.ts";
export type { SpecLocation, SpecPath, SpecSource } from "./spec/source.ts";
export { minimizeAppliance } from "./minimize/minimize.ts";
export type { Minimized, MinimizeOptions } from "./minimize/minimize.ts";
export type { CurvePoint, Measure } from "./minimize/record.ts";
export type { TestEvent } from "./minimize/search.ts";
export { whySymbol } from "./minimize/why.ts";
export type { WhyAnswer } from "./minimize/why.ts";
