import { join } from "node:path";
import { exportArtifacts } from "../artifacts.ts";
import type { CommandContext } from "../command.ts";
import { KernelError } from "../errors.ts";
import { buildMatrix } from "../matrix.ts";
import type { MatrixCell, MatrixResult } from "../matrix.ts";
import { readMatrix } from "../matrix-file.ts";
import { helpers, jobs } from "./cli-configuration.ts";
import { operandsOf, printResult } from "./cli-io.ts";

/** `kbuild matrix FILE`: exit status 1 when a cell failed. */
export async function matrixCommand(context: CommandContext): Promise<number> {
  const { args, io, signal, progress } = context;
  const [file = ""] = operandsOf(args, 1, 1, "matrix FILE");
  const cells = chosen(await readMatrix(file), file, args.text("only"));
  if (args.flag("dry-run")) {
    printResult(context, cells.map(named), cells.map(({ name }) => `${name}\n`).join(""));
    return 0;
  }
  const output = args.text("output");
  let place = "";
  const results: MatrixResult[] = [];
  const print = (): void => printResult(context, results.map(plainResult), () => table(results));
  const built = buildMatrix({
    cells,
    signal,
    jobs: jobs(context),
    offline: args.flag("offline"),
    cacheDir: args.text("cache-dir"),
    ...helpers(context),
    onCell: ({ name }, index) => {
      place = `[${index + 1}/${cells.length}] ${name}`;
    },
    onProgress: (event) => {
      const { message } = event;
      progress.show({ ...event, message: message === undefined ? place : `${place}  ${message}` });
    },
    onResult: async (result, index) => {
      const { kernel, cell, error } = result;
      results.push(result);
      if (kernel !== undefined && output !== undefined)
        await exportArtifacts(kernel, join(output, cell.name));
      progress.end();
      const why =
        error === undefined
          ? ""
          : `: ${error.message}${error.hint === undefined ? "" : `\n  hint: ${error.hint}`}`;
      io.stderr(`${index + 1}/${cells.length} ${cell.name}: ${result.state}${why}\n`);
    },
  });
  await built.catch((error: unknown) => {
    // What is done is of use, whatever ended the rest.
    if (results.length > 0) print();
    throw error;
  });
  print();
  return results.some(({ state }) => state === "failed") ? 1 : 0;
}

function chosen(cells: readonly MatrixCell[], file: string, only: string | undefined): readonly MatrixCell[] {
  const [first] = cells;
  if (first === undefined) throw new KernelError("KERNEL_MATRIX", `"${file}" excludes all its cells`);
  if (only === undefined) return cells;
  const words = only.split("*").map((word) => word.replaceAll(/[^\w-]/g, String.raw`\$&`));
  const pattern = new RegExp(words.join(".*"));
  const some = cells.filter(({ name }) => pattern.test(name));
  if (some.length > 0) return some;
  const hint = `They are called like "${first.name}"; --dry-run lists them`;
  throw new KernelError("KERNEL_MATRIX", `No cell's name holds "${only}"`, { hint });
}

function plainResult({ cell, error, ...rest }: MatrixResult): object {
  return {
    ...named(cell),
    ...rest,
    error: error && { code: error.code, message: error.message, hint: error.hint },
  };
}

function named({ name, place, arch, compiler, features, presets, config, base }: MatrixCell): object {
  const { source, config: row } = place ?? {};
  return { name, source, arch, compiler, config: row, features, presets, set: config, base };
}

function table(results: readonly MatrixResult[]): string {
  const rows = [
    ["cell", "state", "release", "options", "image", "CPU s"],
    ...results.map(({ cell, state, kernel, options, imageBytes, cpuSeconds, error }) => [
      cell.name,
      state,
      kernel?.release ?? "",
      String(options ?? ""),
      String(imageBytes ?? ""),
      error === undefined ? (cpuSeconds?.toFixed(0) ?? "") : (error.message.split("\n")[0] ?? ""),
    ]),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row, at) => (column === 5 && at > 0 ? 0 : (row[column]?.length ?? 0)))),
  );
  return rows
    .map((row) =>
      row
        .map((text, column) =>
          column < 3
            ? text.padEnd(widths?.[column] ?? 0)
            : text.padStart(column === 5 ? 0 : (widths?.[column] ?? 0)),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
