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
  const only = args.text("only");
  const cells = (await readMatrix(file)).filter(({ name }) => only === undefined || name.includes(only));
  if (cells.length === 0) {
    throw new KernelError(
      "KERNEL_MATRIX",
      only === undefined ? `"${file}" excludes all its cells` : `No cell's name holds "${only}"`,
    );
  }
  if (args.flag("dry-run")) {
    printResult(context, cells, cells.map(({ name }) => `${name}\n`).join(""));
    return 0;
  }
  const output = args.text("output");
  let place = "";
  const results = await buildMatrix({
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
  printResult(context, results.map(plainResult), () => table(results));
  return results.some(({ state }) => state === "failed") ? 1 : 0;
}

function plainResult({ cell, error, ...rest }: MatrixResult): object {
  return {
    ...named(cell),
    ...rest,
    error: error && { code: error.code, message: error.message, hint: error.hint },
  };
}

function named({ name, arch, compiler, features, config, base }: MatrixCell): object {
  return { name, arch, compiler, features, config, base };
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
