import { readFileSync } from "node:fs";
import { formatDiagnostic, KconfigError } from "./errors.ts";
import { COMMANDS, needsTree, readArgs } from "./internal/cli-args.ts";
import { nearest } from "./internal/nearest.ts";

const HELP = `kconfig: read, compare, merge, prove and explain configurations of Linux and of trees like it

on files:
  kconfig diff A B                        what changed from A to B, by meaning
  kconfig merge BASE FRAGMENT... [-o F]   BASE with the fragments' symbols; what they do not agree on is an error
  kconfig check FRAGMENT... --config F    whether all that the fragments ask for is in effect in F
  kconfig get FILE SYMBOL...              the values of symbols
  kconfig count FILE...                   how many symbols are set
  kconfig extract IMAGE [-o F]            the configuration inside a kernel image or /proc/config.gz

on a tree of Kconfig files:
  kconfig explain SYMBOL[=VALUE]...       why a symbol has its value, and what it would take to have another
  kconfig show SYMBOL...                  all about symbols: value, prompt, dependencies, selects, help
  kconfig search PATTERN                  symbols whose name, prompt or help matches a regular expression
  kconfig resolve FRAGMENT... [-o F]      the complete .config for fragments; refusals, explained, on stderr
  kconfig types [-o F]                    TypeScript declarations of all symbols
  kconfig schema [-o F]                   a JSON Schema of all symbols
  kconfig record [-o F]                   the answers of the tree's shell commands, for --answers
  kconfig conf OPTION... KCONFIG          the kernel's scripts/kconfig/conf, option for option

options for a tree:
  --srctree DIR      its directory (default: the current one)
  --arch NAME        of a Linux tree: x86_64, arm64, ... (default: ARCH, or this machine's)
  --kconfig FILE     its first file (default: Kconfig)
  --answers FILE     run no commands, take the answers that "kconfig record" wrote
  --config FILE      explain, show, search: the configuration (default: .config, or else all defaults)
  --base BASE        resolve: allnoconfig (default), tinyconfig, defconfig or a file

options:
  --config FILE      check: the configuration to look at (default: .config)
  -o, --output FILE  write there instead of to stdout
  --json             results as JSON
  --debug            show stacks of errors
  --help, --version

exit status: 0 done, 1 an error, a refusal or nothing found, 2 wrong usage
`;

/** Where a command writes; a test gives its own. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

const processIo: CliIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
};

/** The command line: returns the exit status. */
export async function main(argv: readonly string[], io: CliIo = processIo): Promise<number> {
  try {
    if (argv[0] === "conf") {
      const { confCommand } = await import("./node/conf-command.ts");
      return await confCommand(argv.slice(1));
    }
    const { values, positionals } = readArgs(argv);
    const [name, ...operands] = positionals;
    if (values.version === true) io.stdout(`${packageVersion()}\n`);
    else if (values.help === true) io.stdout(HELP);
    else if (name === undefined) {
      throw new KconfigError("KCONFIG_USAGE", "No command is given", { hint: '"kconfig --help" lists them' });
    } else if (!COMMANDS.includes(name)) {
      const near = nearest(name, [...COMMANDS, "conf"]);
      throw new KconfigError("KCONFIG_USAGE", `There is no command "${name}"`, {
        hint: near === undefined ? '"kconfig --help" lists them' : `Did you mean "${near}"?`,
      });
    } else if (needsTree(name)) {
      const { runTreeCommand } = await import("./internal/tree-commands.ts");
      return await runTreeCommand(name, operands, values, io);
    } else {
      const { runCommand } = await import("./internal/commands.ts");
      return await runCommand(name, operands, values, io);
    }
    return 0;
  } catch (error) {
    io.stderr(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof KconfigError && error.diagnostics.length > 1) {
      for (const one of error.diagnostics) io.stderr(`  ${formatDiagnostic(one)}\n`);
    }
    if (error instanceof KconfigError && error.hint !== undefined) io.stderr(`hint: ${error.hint}\n`);
    if (argv.includes("--debug") && error instanceof Error) io.stderr(`${error.stack ?? ""}\n`);
    return error instanceof KconfigError && error.code === "KCONFIG_USAGE" ? 2 : 1;
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
