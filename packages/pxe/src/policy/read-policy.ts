import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { checkBundle, readBundle, type PxeBundle } from "../bundle-files.ts";
import { PxeError } from "../errors.ts";
import type { Policy, PolicyMachine, PolicyRule } from "./choose-plan.ts";
import type { BootTarget, Param, Params } from "./plan.ts";
import { formatAt, formatProblem, problemsOf, type Problem } from "./problems.ts";
import { policySchema, type BootInput, type ParamsInput, type PolicyInput } from "./schema.ts";
import { readYaml, type ValuePath, type YamlSource } from "./yaml-source.ts";

/** The largest file that a machine gets as a parameter. */
const MOST_PARAM = 4 << 20;

function refused(messages: readonly string[], cause?: unknown): PxeError {
  return new PxeError("PXE_POLICY_INVALID", messages.join("\n"), {
    ...(cause === undefined ? {} : { cause }),
    hint: "the README lists what a policy can hold; the policy in force is kept",
  });
}

/** Check a text against a schema; an error `PXE_POLICY_INVALID` lists all that is wrong, with places. */
export function checkText<T extends z.ZodType>(
  text: string,
  file: string,
  schema: T,
): { value: z.output<T>; source: YamlSource } {
  const source = readYaml(text, file);
  if (source.broken.length > 0) {
    throw refused(source.broken.map(({ message, location }) => formatAt(source, message, location)));
  }
  const result = schema.safeParse(source.value, { reportInput: true });
  if (result.success) return { value: result.data, source };
  const found = problemsOf(result.error, schema).map((problem) => formatProblem(source, problem));
  throw refused([...new Set(found)], result.error);
}

/** What a `boot:` names, with its files checked. */
export async function resolveBoot(input: BootInput, directory: string): Promise<BootTarget> {
  if (input === "disk" || input === "none") return { kind: input };
  if (typeof input === "string")
    return { kind: "bundle", bundle: await readBundle(resolve(directory, input)) };
  const bundle: PxeBundle = {
    kernel: resolve(directory, input.kernel),
    initrd: (input.initrd ?? []).map((path) => resolve(directory, path)),
    cmdline: input.cmdline ?? "",
    title: input.title,
  };
  await checkBundle(bundle);
  return { kind: "bundle", bundle };
}

/** Parameters with their files found. */
export async function resolveParams(input: ParamsInput | undefined, directory: string): Promise<Params> {
  const resolved = Object.entries(input ?? {}).map(async ([name, param]): Promise<[string, Param]> => {
    if (typeof param === "string") return [name, param];
    const file = resolve(directory, param.file);
    const info = await stat(file).catch((cause: unknown) => {
      throw new PxeError("PXE_BUNDLE_INVALID", `Cannot find ${JSON.stringify(file)}`, { cause });
    });
    if (!info.isFile() || info.size > MOST_PARAM) {
      throw new PxeError("PXE_BUNDLE_INVALID", `${JSON.stringify(file)} is no file of at most 4 MiB`);
    }
    return [name, { file }];
  });
  return Object.fromEntries(await Promise.all(resolved));
}

/** Collects what is wrong with the files that a policy names, so that all of it is told at once. */
async function resolveAll(source: YamlSource, input: PolicyInput, directory: string): Promise<Policy> {
  const problems: Problem[] = [];
  const attempt = async <T>(path: ValuePath, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof PxeError)) throw error;
      problems.push({ path, at: "value", message: error.message, hint: error.hint });
      return undefined;
    }
  };
  const machines = new Map<string, PolicyMachine>();
  for (const [index, machine] of (input.machines ?? []).entries()) {
    const path = ["machines", index];
    if (machines.has(machine.mac)) {
      problems.push({ path: [...path, "mac"], at: "value", message: "This machine stands here twice" });
    }
    const params = await attempt([...path, "params"], resolveParams(machine.params, directory));
    machines.set(machine.mac, { ...machine, params });
  }
  const rules: PolicyRule[] = [];
  for (const [index, rule] of input.rules.entries()) {
    const path = ["rules", index];
    const boot = await attempt([...path, "boot"], resolveBoot(rule.boot, directory));
    const params = await attempt([...path, "params"], resolveParams(rule.params, directory));
    rules.push({ ...rule, boot: boot ?? { kind: "none" }, params });
  }
  if (problems.length > 0) throw refused(problems.map((problem) => formatProblem(source, problem)));
  return { machines, rules };
}

/**
 * Read a policy from YAML. Relative paths are relative to `directory`. `PXE_POLICY_INVALID` lists everything
 * that is wrong, each with `file:line:column`; the files that it names are checked too.
 *
 * @example
 * ```ts
 * import { parsePolicy } from "@justenough/pxe";
 * const policy = await parsePolicy("rules:\n  - tag: bench\n    boot: disk\n");
 * console.log(policy.rules.length); // 1
 * ```
 */
export async function parsePolicy(
  text: string,
  options: { readonly file?: string | undefined; readonly directory?: string | undefined } = {},
): Promise<Policy> {
  const { value, source } = checkText(text, options.file ?? "policy.yaml", policySchema);
  return resolveAll(source, value, options.directory ?? process.cwd());
}

/** Read a policy file. */
export async function readPolicy(file: string): Promise<{ text: string; policy: Policy }> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const text = `Cannot read the policy ${JSON.stringify(file)}: ${(cause as Error).message}`;
    throw new PxeError("PXE_POLICY_INVALID", text, { cause, hint: "name a YAML file; the README shows one" });
  });
  return { text, policy: await parsePolicy(text, { file, directory: dirname(resolve(file)) }) };
}
