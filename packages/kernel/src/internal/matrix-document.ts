import { readFile } from "node:fs/promises";
import { isMap, isNode, LineCounter, parseDocument } from "yaml";
import { KernelError } from "../errors.ts";
import { nearest } from "./nearest.ts";

/** Where something is in a matrix file: `["configs", "small", "set"]`. */
export type Path = readonly (string | number)[];

/** A file that is being read, and the errors of what is wrong in it, each with `FILE:LINE:COLUMN`. */
export interface MatrixDocument {
  readonly value: Readonly<Record<string, unknown>>;
  readonly wrong: (path: Path, message: string, hint?: string) => KernelError;
  /** A map with no other keys than these. */
  readonly map: (path: Path, given: unknown, known?: readonly string[]) => Readonly<Record<string, unknown>>;
  /** A list, `fallback` when there is none at all. Only what may be missing without a loss may be empty. */
  readonly items: (path: Path, given: unknown, fallback?: readonly unknown[]) => readonly unknown[];
  /** A word; numbers, which YAML sees in versions, are words too. */
  readonly word: <T extends string = string>(path: Path, given: unknown, known?: readonly T[]) => T;
  readonly words: <T extends string = string>(
    path: Path,
    given: unknown,
    fallback: readonly T[],
    known?: readonly T[],
  ) => readonly T[];
}

/** @throws KernelError KERNEL_MATRIX when the file cannot be read or is no map. */
export async function readMatrixDocument(file: string): Promise<MatrixDocument> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new KernelError("KERNEL_MATRIX", `Cannot read the matrix "${file}"`, { cause });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const wrong: MatrixDocument["wrong"] = (path, message, hint) => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const offset = isNode(node) ? node.range?.[0] : keyOffset(path);
    return new KernelError("KERNEL_MATRIX", `${at(offset ?? 0)}: ${message}`, { hint });
  };
  // A key without a value has no node of its own.
  const keyOffset = (path: Path): number | undefined => {
    const parent = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isMap(parent)) return undefined;
    const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(path.at(-1)));
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    const message = broken.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";
    throw new KernelError("KERNEL_MATRIX", `${at(broken.pos[0])}: ${message}`);
  }
  const map: MatrixDocument["map"] = (path, given, known) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw wrong(
        path,
        path.length === 0 ? "A matrix is a map with sources and configs" : "A map is expected here",
      );
    }
    for (const key of known === undefined ? [] : Object.keys(given)) {
      if (known?.includes(key) !== false) continue;
      const near = nearest(key, known);
      const hint = near === undefined ? `There are ${known.join(", ")}` : `Did you mean "${near}"?`;
      throw wrong([...path, key], `There is no key "${key}" here`, hint);
    }
    return given as Record<string, unknown>;
  };
  const items: MatrixDocument["items"] = (path, given, fallback) => {
    if (given === undefined && fallback !== undefined) return fallback;
    if (!Array.isArray(given)) throw wrong(path, `"${path.join(".")}" is a list`);
    if (given.length === 0 && fallback?.length !== 0) throw wrong(path, "There is nothing in this list");
    return given;
  };
  const word = <T extends string>(path: Path, given: unknown, known?: readonly T[]): T => {
    const text = typeof given === "number" ? String(given) : given;
    if (typeof text !== "string" || text === "") throw wrong(path, "A word is expected here");
    if (known !== undefined && !known.includes(text as T)) {
      throw wrong(path, `"${text}" is none of ${known.join(", ")}`);
    }
    return text as T;
  };
  return {
    value: map([], document.toJS()),
    wrong,
    map,
    items,
    word,
    words: (path, given, fallback, known) =>
      items(path, given, fallback).map((one, index) => word([...path, index], one, known)),
  };
}
