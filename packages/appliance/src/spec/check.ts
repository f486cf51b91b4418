import type { z } from "zod";
import { suggest } from "../internal/suggest.ts";
import { formatPath, SpecError, type SpecProblem } from "./problem.ts";
import { specSchema } from "./schema.ts";
import type { SpecPath, SpecSource } from "./source.ts";

type Issue = z.core.$ZodIssue;

/** A spec that the schema has accepted. */
export type CheckedSpec = z.output<typeof specSchema>;

/** Checks what was read against the schema; throws one `SpecError` that names every problem. */
export function checkSpec(source: SpecSource): CheckedSpec {
  const result = specSchema.safeParse(source.value, { reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describe(issue, []));
  throw new SpecError(source, inOrder(withoutEchoes(problems).map((problem) => locate(source, problem))));
}

/** A misspelt key is not told a second time as the key that is missing. */
function withoutEchoes(problems: readonly Located[]): Located[] {
  const meant = new Set(
    problems.flatMap(({ path, meant }) =>
      meant === undefined ? [] : [formatPath([...path.slice(0, -1), meant])],
    ),
  );
  return problems.filter(({ path, missing }) => missing !== true || !meant.has(formatPath(path)));
}

function inOrder(problems: readonly SpecProblem[]): SpecProblem[] {
  const line = ({ location }: SpecProblem): number => (location ? location.line * 1000 + location.column : 0);
  return problems.toSorted((a, b) => line(a) - line(b));
}

type Located = Omit<SpecProblem, "location"> & {
  readonly at: "key" | "value";
  readonly missing?: boolean;
  /** The key that a misspelt one stands for. */
  readonly meant?: string | undefined;
};

/** Points at the key or value; when that is what is missing, at the nearest thing that is there. */
function locate(source: SpecSource, { at, path, message, hint }: Located): SpecProblem {
  const problem = { path, message, hint };
  for (let length = problem.path.length; length >= 0; length--) {
    const location = source.locate(
      problem.path.slice(0, length),
      length === problem.path.length ? at : "key",
    );
    if (location) return { ...problem, location };
  }
  return problem;
}

function describe(issue: Issue, base: SpecPath): Located[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== "symbol")];
  const name = formatPath(path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const near = suggest(key, keysAt(path));
        return {
          path: [...path, key],
          at: "key" as const,
          message: `Unknown key "${key}"${name === "" ? "" : ` in "${name}"`}`,
          meant: near,
          hint: near === undefined ? `known keys: ${keysAt(path).join(", ")}` : `Did you mean "${near}"?`,
        };
      });
    case "invalid_value": {
      const values = issue.values.map(String);
      const near = suggest(String(issue.input), values);
      return [
        {
          path,
          at: "value",
          message: `"${name}" is ${show(issue.input)}, but must be ${listed(values)}`,
          hint: near === undefined ? undefined : `Did you mean "${near}"?`,
        },
      ];
    }
    case "invalid_union":
      return describeUnion(issue, path);
    case "invalid_key": {
      const reason = issue.issues[0]?.message ?? "not allowed here";
      return [{ path, at: "key", message: `Key "${String(path.at(-1))}" must be ${reason}` }];
    }
    case "invalid_type":
      if (issue.input === undefined) return [missing(path)];
      return [{ path, at: "value", message: mustBe(name, issue.input, wants(issue)[0] ?? "") }];
    case "too_small":
    case "too_big": {
      const limit = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
      const wanted = issue.origin === "array" || issue.origin === "string" ? "not empty" : limit;
      return [{ path, at: "value", message: mustBe(name, issue.input, wanted) }];
    }
    default:
      return [{ path, at: "value", message: mustBe(name, issue.input, issue.message) }];
  }
}

/** Of a union, only the branch that the user was in speaks: the one that got deepest into the value. */
function describeUnion(issue: Extract<Issue, { code: "invalid_union" }>, path: SpecPath): Located[] {
  if (issue.input === undefined) return [missing(path)];
  const branches = issue.errors.map((errors) => ({ errors, wrongShape: errors.some(isShape) }));
  const right = branches.filter((branch) => !branch.wrongShape);
  if (right.length > 0) {
    const best = right.reduce((a, b) => (misfit(b.errors) < misfit(a.errors) ? b : a));
    return best.errors.flatMap((error) => describe(error, path));
  }
  const wanted = issue.errors.flatMap((errors) => errors.flatMap((error) => wants(error)));
  return [
    { path, at: "value", message: mustBe(formatPath(path), issue.input, listed([...new Set(wanted)])) },
  ];
}

function isShape(error: Issue): boolean {
  if (error.path.length > 0) return false;
  if (error.code === "invalid_value")
    return error.values.every((value) => typeof value === "boolean" || typeof value !== typeof error.input);
  return error.code === "invalid_type";
}

// A missing key tells that another branch was meant; a misspelt one less so.
function misfit(errors: readonly Issue[]): number {
  return errors.reduce(
    (sum, error) =>
      sum +
      (error.code === "invalid_type" && error.input === undefined ? 3 : 1) +
      (error.path.length === 0 ? 1 : 0),
    0,
  );
}

function wants(error: Issue): string[] {
  if (error.code === "invalid_type") {
    return [error.message.startsWith("Invalid input") ? article(error.expected) : error.message];
  }
  if (error.code === "invalid_value") return error.values.map((value) => JSON.stringify(value));
  if (error.code === "invalid_union")
    return error.errors.flatMap((errors) => errors.flatMap((each) => wants(each)));
  return [error.message];
}

function article(type: string): string {
  const names: Record<string, string> = {
    object: "a mapping",
    record: "a mapping",
    array: "a list",
    string: "a string",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
  };
  return names[type] ?? type;
}

function mustBe(name: string, input: unknown, wanted: string): string {
  return `${name === "" ? "The spec" : `"${name}"`} is ${show(input)}, but must be ${wanted}`;
}

function show(input: unknown): string {
  if (Array.isArray(input)) return input.length === 0 ? "an empty list" : "a list";
  if (typeof input === "object" && input !== null) return "a mapping";
  return input === null ? "empty" : (JSON.stringify(input) ?? typeof input);
}

function listed(values: readonly string[]): string {
  return values.length < 2 ? (values[0] ?? "") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

function missing(path: SpecPath): Located {
  const name = formatPath(path);
  const hints: Record<string, string> = {
    name: "name: my-appliance",
    run: 'run: the program that the appliance is for, like [redis-server, --save, ""]',
  };
  return { path, at: "key", missing: true, message: `Missing key "${name}"`, hint: hints[name] };
}

/** The keys that the schema knows at a path, for suggestions. */
function keysAt(path: SpecPath): string[] {
  let schemas: z.core.$ZodType[] = [specSchema];
  for (const step of path) schemas = schemas.flatMap(unwrap).flatMap((schema) => into(schema, step));
  return [
    ...new Set(
      schemas
        .flatMap(unwrap)
        .flatMap((schema) =>
          "shape" in schema._zod.def ? Object.keys(schema._zod.def.shape as object) : [],
        ),
    ),
  ].filter((key) => key !== "$schema");
}

type Def = {
  type: string;
  innerType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  shape?: Record<string, z.core.$ZodType>;
};

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def = schema._zod.def as unknown as Def;
  if (def.type === "optional" && def.innerType) return unwrap(def.innerType);
  if (def.type === "union" && def.options) return def.options.flatMap(unwrap);
  return [schema];
}

function into(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  const def = schema._zod.def as unknown as Def;
  const inner = typeof step === "number" ? def.element : (def.shape?.[step] ?? def.valueType);
  return inner ? [inner] : [];
}
