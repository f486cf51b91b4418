import type { Config } from "@justenough/kconfig";
import { KernelError } from "../errors.ts";
import type { Compiler } from "./compiler.ts";
import { installLine, needsOf, unmetNeeds } from "./needs.ts";
import { run, searchPath } from "./process.ts";

/**
 * Makes sure before a long build that its tools are there.
 *
 * @throws KernelError KERNEL_TOOL_MISSING that names all that is missing and the packages to install.
 */
export async function checkTools(
  compiler: Compiler,
  config: Pick<Config, "values"> | undefined,
  signal?: AbortSignal,
  path: readonly string[] = searchPath(),
): Promise<void> {
  const needs = needsOf(compiler, (symbol) => config?.values.get(symbol)?.text === "y");
  const missing = await unmetNeeds(needs, path, signal);
  if (missing.length === 0) return;
  const names = missing.map(({ what }) => `"${what}"`).sort();
  throw new KernelError(
    "KERNEL_TOOL_MISSING",
    `The kernel's build needs what is not installed: ${names.join(", ")}`,
    { hint: installLine(missing) },
  );
}

/**
 * What decides the bytes of a build besides its source and configuration: the tools, by what they say of themselves.
 * Rust's is not among them, since makeCommand() keeps it out of the build; {@link paholeVersion} is apart.
 */
export async function toolchainVersion(
  { compiler, prefix }: Compiler,
  signal?: AbortSignal,
): Promise<string> {
  const commands =
    compiler === "clang"
      ? ([
          ["clang", "-v"],
          ["ld.lld", "--version"],
        ] as const)
      : ([
          [`${prefix}gcc`, "-v"],
          [`${prefix}ld`, "--version"],
        ] as const);
  return (await Promise.all(commands.map(([file, arg]) => ask(signal, file, arg)))).join("\n");
}

/** The version of the tool that makes BTF, which takes part only in kernels that ask for that. */
export function paholeVersion(signal?: AbortSignal): Promise<string> {
  return ask(signal, "pahole", "--version");
}

async function ask(signal: AbortSignal | undefined, file: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await run({ file, args }, { signal });
  return exitCode === 0 ? `${stdout}\n${stderr}`.trim() : `no ${file}`;
}
