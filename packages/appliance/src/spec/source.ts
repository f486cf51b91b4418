import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import { ApplianceError } from "../error.ts";
import { SpecError } from "./problem.ts";

/** A place in the spec's text; line and column count from 1. */
export interface SpecLocation {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type SpecPath = readonly (string | number)[];

/** A spec as it was read, not yet checked. */
export interface SpecSource {
  /** Absolute path. */
  readonly file: string;
  /** What relative paths in the spec are relative to. */
  readonly directory: string;
  readonly text: string;
  readonly value: unknown;
  /** Where a key or its value stands; undefined in a TypeScript spec, whose values are computed. */
  readonly locate: (path: SpecPath, what: "key" | "value") => SpecLocation | undefined;
}

const names = ["appliance.yaml", "appliance.yml", "appliance.config.ts", "appliance.config.js"];

/** The spec file that the user means: the file itself, or the one in the directory that was named. */
export async function findSpec(where: string): Promise<string> {
  const path = resolve(where);
  const info = await stat(path).catch(() => undefined);
  if (!info) {
    throw new ApplianceError("APPLIANCE_SPEC_NOT_FOUND", `Cannot find the spec "${where}"`, {
      hint: "name a spec file or a directory that holds one; 'appliance init' makes one",
    });
  }
  if (!info.isDirectory()) return path;
  const found: string[] = [];
  for (const name of names) {
    if (await stat(join(path, name)).catch(() => undefined)) found.push(name);
  }
  if (found.length > 1) {
    throw new ApplianceError(
      "APPLIANCE_SPEC_NOT_FOUND",
      `"${where}" holds more than one spec: ${found.join(", ")}`,
      {
        hint: "name the file",
      },
    );
  }
  if (found[0] === undefined) {
    throw new ApplianceError(
      "APPLIANCE_SPEC_NOT_FOUND",
      `"${where}" holds no spec (${names.slice(0, 3).join(", ")})`,
      {
        hint: "'appliance init' makes one",
      },
    );
  }
  return join(path, found[0]);
}

/** Reads a spec file, by its name's end as YAML or as a module whose default export is the spec. */
export async function readSpec(file: string): Promise<SpecSource> {
  const path = resolve(file);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ApplianceError("APPLIANCE_SPEC_NOT_FOUND", `Cannot read the spec "${file}"`, { cause });
  });
  return /\.[cm]?[jt]s$/.test(basename(path)) ? readModule(path, text) : parseSpecText(text, path);
}

async function readModule(file: string, text: string): Promise<SpecSource> {
  let module: { readonly default?: unknown };
  try {
    // The time in the address makes a changed file count as another module within one process.
    const { mtimeMs } = await stat(file);
    module = (await import(`${pathToFileURL(file).href}?${mtimeMs}`)) as { readonly default?: unknown };
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new ApplianceError("APPLIANCE_SPEC_INVALID", `Cannot load the spec "${file}": ${detail}`, {
      cause,
    });
  }
  if (module.default === undefined) {
    throw new ApplianceError("APPLIANCE_SPEC_INVALID", `"${file}" has no default export`, {
      hint: "export default defineAppliance({ … })",
    });
  }
  return { file, directory: dirname(file), text, value: module.default, locate: () => undefined };
}

/** Parses YAML text as the spec of `file`; syntax errors and double keys are told with their place. */
export function parseSpecText(text: string, file: string): SpecSource {
  const path = resolve(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const spot = (offset: number, length: number): SpecLocation => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, length: Math.max(1, length) };
  };
  const source: Omit<SpecSource, "value"> = {
    file: path,
    directory: dirname(path),
    text,
    locate: (where, what) => {
      const range = find(document, where, what)?.range;
      if (!range) return undefined;
      const firstLine = text.slice(range[0], range[1]).split("\n", 1)[0] ?? "";
      return spot(range[0], firstLine.trimEnd().length);
    },
  };
  if (document.errors.length > 0) {
    throw new SpecError(
      { ...source, value: undefined },
      document.errors.map((error) => ({
        path: [],
        message: yamlMessage(error.code, error.message),
        location: spot(error.pos[0], error.pos[1] - error.pos[0]),
      })),
    );
  }
  keepConfigText(document);
  return { ...source, value: document.toJS({ maxAliasCount: 100 }) ?? {} };
}

function yamlMessage(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "This key stands here twice";
  return message.replace(/\.$/, "");
}

/** `0x10` and `010` are other numbers in YAML than in a .config: keep what was typed. */
function keepConfigText(document: Document): void {
  const config = document.getIn(["kernel", "config"], true);
  if (!isMap(config)) return;
  for (const { value } of config.items) {
    if (isScalar(value) && typeof value.value === "number" && value.source !== undefined)
      value.value = value.source;
  }
}

function find(document: Document, path: SpecPath, what: "key" | "value"): Node | undefined {
  let node: unknown = document.contents;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return undefined;
      if (last && what === "key") return pair.key as Node;
      node = pair.value ?? pair.key;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
    } else {
      return undefined;
    }
  }
  return (node as Node | null) ?? undefined;
}
