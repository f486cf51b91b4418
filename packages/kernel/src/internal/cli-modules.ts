import { cp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readArtifacts } from "../artifacts.ts";
import type { CommandContext } from "../command.ts";
import { KernelError } from "../errors.ts";
import { buildModules } from "../modules.ts";
import { operandsOf, printResult } from "./cli-io.ts";

/** `kbuild modules KERNEL DIRECTORY`. */
export async function modulesCommand(context: CommandContext): Promise<number> {
  const { args, signal, progress } = context;
  const [from = "", directory = ""] = operandsOf(args, 2, 2, "modules KERNEL DIRECTORY");
  const kernel = await readArtifacts(resolve(from));
  if (kernel === undefined) {
    throw new KernelError("KERNEL_BUILD", `"${from}" is no directory of artifacts`, {
      hint: '"kbuild build -o DIRECTORY" makes one',
    });
  }
  const options = { kernel, directory, cacheDir: args.text("cache-dir"), signal, onProgress: progress.show };
  const built = await buildModules(options);
  const output = args.text("output");
  const at = output === undefined ? built.directory : join(resolve(output), "lib/modules", kernel.release);
  if (output !== undefined) {
    await rm(at, { recursive: true, force: true });
    await cp(built.directory, at, { recursive: true });
  }
  const lines = built.modules.map(({ name, depends }) =>
    depends.length === 0 ? `${name}\n` : `${name}  needs ${depends.join(" ")}\n`,
  );
  printResult(context, { ...built, directory: at }, `${at}\n${lines.join("")}`);
  return 0;
}
