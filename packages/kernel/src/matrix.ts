import { readFile, stat } from "node:fs/promises";
import { countSymbols, parseConfig } from "@justenough/kconfig";
import type { KernelArtifacts } from "./artifacts.ts";
import { buildKernel } from "./build.ts";
import type { BuildOptions } from "./build.ts";
import type { BuildRecord } from "./build-record.ts";
import type { KernelConfiguration } from "./configure.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import type { CompileHelpers } from "./internal/compile-help.ts";
import { readJson } from "./internal/store.ts";

/** One kernel of a matrix. */
export interface MatrixCell extends KernelConfiguration {
  /** Unique, and fit for a file's name: `debian-6.12_arm64_gcc_hello`. */
  readonly name: string;
  /** What a matrix file calls the cell's source and configuration. */
  readonly place?: { readonly source: string; readonly config: string } | undefined;
}

/** What became of a cell. */
export interface MatrixResult {
  readonly cell: MatrixCell;
  /** `cached`: it had been built before. */
  readonly state: "built" | "cached" | "failed";
  readonly kernel?: KernelArtifacts | undefined;
  readonly error?: KernelError | undefined;
  /** Symbols that are set. */
  readonly options?: number | undefined;
  /** Bytes of the image. */
  readonly imageBytes?: number | undefined;
  /** Of the build, also when it was long ago. */
  readonly cpuSeconds?: number | undefined;
}

/** How a matrix is built. */
export interface MatrixOptions extends KernelContext, CompileHelpers, Pick<BuildOptions, "jobs"> {
  readonly cells: readonly MatrixCell[];
  /** Called when a cell begins. */
  readonly onCell?: ((cell: MatrixCell, index: number) => void) | undefined;
  /** Called when a cell is done, for results to be shown and kept as they come. */
  readonly onResult?: ((result: MatrixResult, index: number) => void | Promise<void>) | undefined;
}

/**
 * Builds many kernels, one after the other: each uses all processors. A cell that fails does not stop the others; what is
 * built stays in the cache, so that an interrupted matrix goes on where it was. Cells with one source, architecture and
 * compiler share a build directory: keep them together.
 *
 * @throws KernelError KERNEL_ABORTED; all other errors are in the results.
 * @example
 * ```ts no-run
 * import { buildMatrix, defaultSource } from "@justenough/kernel";
 * const source = await defaultSource();
 * const results = await buildMatrix({
 *   cells: (["x86_64", "arm64"] as const).map((arch) => ({ name: arch, source, arch, features: ["base", "serial"] })),
 * });
 * for (const { cell, state, imageBytes } of results) console.log(cell.name, state, imageBytes);
 * ```
 */
export async function buildMatrix(options: MatrixOptions): Promise<MatrixResult[]> {
  const { cells, onCell, onResult, ...how } = options;
  const results: MatrixResult[] = [];
  for (const [index, cell] of cells.entries()) {
    onCell?.(cell, index);
    const result = await build(cell, how);
    results.push(result);
    await onResult?.(result, index);
  }
  return results;
}

async function build(cell: MatrixCell, how: Omit<MatrixOptions, "cells">): Promise<MatrixResult> {
  try {
    const kernel = await buildKernel({ ...how, ...cell });
    const { set } = countSymbols(parseConfig(await readFile(kernel.config, "utf8")));
    const record = kernel.record === undefined ? undefined : await readJson<BuildRecord>(kernel.record);
    return {
      cell,
      state: kernel.fromCache ? "cached" : "built",
      kernel,
      options: set,
      imageBytes: (await stat(kernel.image)).size,
      cpuSeconds: record?.cpuSeconds,
    };
  } catch (error) {
    if (!(error instanceof KernelError) || error.code === "KERNEL_ABORTED") throw error;
    return { cell, state: "failed", error };
  }
}
