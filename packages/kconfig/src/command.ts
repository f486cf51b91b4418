import { formatDiagnostic, KconfigError } from "./errors.ts";

/** Where a command writes; a test gives its own. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

// conf writes by itself: the streams are made when they are needed.
function processIo(): CliIo {
  // A reader that has seen enough, such as head, is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  };
}

/** The command line: returns the exit status. */
export async function main(argv: readonly string[], given?: CliIo): Promise<number> {
  try {
    if (argv[0] === "conf") {
      const { confCommand } = await import("./node/conf-command.ts");
      return await confCommand(argv.slice(1));
    }
    const { runVerb } = await import("./internal/run-verb.ts");
    return await runVerb(argv, given ?? processIo());
  } catch (error) {
    const { stderr } = given ?? processIo();
    stderr(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof KconfigError && error.diagnostics.length > 1) {
      for (const one of error.diagnostics) stderr(`  ${formatDiagnostic(one)}\n`);
    }
    if (error instanceof KconfigError && error.hint !== undefined) stderr(`hint: ${error.hint}\n`);
    if (argv.includes("--debug") && error instanceof Error) stderr(`${error.stack ?? ""}\n`);
    return error instanceof KconfigError && error.code === "KCONFIG_USAGE" ? 2 : 1;
  }
}
