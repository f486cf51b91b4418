import { access, constants, readFile, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { suggest } from "../internal/suggest.ts";
import { SpecError, type SpecProblem } from "./problem.ts";
import type { Resolution } from "./resolved.ts";
import type { SpecPath, SpecSource } from "./source.ts";

/**
 * What no schema can see: whether the features exist, and the programs and files on this machine.
 * Throws one `SpecError` with all of it, before anything long is begun.
 */
export async function verifySpec({ spec, values }: Resolution, source: SpecSource): Promise<void> {
  const problems: SpecProblem[] = [];
  const report = (key: string, path: SpecPath, message: string, hint?: string): void => {
    const origin = values.find((value) => value.key === key)?.origin;
    const at = origin?.kind === "implied" && origin.by === "run" ? (["run"] as const) : path;
    problems.push({ path: at, message, hint, location: source.locate(at, "value") });
  };
  const isFile = async (path: string): Promise<boolean> =>
    (await stat(path).catch(() => undefined))?.isFile() === true;

  for (const [index, program] of spec.programs.entries()) {
    const path: SpecPath = ["programs", index];
    const key = `programs[${index}]`;
    if (program.kind === "compile") {
      if (!(await isFile(program.source))) report(key, path, `Cannot find the C file "${program.source}"`);
    } else if (program.source.includes("/")) {
      if (!(await isFile(program.source))) report(key, path, `Cannot find the program "${program.source}"`);
    } else if ((await findInPath(program.source)) === undefined) {
      report(
        key,
        path,
        `Cannot find the program "${program.source}" in this machine's PATH`,
        "install the package that holds it, or write its path",
      );
    }
  }
  if (spec.facets.length > 0) {
    const { FACET_NAMES } = await import("@justenough/initramfs");
    for (const [index, facet] of spec.facets.entries()) {
      const name = facet.replace(/=.*/, "");
      if (FACET_NAMES.includes(name)) continue;
      const near = suggest(name, FACET_NAMES);
      const hint = near === undefined ? `facets: ${FACET_NAMES.join(", ")}` : `Did you mean "${near}"?`;
      report(`facets[${index}]`, ["facets", index], `There is no facet "${name}"`, hint);
    }
  }
  for (const file of spec.files) {
    if (file.source !== undefined && !(await isFile(file.source))) {
      report("", ["files", file.target, "source"], `Cannot find the file "${file.source}"`);
    }
  }
  if (spec.init !== null && !(await isFile(spec.init)))
    report("init", ["init"], `Cannot find the file "${spec.init}"`);
  const { defconfig } = spec.kernel;
  if (defconfig !== null && !(await isFile(defconfig))) {
    const hint = "'appliance minimize' makes one";
    report("kernel.defconfig", ["kernel", "defconfig"], `Cannot find the file "${defconfig}"`, hint);
  }
  const { devices } = spec.kernel;
  if (devices !== null && !(await isFile(devices))) {
    const hint = "'appliance probe' prints the command that collects them on the machine";
    report("kernel.devices", ["kernel", "devices"], `Cannot find the file "${devices}"`, hint);
  } else if (devices !== null) {
    const { isDevice, readDevices } = await import("../bundle/devices.ts");
    const found = await readFile(devices, "utf8").then(readDevices, (error: Error) => error);
    const lacks = `There is no device in "${devices}"`;
    const hint =
      "a line is a device's modalias, like pci:v1AF4d1000, or a module's name; 'appliance probe' lists them";
    if (found instanceof Error) {
      report("kernel.devices", ["kernel", "devices"], `Cannot read "${devices}": ${found.message}`);
    } else if (!found.some(isDevice)) report("kernel.devices", ["kernel", "devices"], lacks, hint);
  }
  const from = spec.kernel.source;
  if (
    (from.kind === "directory" || from.kind === "tarball") &&
    !(await stat(from.path).catch(() => undefined))
  ) {
    report("kernel.source", ["kernel", "source", from.kind], `Cannot find the ${from.kind} "${from.path}"`);
  }
  const named = values.flatMap(({ key, value, origin }) =>
    key.startsWith("kernel.features[") && origin.kind === "spec"
      ? [{ value: String(value), at: origin.key }]
      : [],
  );
  if (named.length > 0) {
    const { listFeatures } = await import("@justenough/kernel");
    const known = listFeatures().map(({ name }) => name);
    for (const { value, at } of named) {
      if (known.includes(value)) continue;
      const near = suggest(value, known);
      const path: SpecPath = ["kernel", "features", Number(/\d+/.exec(at)?.[0])];
      const hint = near === undefined ? `known features: ${known.join(", ")}` : `Did you mean "${near}"?`;
      const location = source.locate(path, "value");
      problems.push({ path, message: `Unknown kernel feature "${value}"`, hint, location });
    }
  }
  if (spec.kernel.presets.length > 0) {
    const { presetProblems } = await import("./verify-presets.ts");
    problems.push(...presetProblems(spec, source));
  }
  if (problems.length > 0) throw new SpecError(source, problems);
}

/** Where a program's name leads, with the system directories that an ordinary user's PATH leaves out. */
export async function findInPath(
  name: string,
  path: string = process.env["PATH"] ?? "",
): Promise<string | undefined> {
  for (const directory of [
    ...path.split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
  ]) {
    if (directory === "") continue;
    const candidate = join(directory, name);
    const runs = await access(candidate, constants.X_OK)
      .then(() => true)
      .catch(() => false);
    if (runs && (await stat(candidate)).isFile()) return candidate;
  }
  return undefined;
}
