/** The tree that the command line names, with its environment and its answers. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CliIo } from "../command.ts";
import { KconfigError, formatDiagnostic } from "../errors.ts";
import type { Diagnostic } from "../errors.ts";
import { answersDirectory } from "../node/answers-directory.ts";
import { kernelEnvironment, nodeHost } from "../node/index.ts";
import { parseAnswers, recordedHost } from "../recorded.ts";
import { loadKconfig } from "../tree.ts";
import type { KconfigTree, LoadTreeOptions } from "../tree.ts";
import type { CliArgs } from "./cli-args.ts";
import { readText } from "./cli-files.ts";

/** What loadKconfig() and resolveConfig() need; `use` ends before the shells are closed. */
export async function withTreeOptions<T>(
  values: CliArgs["values"],
  use: (options: LoadTreeOptions) => Promise<T>,
): Promise<T> {
  const srctree = resolve(values.srctree ?? ".");
  const file = values.kconfig ?? "Kconfig";
  if (!existsSync(resolve(srctree, file))) {
    throw new KconfigError("KCONFIG_HOST", `There is no "${file}" in "${srctree}"`, {
      hint: "Name the directory of the tree with --srctree, its first file with --kconfig",
    });
  }
  if (values.answers !== undefined) return await use(await offline(srctree, file, values));
  const env = { ...kernelEnvironment({ srctree, arch: values.arch }), srctree };
  using host = nodeHost({ env, cwd: srctree, answers: answersDirectory(process.env) });
  return await use({ srctree, file, host });
}

async function offline(
  srctree: string,
  file: string,
  { answers = "", arch }: CliArgs["values"],
): Promise<LoadTreeOptions> {
  const recorded = parseAnswers(await readText(answers), { file: answers });
  const own = recorded.environment["ARCH"];
  if (arch !== undefined && own !== undefined && own !== arch) {
    throw new KconfigError(
      "KCONFIG_HOST",
      `"${answers}" was recorded for ARCH=${own ?? ""}, not for ${arch}`,
      {
        hint: `Leave out --arch, or record answers with --arch ${arch}`,
      },
    );
  }
  const files = nodeHost({ env: { ...process.env, srctree }, cwd: srctree });
  const host = recordedHost(files, recorded, { srctree });
  return { srctree, file, host };
}

/** Loads the tree, with all defaults. */
export async function openTree(values: CliArgs["values"], io: CliIo): Promise<KconfigTree> {
  const tree = await withTreeOptions(values, loadKconfig);
  tellWarnings(tree.diagnostics, io);
  return tree;
}

/** Loads the tree and the configuration: that of --config, or `.config` here if there is one. */
export async function openConfigured(values: CliArgs["values"], io: CliIo): Promise<KconfigTree> {
  const config = values.config ?? (existsSync(".config") ? ".config" : undefined);
  const text = config === undefined ? undefined : await readText(config);
  const tree = await openTree(values, io);
  if (text !== undefined) tellWarnings(tree.load(text, { file: config ?? "" }), io);
  return tree;
}

export function tellWarnings(diagnostics: readonly Diagnostic[], io: CliIo): void {
  for (const one of diagnostics) io.stderr(`${formatDiagnostic(one)}\n`);
}
