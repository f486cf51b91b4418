import { composeFeatures, KernelError, listPresets, selectPresets, type Preset } from "@justenough/kernel";
import type { SpecProblem } from "./problem.ts";
import type { ResolvedSpec } from "./resolved.ts";
import type { SpecPath, SpecSource } from "./source.ts";

/** What is wrong with a spec's presets: their names, each other, and what else the spec says of the same thing. */
export function presetProblems(spec: ResolvedSpec, source: SpecSource): SpecProblem[] {
  const { arch, kernel } = spec;
  const problem = (path: SpecPath, message: string, hint?: string): SpecProblem => ({
    path,
    message,
    hint,
    location: source.locate(path, "value"),
  });
  const attempt = <T>(path: SpecPath, work: () => T): T | SpecProblem => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return problem(path, error.message, error.hint);
    }
  };
  const single = kernel.presets.flatMap((name, index) => {
    const found = attempt(["kernel", "presets", index], () => selectPresets([name], arch));
    return "message" in found ? [found] : [];
  });
  if (single.length > 0) return single;
  const presets = attempt(["kernel", "presets"], () => selectPresets(kernel.presets, arch));
  if ("message" in presets) return [presets];
  const problems = presets.flatMap((preset) => cmdlineProblem(spec, preset, problem));
  for (const { name, write } of presets) {
    if (write === undefined || spec.init === null) continue;
    const message = `"${name}" is written to ${write.path} by the generated /init, and this spec has its own`;
    problems.push(problem(["init"], message, "leave the preset or the init out"));
  }
  if (kernel.source.kind === "distro") {
    for (const { name, prebuilt, write } of presets) {
      if (prebuilt !== undefined || write !== undefined) continue;
      const path = ["kernel", "presets", Math.max(0, kernel.presets.indexOf(name))];
      const message = `"${name}" is decided when a kernel is built, and the distribution's is built already`;
      problems.push(problem(path, message, "leave the preset out, or have a kernel built: source: debian"));
    }
    return problems;
  }
  // A feature that the spec does not name is told elsewhere.
  const composed = attempt(["kernel", "presets"], () =>
    composeFeatures(kernel.features, { arch, presets: kernel.presets }),
  );
  if ("message" in composed && composed.message.includes("preset")) problems.push(composed);
  for (const preset of presets) {
    for (const { symbol, value } of preset.fragment.requests) {
      const own = kernel.config[symbol];
      if (own === undefined || own === value.text) continue;
      const message = `"${symbol}" is ${own} here, and ${value.text} by the preset "${preset.name}"`;
      problems.push(problem(["kernel", "config", symbol], message, "leave one of them out"));
    }
  }
  return problems;
}

function cmdlineProblem(
  { kernel }: ResolvedSpec,
  { name, boot, prebuilt = [] }: Preset,
  problem: (path: SpecPath, message: string, hint?: string) => SpecProblem,
): SpecProblem[] {
  const built = kernel.source.kind !== "distro";
  const words = kernel.cmdline.split(/\s+/);
  const found = (message: string): SpecProblem =>
    problem(["kernel", "cmdline"], message, "leave one of them out");
  const problems = (built ? boot : prebuilt).flatMap((parameter) => {
    const key = parameter.replace(/=.*/s, "=");
    const other = words.find((word) => word.startsWith(key) && word !== parameter);
    return other === undefined
      ? []
      : [found(`"${other}" is here, and "${parameter}" is the preset "${name}"'s`)];
  });
  if (problems.length > 0 || !built) return problems;
  // What is built in may be undone by what another position of the switch says to a kernel that is built already.
  const mine = new Set([...boot, ...prebuilt]);
  for (const other of listPresets()) {
    if (other.name === name || switchOf(other.name) !== switchOf(name)) continue;
    const word = [...other.boot, ...(other.prebuilt ?? [])].find(
      (one) => words.includes(one) && !mine.has(one),
    );
    if (word !== undefined) return [found(`"${word}" is here, which undoes the preset "${name}"`)];
  }
  return [];
}

function switchOf(name: string): string {
  return name.replace(/=.*/, "");
}
