import { readFile } from "node:fs/promises";
import { parseCli, USAGE, type CliRequest } from "./cli-arguments.ts";
import { PxeError } from "./errors.ts";
import { stateDirectory } from "./state-directory.ts";

/** What the command needs of a process. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly onSignal: (name: "SIGINT" | "SIGTERM", listener: () => void) => unknown;
}

async function version(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function explain(request: Extract<CliRequest, { kind: "explain" }>, io: CliIo): Promise<number> {
  const { askExplanation } = await import("./explain-client.ts");
  const explanation = await askExplanation(request);
  io.stdout.write(
    request.json ? `${JSON.stringify(explanation)}\n` : `${explanation.sentences.join("\n")}\n`,
  );
  return 0;
}

async function serve(request: Extract<CliRequest, { kind: "serve" }>, io: CliIo): Promise<number> {
  const [{ servePxe }, { formatEvent }, { readBundle }, { listenFrames }] = await Promise.all([
    import("./serve.ts"),
    import("./event-line.ts"),
    import("./bundle-files.ts"),
    import("./link/frame-listener.ts"),
  ]);
  const stop = new AbortController();
  let status = 0;
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    io.onSignal(name, () => {
      status = code;
      stop.abort();
    });
  }
  const began = Date.now();
  const { interface: name, mode, force } = request.options;
  if (name !== undefined && mode === "authoritative" && force !== true) {
    io.stderr.write(`Looking for other DHCP servers on ${name} …\n`);
  }
  const { bundle } = request;
  const link = request.socket === undefined ? undefined : await listenFrames(request.socket);
  try {
    const server = await servePxe({
      ...request.options,
      link,
      ...(bundle === undefined ? {} : { bundle: await readBundle(bundle) }),
      state: request.options.state ?? stateDirectory(),
      signal: stop.signal,
      onEvent: (event) =>
        io.stdout.write(`${request.json ? JSON.stringify(event) : formatEvent(event, began)}\n`),
    });
    await server.closed;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await link?.close();
  }
  return status;
}

/** The command `pxe-serve`; resolves with its exit status. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const request = parseCli(argv);
    if (request.kind === "serve") return await serve(request, io);
    if (request.kind === "explain") return await explain(request, io);
    io.stdout.write(request.kind === "help" ? USAGE : `${await version()}\n`);
    return 0;
  } catch (error) {
    const known = error instanceof PxeError ? error : undefined;
    io.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    if (known?.hint !== undefined) io.stderr.write(`hint: ${known.hint}\n`);
    if (argv.includes("--debug") && error instanceof Error) io.stderr.write(`${error.stack ?? ""}\n`);
    return known?.code === "PXE_USAGE" ? 2 : 1;
  }
}
