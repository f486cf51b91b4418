import { relative } from "node:path";
import { ApplianceError } from "../error.ts";
import type { SpecLocation, SpecPath, SpecSource } from "./source.ts";

/** One thing that is wrong with a spec. */
export interface SpecProblem {
  readonly path: SpecPath;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly location?: SpecLocation | undefined;
}

/** All that is wrong with a spec, told at once. */
export class SpecError extends ApplianceError {
  readonly file: string;
  readonly problems: readonly SpecProblem[];

  constructor(source: SpecSource, problems: readonly SpecProblem[], cause?: unknown) {
    super("APPLIANCE_SPEC_INVALID", problems.map((problem) => formatProblem(source, problem)).join("\n"), {
      cause,
    });
    this.file = source.file;
    this.problems = problems;
  }
}

/** `file:line:column: message`, then the line itself with a caret, in the way of compilers. */
export function formatProblem(source: SpecSource, problem: SpecProblem): string {
  const nearby = relative(process.cwd(), source.file);
  const file = nearby !== "" && nearby.length < source.file.length ? nearby : source.file;
  const hint = problem.hint === undefined ? [] : [`  ${problem.hint}`];
  const { location } = problem;
  if (!location) {
    const key = formatPath(problem.path);
    return [
      `${file}: ${key === "" || problem.message.includes(`"${key}"`) ? "" : `${key}: `}${problem.message}`,
      ...hint,
    ].join("\n");
  }
  const line = source.text.split("\n")[location.line - 1] ?? "";
  const number = String(location.line);
  const room = Math.max(1, line.length - location.column + 1);
  // A tab before the caret stays a tab, so that the caret stands below what it means.
  const indent = line.slice(0, location.column - 1).replaceAll(/[^\t]/g, " ");
  return [
    `${file}:${number}:${location.column}: ${problem.message}`,
    `  ${number} | ${line}`,
    `  ${" ".repeat(number.length)} | ${indent}${"^".repeat(Math.min(location.length, room))}`,
    ...hint,
  ].join("\n");
}

/** `kernel.features[2]`, the way the path would be written in TypeScript. */
export function formatPath(path: SpecPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (/^[A-Za-z_$][\w$]*$/.test(step)) return index === 0 ? step : `.${step}`;
      return `[${JSON.stringify(step)}]`;
    })
    .join("");
}
