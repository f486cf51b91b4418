import type { z } from "zod";
import { suggest } from "../internal/suggest.ts";
import type { TextLocation, ValuePath, YamlSource } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

/** One thing that is wrong with a text. */
export interface Problem {
  readonly path: ValuePath;
  readonly at: "key" | "value";
  readonly message: string;
  readonly hint?: string | undefined;
  /** A key that lacks, and the one that a misspelt key stands for. */
  readonly missing?: boolean;
  readonly meant?: string | undefined;
}

/** `rules[2].boot`, the way the path would be written in TypeScript. */
function formatPath(path: ValuePath): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join("");
}

function show(input: unknown): string {
  if (Array.isArray(input)) return input.length === 0 ? "an empty list" : "a list";
  if (typeof input === "object" && input !== null) return "a mapping";
  if (input === "" || input === null) return "empty";
  return JSON.stringify(input) ?? "missing";
}

function listed(values: readonly string[]): string {
  return values.length < 2 ? (values[0] ?? "") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

const NAMES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "text",
  number: "a number",
};

function wants(issue: Issue): string[] {
  if (issue.code === "invalid_union") return issue.errors.flatMap((errors) => errors.flatMap(wants));
  if (issue.code === "invalid_type") return [NAMES[issue.expected] ?? issue.expected];
  return [issue.message];
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: ValuePath): string[] {
  type Def = Readonly<{
    innerType?: z.core.$ZodType;
    in?: z.core.$ZodType;
    options?: readonly z.core.$ZodType[];
    element?: z.core.$ZodType;
    valueType?: z.core.$ZodType;
    shape?: Readonly<Record<string, z.core.$ZodType>>;
  }>;
  const def = (one: z.core.$ZodType): Def => one._zod.def as unknown as Def;
  const open = (one: z.core.$ZodType): z.core.$ZodType[] => {
    const { innerType, in: input, options } = def(one);
    if (innerType) return open(innerType);
    if (input) return open(input);
    return options ? options.flatMap(open) : [one];
  };
  let schemas = open(schema);
  for (const step of path) {
    schemas = schemas
      .flatMap((one) => {
        const { element, valueType, shape } = def(one);
        const inner = typeof step === "number" ? element : (shape?.[step] ?? valueType);
        return inner ? [inner] : [];
      })
      .flatMap(open);
  }
  return [...new Set(schemas.flatMap((one) => Object.keys(def(one).shape ?? {})))];
}

function describe(issue: Issue, base: ValuePath, schema: z.core.$ZodType): Problem[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== "symbol")];
  const name = formatPath(path);
  const mustBe = (wanted: string): string =>
    `${name === "" ? "This" : `"${name}"`} is ${show(issue.input)}, but must be ${wanted}`;
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => {
        const near = suggest(key, known);
        const hint = near === undefined ? `known keys: ${known.join(", ")}` : `did you mean "${near}"?`;
        const meant = near === undefined ? undefined : formatPath([...path, near]);
        return { path: [...path, key], at: "key", message: `Unknown key "${key}"`, hint, meant };
      });
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      const near = suggest(String(issue.input), values);
      const hint = near === undefined ? undefined : `did you mean "${near}"?`;
      return [{ path, at: "value", message: mustBe(listed(values)), hint }];
    }
    case "invalid_key":
      return [
        { path, at: "key", message: `The key "${String(path.at(-1))}" must be ${issue.issues[0]?.message}` },
      ];
    case "invalid_union": {
      // The branch of the right shape speaks: a list that holds something wrong is still a list.
      const shaped = (errors: readonly Issue[]): boolean =>
        errors.every(({ path, code }) => path.length > 0 || code !== "invalid_type");
      const deep = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
      const inside =
        deep ?? (typeof issue.input === "object" ? issue.errors.toReversed() : issue.errors).find(shaped);
      if (inside) return inside.flatMap((error) => describe(error, path, schema));
      if (issue.input === undefined)
        return [{ path, at: "key", message: `Missing key "${name}"`, missing: true }];
      return [{ path, at: "value", message: mustBe(listed([...new Set(wants(issue))])) }];
    }
    default:
      if (issue.code === "invalid_type" && issue.input === undefined && path.length > 0)
        return [{ path, at: "key", message: `Missing key "${name}"`, missing: true }];
      return [{ path, at: "value", message: mustBe(listed(wants(issue))) }];
  }
}

/** What zod found, in the words of the one who wrote the text. A misspelt key is not told again as missing. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType): readonly Problem[] {
  const all = error.issues.flatMap((issue) => describe(issue, [], schema));
  const meant = new Set(all.flatMap(({ meant }) => meant ?? []));
  return all.filter(({ path, missing }) => missing !== true || !meant.has(formatPath(path)));
}

/** `file:line:column: message`, then the line itself with a caret, in the way of compilers. */
export function formatProblem(source: YamlSource, problem: Problem): string {
  let location: TextLocation | undefined;
  // What is missing has no place: then the nearest thing that is there.
  for (let length = problem.path.length; length >= 0 && !location; length--) {
    const whole = length === problem.path.length;
    location = source.locate(problem.path.slice(0, length), whole ? problem.at : "key");
  }
  return formatAt(source, problem.message, location, problem.hint);
}

/** The same for a place that is known. */
export function formatAt(
  source: YamlSource,
  message: string,
  location: TextLocation | undefined,
  hint?: string,
): string {
  const after = hint === undefined ? [] : [`  ${hint}`];
  if (!location) return [`${source.file}: ${message}`, ...after].join("\n");
  const line = source.text.split("\n")[location.line - 1] ?? "";
  const number = String(location.line);
  const room = Math.max(1, line.length - location.column + 1);
  // A tab before the caret stays a tab, so that the caret stands below what it means.
  const indent = line.slice(0, location.column - 1).replaceAll(/[^\t]/g, " ");
  return [
    `${source.file}:${number}:${location.column}: ${message}`,
    `  ${number} | ${line}`,
    `  ${" ".repeat(number.length)} | ${indent}${"^".repeat(Math.min(location.length, room))}`,
    ...after,
  ].join("\n");
}
