import { formatDiagnostic } from "../build-diagnostic.ts";
import type { BuildDiagnostic } from "../build-diagnostic.ts";
import { KernelError } from "../errors.ts";
import { readKbuild } from "../kbuild/tree.ts";
import { underConfiguration } from "../kbuild/built.ts";
import { optionName } from "./option-tree.ts";
import { formatCommand, noSpaceError } from "./process.ts";
import type { Command } from "./process.ts";

/** A build that failed, as it is known afterwards. */
export interface FailedBuild {
  /** What failed: `The build of the arm64 kernel`. */
  readonly what: string;
  readonly command: Command;
  readonly diagnostics: readonly BuildDiagnostic[];
  readonly tail: readonly string[];
  readonly noSpace: string | undefined;
  readonly tree: string;
  /** The directory under arch/. */
  readonly sourceArch: string;
  readonly isOn: (symbol: string) => boolean;
}

const SHOWN = 3;

/** The error of a failed build: the first errors with place and option, not all that was printed. */
export async function buildError(build: FailedBuild): Promise<KernelError> {
  const { what, command, tail } = build;
  const again = `Run it again: ${formatCommand(command)}`;
  if (build.noSpace !== undefined) return noSpaceError(`${what} failed`, build.noSpace);
  const errors = build.diagnostics.filter(({ severity }) => severity === "error");
  const options = await optionsOf(errors, build);
  const diagnostics = errors.map((error): BuildDiagnostic => {
    const option = error.target === undefined ? undefined : options.get(error.target);
    return { ...error, option };
  });
  const [first] = diagnostics;
  if (first === undefined) {
    const last = tail.map((line) => `  ${line}`).join("\n");
    return new KernelError("KERNEL_BUILD", `${what} failed\n${last}`, { hint: again });
  }
  const lines = diagnostics
    .slice(0, SHOWN)
    .flatMap((error) => [
      ...error.lines.map((line) => line.replaceAll(`${build.tree}/`, "")),
      ...about(error),
    ]);
  const more = errors.length > SHOWN ? [`… and ${errors.length - SHOWN} more errors`] : [];
  const shown = [...lines, ...more].map((line) => `  ${line}`).join("\n");
  const without =
    first.option === undefined ? "" : `A kernel without ${first.option} does not have that file. `;
  return new KernelError("KERNEL_BUILD", `${what} failed: ${formatDiagnostic(first)}\n${shown}`, {
    hint: without + again,
    diagnostics,
  });
}

function about({ target, option, file }: BuildDiagnostic): string[] {
  if (target === undefined || (option === undefined && file !== undefined)) return [];
  return [option === undefined ? `(in ${target})` : `(in ${target}, which ${option} brought in)`];
}

async function optionsOf(
  errors: readonly BuildDiagnostic[],
  { tree, sourceArch, isOn }: FailedBuild,
): Promise<ReadonlyMap<string, string | undefined>> {
  const targets = new Set(
    errors.map(({ target }) => target).filter((target) => target?.endsWith(".o") === true),
  );
  if (targets.size === 0) return new Map();
  const built = underConfiguration(await readKbuild(tree, sourceArch), (symbol) =>
    isOn(symbol) ? "y" : "n",
  );
  const option = (target: string): string | undefined => built.optionsOf(target).map(optionName).at(-1);
  return new Map([...targets].map((target = "") => [target, option(target)]));
}
