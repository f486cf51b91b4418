import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "@justenough/kconfig";
import type { ArchFacts } from "../arch.ts";
import { run, runOrThrow } from "./process.ts";

/**
 * Fills a directory with what modules are built against (`make -C DIRECTORY M=…`): makefiles, headers and the build's own
 * tools, and nothing that leads back to the source tree or the build directory. What belongs to it is what
 * scripts/package/install-extmod-build takes for the distributions.
 */
export async function makeHeaders(
  build: {
    readonly tree: string;
    readonly objects: string;
    readonly facts: ArchFacts;
    readonly config: Pick<Config, "values">;
    readonly directory: string;
  },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { tree, objects, facts, config, directory } = build;
  const arch = `arch/${facts.directory}`;
  const isOn = (symbol: string): boolean => config.values.get(symbol)?.text === "y";
  const inArch = await readdir(join(tree, arch));
  const makefiles = inArch.filter((name) => /^(Makefile.*|Kbuild\.platforms|Platform)$/.test(name));
  const fromTree = [
    "Makefile",
    "include",
    "scripts",
    `${arch}/include`,
    ...makefiles.map((name) => `${arch}/${name}`),
  ];
  // Links where they can be: the tree is never written to. Across file systems they are copies.
  await copy(tree, fromTree, directory, signal, true);
  const made = [
    "Module.symvers",
    "include",
    "scripts",
    `${arch}/include/generated`,
    // The certificate alone: the key does not leave the cache.
    ...(isOn("MODULE_SIG") ? ["certs/signing_key.x509"] : []),
    ...(isOn("OBJTOOL") ? ["tools/objtool/objtool"] : []),
    ...(isOn("DEBUG_INFO_BTF_MODULES") ? ["tools/bpf/resolve_btfids/resolve_btfids"] : []),
  ];
  await copy(objects, made, directory, signal, false);
  // Their debugging information has the paths of both directories, and their build id is made of that too.
  const tools = made.filter((name) => name.startsWith("tools/")).map((name) => join(directory, name));
  if (tools.length > 0)
    await runOrThrow(
      { file: "strip", args: ["-R", ".note.gnu.build-id", ...tools] },
      { what: "strip the build's tools", signal },
    );
  // What the build noted for itself: commands and lists of dependencies with its own paths, and intermediate files.
  const notes = [
    "-name",
    "*.o",
    "-o",
    "-name",
    "*.s",
    "-o",
    "-name",
    ".*.cmd",
    "-o",
    "-name",
    "*.cmd",
    "-o",
    "-name",
    ".*.d",
    "-o",
    "-name",
    "*.a",
  ];
  const command = { file: "find", args: [directory, "-type", "f", "(", ...notes, ")", "-delete"] };
  await runOrThrow(command, { what: "tidy the headers", signal });
  for (const name of ["scripts/kconfig", "scripts/dtc", "scripts/package"]) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function copy(
  from: string,
  names: readonly string[],
  to: string,
  signal: AbortSignal | undefined,
  linked: boolean,
): Promise<void> {
  const command = (how: readonly string[]): Parameters<typeof run>[0] => ({
    file: "cp",
    // Over what is there: both sides have include/ and scripts/, and a link must be replaced, never written through.
    args: ["-r", "-P", "-p", "--remove-destination", "--parents", ...how, "--", ...names, to],
    cwd: from,
  });
  if (linked && (await run(command(["--link"]), { signal })).exitCode === 0) return;
  await runOrThrow(command([]), { what: "collect the headers", signal });
}
