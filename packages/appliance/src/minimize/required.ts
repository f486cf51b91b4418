import { basename } from "node:path";
import type { ConfigRequest } from "@justenough/kconfig";
import { composeFeatures } from "@justenough/kernel";
import type { ConfiguredKernel } from "@justenough/kernel";
import { askedIn, placeOf } from "../bundle/refused-config.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { SpecPath } from "../spec/source.ts";

// What no test misses, and what an appliance is quiet by.
const UNTESTABLE = ["quiet"];

type Start = Pick<ConfiguredKernel, "requests">;

/**
 * What the spec names: the features in it, with all that those need, its presets, and its own symbols. What it only implies
 * has to prove that it is needed.
 */
export function requiredOf({ spec, values, source }: LoadedSpec, start: Start): readonly ConfigRequest[] {
  const names = values.flatMap(({ key, value, origin }) =>
    key.startsWith("kernel.features[") && origin.kind !== "implied" ? [String(value)] : [],
  );
  const { presets } = spec.kernel;
  const composed = composeFeatures([...names, ...UNTESTABLE], { arch: spec.arch, presets });
  // By symbol: one that implied features want as well is theirs among the requests.
  const named = new Map(composed.requests.map((one) => [one.symbol, one]));
  return start.requests.flatMap((request): ConfigRequest[] => {
    const key = askedIn(source, request.origin);
    if (key !== undefined) {
      return [{ ...request, origin: `kernel.${key}`, location: locate(placeOf(key, request.symbol)) }];
    }
    const same = named.get(request.symbol);
    return same === undefined ? [] : [same];
  });
  function locate(path: SpecPath): ConfigRequest["location"] {
    const at = source.locate(path, "key");
    return at === undefined ? undefined : { file: basename(source.file), line: at.line, column: at.column };
  }
}

/**
 * What every appliance has by default may well be too much; what follows from something that this spec says is hardly so:
 * a network card for its ports.
 */
export function likelyOf({ spec, values }: LoadedSpec): ReadonlySet<string> {
  const general = new Set(["every appliance", "programs"]);
  const names = values.flatMap(({ key, value, origin }) =>
    key.startsWith("kernel.features[") && origin.kind === "implied" && !general.has(origin.by)
      ? [String(value)]
      : [],
  );
  return new Set(composeFeatures(names, { arch: spec.arch }).requests.map(({ symbol }) => symbol));
}
