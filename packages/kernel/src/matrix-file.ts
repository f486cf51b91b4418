import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { printRequests } from "@justenough/kconfig";
import { ARCHES } from "./arch.ts";
import type { Arch } from "./arch.ts";
import type { KernelError } from "./errors.ts";
import { composeFeatures, defaultFeatures } from "./feature.ts";
import { leastDifference } from "./internal/least-difference.ts";
import { readMatrixDocument } from "./internal/matrix-document.ts";
import type { MatrixDocument, Path } from "./internal/matrix-document.ts";
import { readSource } from "./internal/source-argument.ts";
import type { MatrixCell } from "./matrix.ts";
import type { KernelSource } from "./source.ts";

interface Source {
  readonly name: string;
  readonly text: string;
  readonly source: KernelSource;
}

type Base = (typeof BASES)[number];
type Cell = MatrixCell & { readonly arch: Arch; readonly base: Base | undefined };

interface Config {
  readonly name: string;
  readonly features: readonly string[];
  readonly presets: readonly string[];
  readonly base: Base | undefined;
  readonly symbols: Readonly<Record<string, string>>;
  readonly defaults: boolean;
}

const KEYS = ["sources", "arch", "compiler", "configs", "exclude"];
const SOURCE_KEYS = ["source", "name", "patches"];
const CONFIG_KEYS = ["features", "default-features", "presets", "set", "base"];
const AXES = ["source", "arch", "compiler", "config"];
const COMPILERS = ["gcc", "clang"] as const;
const BASES = ["allnoconfig", "tinyconfig", "defconfig"] as const;

/**
 * Reads the cells of a matrix from a YAML or JSON file: every source with every architecture, compiler and configuration,
 * but for those that `exclude` names. They come in the order in which the least has to be compiled. Relative paths start
 * at the file.
 *
 * @throws KernelError KERNEL_MATRIX with `FILE:LINE:COLUMN` for what is not understood.
 */
export async function readMatrix(file: string): Promise<MatrixCell[]> {
  const document = await readMatrixDocument(file);
  const { value, wrong, map, items, word, words } = document;
  map([], value, KEYS);
  if (value["sources"] === undefined) {
    throw wrong([], 'There are no "sources"', "sources: [debian:6.12]");
  }
  const sources: Source[] = [];
  for (const [index, given] of items(["sources"], value["sources"]).entries()) {
    const source = await readSourceItem(document, ["sources", index], given, dirname(file));
    if (sources.some(({ name }) => name === source.name)) {
      throw wrong(["sources", index], `Two sources are called "${source.name}"`, 'Give one another "name"');
    }
    sources.push(source);
  }
  const arches = words<Arch>(["arch"], value["arch"], ["x86_64"], ARCHES);
  const compilers = words(["compiler"], value["compiler"], ["gcc"] as const, COMPILERS);
  const configs = readConfigs(document);
  const axes: Readonly<Record<string, readonly string[]>> = {
    source: sources.flatMap(({ name, text }) => [name, text]),
    arch: arches,
    compiler: compilers,
    config: configs.map(({ name }) => name),
  };
  const exclude = items(["exclude"], value["exclude"], []).map((one, index) =>
    Object.entries(map(["exclude", index], one, AXES)).map(([axis, given]) => {
      const path = ["exclude", index, axis];
      const text = word(path, given);
      if (axes[axis]?.includes(text) !== true) throw wrong(path, `No ${axis} of this matrix is "${text}"`);
      return { axis, text };
    }),
  );
  const cells: MatrixCell[] = [];
  for (const { name: sourceName, text, source } of sources) {
    for (const arch of arches) {
      for (const compiler of compilers) {
        const some = configs.filter(({ name }) => {
          const place: Record<string, readonly string[]> = {
            source: [sourceName, text],
            arch: [arch],
            compiler: [compiler],
            config: [name],
          };
          return !exclude.some((one) => one.every((word) => place[word.axis]?.includes(word.text)));
        });
        const here = some.map(({ name, features, presets, base, symbols, defaults }) => ({
          name: `${sourceName}_${arch}_${compiler}_${name}`,
          place: { source: sourceName, config: name },
          source,
          arch,
          compiler,
          base,
          config: symbols,
          origin: `${file}, configs.${name}`,
          features: [...(defaults ? defaultFeatures(arch) : []), ...features],
          presets,
        }));
        // They share a build directory.
        cells.push(...leastDifference(here, requestsOf));
      }
    }
  }
  return cells;
}

