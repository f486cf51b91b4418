import type { Writable } from "node:stream";
import { type CliRequest, parseCli, USAGE } from "./cli-arguments.ts";
import { UkiError } from "./errors.ts";

/** What the command needs of a process. */
export interface CliIo {
  readonly stdout: Writable;
  readonly stderr: { write(text: string): unknown };
  readonly signal?: AbortSignal | undefined;
}

/** The command `uki`; resolves with its exit status. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await run(parseCli(argv), io);
    return 0;
  } catch (error) {
    if (io.signal?.aborted === true) return 130;
    const known = error instanceof UkiError ? error : undefined;
    io.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    if (known?.hint !== undefined) io.stderr.write(`hint: ${known.hint}\n`);
    if (argv.includes("--debug") && error instanceof Error) io.stderr.write(`${error.stack ?? ""}\n`);
    return known?.code === "UKI_USAGE" ? 2 : 1;
  }
}

async function run(request: CliRequest, io: CliIo): Promise<void> {
  switch (request.kind) {
    case "help":
      io.stdout.write(USAGE);
      return;
    case "version":
      io.stdout.write(`${await version()}\n`);
      return;
    case "build":
      return build(request, io);
    case "show": {
      const [{ inspectUki }, { summaryText }] = await Promise.all([
        import("./inspect.ts"),
        import("./summary-text.ts"),
      ]);
      const summary = await inspectUki(request.file);
      io.stdout.write(request.json ? `${JSON.stringify(summary, undefined, 2)}\n` : summaryText(summary));
      return;
    }
    case "extract":
      return extract(request, io);
  }
}

async function version(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function build(request: Extract<CliRequest, { kind: "build" }>, io: CliIo): Promise<void> {
  const [{ prepareUki }, { writeUki }] = await Promise.all([import("./prepare.ts"), import("./write.ts")]);
  const { osReleaseFile, output, ...options } = request;
  const osRelease = osReleaseFile === undefined ? undefined : await readText(osReleaseFile);
  await writeUki(await prepareUki({ ...options, osRelease }), output, { signal: io.signal });
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new UkiError("UKI_FILE", `Cannot read "${path}": ${(cause as Error).message}`, { cause });
  });
}

async function extract(request: Extract<CliRequest, { kind: "extract" }>, io: CliIo): Promise<void> {
  const [{ streamSection }, { writeWhole }, { pipeline }] = await Promise.all([
    import("./section.ts"),
    import("./write.ts"),
    import("node:stream/promises"),
  ]);
  const bytes = streamSection(request.file, request.section);
  if (request.output !== undefined) return writeWhole(bytes, request.output, io.signal);
  await pipeline(bytes, io.stdout, { end: false, signal: io.signal });
}
