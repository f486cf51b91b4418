import { ARCHES } from "../arch.ts";
import { writeFile } from "node:fs/promises";
import { countSymbols, printConfig } from "@justenough/kconfig";
import { exportArtifacts } from "../artifacts.ts";
import { buildKernel } from "../build.ts";
import type { BuildOptions } from "../build.ts";
import type { CommandContext } from "../command.ts";
import { configureKernel } from "../configure.ts";
import { distroKernel } from "../distro.ts";
import { KernelError } from "../errors.ts";
import { defaultFeatures, listFeatures } from "../feature.ts";
import { listPresets, selectPresets } from "../preset.ts";
import type { Preset } from "../preset.ts";
import type { PresetProof } from "../preset-proof.ts";
import { fetchSource, resolveSource } from "../source.ts";
import { verifyKernel } from "../verify.ts";
import type { KernelVerification } from "../verify.ts";
import { oneOf } from "./cli-io.ts";
import { configuration, helpers, jobs } from "./cli-configuration.ts";
import { dryRun } from "./dry-run.ts";
import { nearest } from "./nearest.ts";
import { treeVersion } from "./tree.ts";

/** Runs one command of the command line. */
export async function runCommand(
  name: string,
  operand: string | undefined,
  context: CommandContext,
): Promise<void> {
  const { args, io, signal, progress } = context;
  const cacheDir = args.text("cache-dir");
  const refresh = args.flag("refresh");
  const kernel = { cacheDir, signal, refresh, offline: args.flag("offline"), onProgress: progress.show };
  const print = (value: unknown, plain: string): void => {
    progress.end();
    io.stdout(args.flag("json") ? `${JSON.stringify(value, null, 2)}\n` : plain);
  };
  if (name === "features" || name === "presets") {
    (name === "features" ? features : presets)(operand, print);
    return;
  }
  const distro = { arch: oneOf(args, "arch", ARCHES), package: args.text("package") };
  if (args.flag("dry-run")) {
    const wanted = name === "distro" ? undefined : await configuration(context, kernel);
    const commands = await dryRun(name, wanted, {
      ...kernel,
      ...distro,
      jobs: jobs(context),
    });
    print(commands, commands.map((command) => `${command}\n`).join(""));
    return;
  }
  if (name === "distro") {
    const artifacts = await distroKernel({ ...kernel, ...distro });
    print(artifacts, `${artifacts.image}\n`);
    return;
  }
  const wanted = await configuration(context, kernel);
  const output = args.text("output");
  if (name === "fetch") {
    const source = await resolveSource(wanted.source, kernel);
    const tree = await fetchSource(source, kernel);
    const { id, provenance } = source;
    const version = await treeVersion(tree);
    print(
      { tree, version, id, provenance },
      `tree     ${tree}\nversion  ${version ?? "unknown"}\nid       ${id}\n`,
    );
  } else if (name === "configure") {
    const configured = await configureKernel({ ...wanted, ...kernel });
    const { id, text, config, requests, boot } = configured;
    if (output !== undefined) await writeFile(output, text);
    const counts = countSymbols(config);
    const values = {
      id,
      features: configured.features,
      presets: configured.presets,
      boot,
      requested: requests.length,
      counts,
      output,
    };
    print(values, output === undefined ? text : `${output}\n`);
  } else {
    const boot = selectPresets(wanted.presets ?? [], wanted.arch ?? "x86_64").flatMap(
      (preset) => preset.boot,
    );
    const build = { ...wanted, ...kernel, jobs: jobs(context), ...helpers(context) };
    const verified = args.flag("verify") ? await verifiedBuild(build) : undefined;
    const built = verified?.kernel ?? (await buildKernel(build));
    const artifacts = output === undefined ? built : await exportArtifacts(built, output);
    const files = verified?.files;
    const same = files === undefined ? "" : `reproducible: ${files} files are the same in two builds\n`;
    print(
      { ...artifacts, boot, ...(files === undefined ? {} : { verified: { files } }) },
      `${artifacts.image}\n${same}`,
    );
    if (boot.length > 0) io.stderr(`its presets want on the command line: ${boot.join(" ")}\n`);
  }
}

async function verifiedBuild(build: BuildOptions): Promise<KernelVerification> {
  const verified = await verifyKernel(build);
  const { differing, objects, files } = verified;
  if (differing.length === 0) return verified;
  const some = (paths: readonly string[]): string =>
    `${paths.slice(0, 10).join(", ")}${paths.length > 10 ? ` and ${paths.length - 10} more` : ""}`;
  const from = objects.length === 0 ? "" : `; so do the objects ${some(objects)}`;
  throw new KernelError(
    "KERNEL_BUILD",
    `The kernel is not reproducible: of ${files} files these differ between two builds: ${some(differing)}${from}`,
    {
      hint: "A source that holds a path, a time or a random number is a likely cause; patches, or generated keys",
    },
  );
}

function features(name: string | undefined, print: (value: unknown, plain: string) => void): void {
  const all = listFeatures();
  const found = all.find((feature) => feature.name === name);
  if (name !== undefined && found === undefined) {
    const near = nearest(
      name,
      all.map((feature) => feature.name),
    );
    throw new KernelError("KERNEL_FEATURE", `There is no feature "${name}"`, {
      hint: near === undefined ? '"kbuild features" lists them' : `Did you mean "${near}"?`,
    });
  }
  if (found !== undefined) {
    const text = found.fragments.map(printConfig).join("\n");
    print({ name: found.name, why: found.why, arch: found.arch, needs: found.needs, text }, text);
    return;
  }
  const defaults = new Set(defaultFeatures());
  const rows = all.map(({ name, why, arch, needs }) => ({
    name,
    why,
    arch,
    needs,
    default: defaults.has(name),
  }));
  const width = Math.max(...rows.map((row) => row.name.length));
  const line = (row: (typeof rows)[number]): string =>
    `${row.default ? "*" : " "} ${row.name.padEnd(width)}  ${row.why}\n`;
  print(rows, `${rows.map(line).join("")}(* is on by default)\n`);
}

function presets(name: string | undefined, print: (value: unknown, plain: string) => void): void {
  const [chosen] = name === undefined ? [] : selectAnywhere(name);
  if (chosen !== undefined) {
    const { fragment, ...preset } = chosen;
    const text = printConfig(fragment);
    print({ ...preset, proofs: preset.proofs.map(plainProof), text }, text);
    return;
  }
  const rows = listPresets().map(({ fragment: _fragment, proofs, ...preset }) => ({
    ...preset,
    proofs: proofs.map(plainProof),
  }));
  const width = Math.max(...rows.map((row) => row.name.length));
  print(rows, rows.map((row) => `${row.name.padEnd(width)}  ${row.why}\n`).join(""));
}

// To be shown it need not exist on this architecture.
function selectAnywhere(name: string): Preset[] {
  const arch = listPresets().find((preset) => preset.name === name)?.arch[0];
  return selectPresets([name], arch ?? "x86_64");
}

function plainProof({ subject, wanted, pattern }: PresetProof): object {
  return { subject, wanted, pattern: pattern.source };
}