async function readSourceItem(
  { wrong, map, word, words }: MatrixDocument,
  path: Path,
  given: unknown,
  directory: string,
): Promise<Source> {
  const plain = typeof given !== "object";
  const item = plain ? { source: given } : map(path, given, SOURCE_KEYS);
  const where = plain ? path : [...path, "source"];
  const text = word(where, item["source"]);
  const name = item["name"] === undefined ? nameOf(text) : fileName(word([...path, "name"], item["name"]));
  if (name === undefined) throw wrong([...path, "name"], "This cannot be part of a file's name");
  const source = await readSource(await fromHere(text, directory), {}).catch((error: KernelError) => {
    throw wrong(where, error.message, error.hint);
  });
  const patches = words([...path, "patches"], item["patches"], []).map((patch) => resolve(directory, patch));
  return { name, text, source: patches.length === 0 ? source : { ...source, patches } };
}

async function fromHere(text: string, directory: string): Promise<string> {
  if (/^git:\.{0,2}\//.test(text)) return `git:${resolve(directory, text.slice(4))}`;
  const here = resolve(directory, text);
  const found = await stat(here).catch(() => undefined);
  return found === undefined ? text : here;
}

function readConfigs({ value, wrong, map, word, words }: MatrixDocument): Config[] {
  const configs = value["configs"];
  const none = typeof configs !== "object" || configs === null || Object.keys(configs).length === 0;
  if (none || Array.isArray(configs)) {
    const path = configs === undefined ? [] : ["configs"];
    throw wrong(path, '"configs" is a map of names', "configs: { hello: {} }");
  }
  return Object.entries(configs as Record<string, unknown>).map(([name, given]) => {
    const path = ["configs", name];
    if (fileName(name) === undefined) throw wrong(path, `"${name}" cannot be part of a file's name`);
    const config = map(path, given ?? {}, CONFIG_KEYS);
    const defaults = config["default-features"] ?? true;
    if (typeof defaults !== "boolean") throw wrong([...path, "default-features"], "It is true or false");
    const symbols: Record<string, string> = {};
    for (const [symbol, wanted] of Object.entries(map([...path, "set"], config["set"] ?? {}))) {
      symbols[symbol] = symbolValue(wanted) ?? word([...path, "set", symbol], wanted);
    }
    const base = config["base"] === undefined ? undefined : word([...path, "base"], config["base"], BASES);
    const features = words([...path, "features"], config["features"], []);
    const presets = words([...path, "presets"], config["presets"], []);
    return { name, features, presets, base, symbols, defaults };
  });
}

// YAML 1.2 has no other words for y and n; the empty string is a value too.
function symbolValue(wanted: unknown): string | undefined {
  if (typeof wanted === "boolean") return wanted ? "y" : "n";
  return wanted === "" ? "" : undefined;
}

function fileName(text: string): string | undefined {
  return /^[\w+-][\w.+-]*$/.test(text) ? text : undefined;
}

function nameOf(source: string): string {
  return source.replaceAll(/[^\w.+-]+/g, "-").replace(/^[-.]+|-$/g, "");
}

// A cell that cannot be configured fails when it is its turn.
function requestsOf({ features = [], presets, arch, config, base }: Cell): string[] {
  const symbols = Object.entries(config ?? {}).map(([symbol, text]) => `${symbol}=${text}`);
  try {
    const { requests } = composeFeatures(features, { arch, presets });
    return [base ?? "", ...symbols, ...printRequests(requests).split("\n")];
  } catch {
    return symbols;
  }
}
