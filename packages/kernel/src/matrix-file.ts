import { readFile } from "node:fs/promises";
import { isMap, isNode, LineCounter, parseDocument } from "yaml";
import { ARCHES } from "./arch.ts";
import type { Arch } from "./arch.ts";
import { KernelError } from "./errors.ts";
import { defaultFeatures } from "./feature.ts";
import { nearest } from "./internal/nearest.ts";
import { readSource } from "./internal/source-argument.ts";
import type { MatrixCell } from "./matrix.ts";

type Path = readonly (string | number)[];

const KEYS = ["sources", "arch", "compiler", "configs", "exclude"];
const CONFIG_KEYS = ["features", "default-features", "set", "base"];
const AXES = ["source", "arch", "compiler", "config"];
const COMPILERS = ["gcc", "clang"] as const;
const BASES = ["allnoconfig", "tinyconfig", "defconfig"] as const;

/**
 * Reads the cells of a matrix from a YAML or JSON file: every source with every architecture, compiler and configuration,
 * but for those that `exclude` names.
 *
 * @throws KernelError KERNEL_MATRIX with `FILE:LINE:COLUMN` for what is not understood.
 */
export async function readMatrix(file: string): Promise<MatrixCell[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new KernelError("KERNEL_MATRIX", `Cannot read the matrix "${file}"`, { cause });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const wrong = (path: Path, message: string, hint?: string): KernelError => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const { line, col } = lines.linePos((isNode(node) ? node.range?.[0] : undefined) ?? 0);
    return new KernelError("KERNEL_MATRIX", `${file}:${line}:${col}: ${message}`, { hint });
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new KernelError("KERNEL_MATRIX", `${file}:${line}:${col}: ${broken.message.split("\n")[0] ?? ""}`);
  }
  if (!isMap(document.contents)) throw wrong([], "A matrix is a map with sources and configs");
  const value = document.toJS() as Record<string, unknown>;
  const keys = (object: object, known: readonly string[], path: Path): void => {
    for (const key of Object.keys(object)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      throw wrong(
        [...path, key],
        `There is no key "${key}" here`,
        near === undefined ? `There are ${known.join(", ")}` : `Did you mean "${near}"?`,
      );
    }
  };
  const list = <T extends string>(
    path: Path,
    given: unknown,
    fallback: readonly T[],
    known?: readonly T[],
  ): T[] => {
    if (given === undefined) return [...fallback];
    if (!Array.isArray(given) || given.length === 0) throw wrong(path, `"${path.join(".")}" is a list`);
    return given.map((word: unknown, index) => {
      const text = typeof word === "number" ? String(word) : word;
      if (typeof text !== "string") throw wrong([...path, index], "A word is expected here");
      if (known !== undefined && !known.includes(text as T)) {
        throw wrong([...path, index], `"${text}" is none of ${known.join(", ")}`);
      }
      return text as T;
    });
  };
  keys(value, KEYS, []);
  const sources = list<string>(["sources"], value["sources"], []);
  if (sources.length === 0) throw wrong([], 'There are no "sources"', "sources: [debian:6.12]");
  const arches = list<Arch>(["arch"], value["arch"], ["x86_64"], ARCHES);
  const compilers = list(["compiler"], value["compiler"], ["gcc"] as const, COMPILERS);
  const configs = value["configs"];
  if (
    typeof configs !== "object" ||
    configs === null ||
    Array.isArray(configs) ||
    Object.keys(configs).length === 0
  ) {
    throw wrong(
      configs === undefined ? [] : ["configs"],
      '"configs" is a map of names',
      "configs: { hello: {} }",
    );
  }
  const readConfig = (name: string, given: unknown) => {
    const path = ["configs", name];
    if (!/^[\w.+-]+$/.test(name)) throw wrong(path, `"${name}" cannot be part of a file's name`);
    const config = (given ?? {}) as Record<string, unknown>;
    if (typeof config !== "object" || Array.isArray(config)) throw wrong(path, `"${name}" is a map`);
    keys(config, CONFIG_KEYS, path);
    const features = list<string>([...path, "features"], config["features"], []);
    const base = BASES.find((word) => word === config["base"]);
    if (config["base"] !== undefined && base === undefined) {
      throw wrong([...path, "base"], `A base is one of ${BASES.join(", ")}`);
    }
    const set = (config["set"] ?? {}) as Record<string, unknown>;
    if (typeof set !== "object" || Array.isArray(set))
      throw wrong([...path, "set"], '"set" is a map of symbols');
    const symbols: Record<string, string> = {};
    for (const [symbol, wanted] of Object.entries(set)) {
      // YAML 1.2 has no other words for these two.
      symbols[symbol] = wanted === true ? "y" : wanted === false ? "n" : String(wanted);
    }
    return { name, features, base, config: symbols, defaults: config["default-features"] !== false };
  };
  const read = Object.entries(configs as Record<string, unknown>).map(([name, given]) =>
    readConfig(name, given),
  );
  const exclude = (value["exclude"] ?? []) as Record<string, unknown>[];
  if (!Array.isArray(exclude)) throw wrong(["exclude"], '"exclude" is a list');
  const axes: Readonly<Record<string, readonly string[]>> = {
    source: sources,
    arch: arches,
    compiler: compilers,
    config: read.map(({ name }) => name),
  };
  for (const [index, one] of exclude.entries()) {
    keys(one, AXES, ["exclude", index]);
    for (const [axis, word] of Object.entries(one)) {
      if (axes[axis]?.includes(String(word)) === true) continue;
      throw wrong(["exclude", index, axis], `No ${axis} of this matrix is "${String(word)}"`);
    }
  }
  const cells: MatrixCell[] = [];
  for (const [index, text] of sources.entries()) {
    const source = await readSource(text, {}).catch((error: KernelError) => {
      throw wrong(["sources", index], error.message, error.hint);
    });
    for (const arch of arches) {
      for (const compiler of compilers) {
        for (const { name, features, base, config, defaults } of read) {
          const place: Record<string, string> = { source: text, arch, compiler, config: name };
          if (
            exclude.some((one) => Object.entries(one).every(([axis, word]) => place[axis] === String(word)))
          )
            continue;
          cells.push({
            name: `${text.replaceAll(/[^\w.+-]+/g, "-").replace(/^-|-$/g, "")}_${arch}_${compiler}_${name}`,
            source,
            arch,
            compiler,
            base,
            config,
            origin: `${file}, configs.${name}`,
            features: [...(defaults ? defaultFeatures(arch) : []), ...features],
          });
        }
      }
    }
  }
  return cells;
}
