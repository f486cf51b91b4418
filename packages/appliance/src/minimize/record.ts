import { readFile } from "node:fs/promises";
import { countSymbols, parseConfig } from "@justenough/kconfig";
import type { ShrinkState } from "@justenough/kconfig";
import { replaceFile } from "../internal/replace-file.ts";
import type { Expectation } from "./trial.ts";

/** A kernel in numbers. */
export interface Measure {
  /** Options that are y or m. */
  readonly options: number;
  /** Of the image. */
  readonly bytes: number;
}

/** One test. */
export interface CurvePoint extends Measure {
  readonly ok: boolean;
  /** Since the beginning, without the time between two calls. */
  readonly seconds: number;
}

/** All that a search needs to go on after it was interrupted. */
export interface SearchRecord {
  readonly format: 1;
  readonly start: Measure;
  readonly expected: Expectation;
  /** Bytes that options bring in, in the kernel that all starts from: as kernelSize() tells. */
  readonly objects: readonly SizedByOptions[];
  /** What the program was seen to use: where the search began. */
  readonly used?: readonly string[] | undefined;
  /** Undefined while nothing is decided. */
  readonly state?: ShrinkState | undefined;
  /** Before each time that options were turned off. */
  readonly history?: readonly ShrinkState[] | undefined;
  readonly curve: readonly CurvePoint[];
  readonly seconds: number;
}

/** What savedBytes() reads of an object. */
export interface SizedByOptions {
  readonly options: readonly string[];
  readonly kept: number | undefined;
  readonly text: number;
  readonly data: number;
  readonly bss: number;
}

/** How many options of a configuration are y or m. */
export function countOptions(text: string): number {
  return countSymbols(parseConfig(text)).set;
}

/** Reads a record; undefined when there is none. */
export async function readSearch(path: string): Promise<SearchRecord | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as SearchRecord;
  return record.format === 1 ? record : undefined;
}

export async function writeSearch(path: string, record: SearchRecord): Promise<void> {
  await replaceFile(path, `${JSON.stringify(record)}\n`);
}
