/** The verbs of the command line other than conf, which takes what the kernel's own takes. */
import { KconfigError } from "../errors.ts";
import type { CliIo } from "../command.ts";
import { packageVersion } from "../package-version.ts";
import { COMMANDS, needsTree, readArgs } from "./cli-args.ts";
import { nearest } from "./nearest.ts";

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
  kconfig menu [-o F]                     a menu of all options on the terminal; saves to F, or where it was read
  kconfig resolve WHAT... [-o F]          the least .config with WHAT: SYMBOL=VALUE or fragments; or why there is none
  kconfig minimize CONFIG [-o F]          the fewest lines that stand for the same .config
  kconfig types [-o F]                    TypeScript declarations of all symbols
  kconfig schema [-o F]                   a JSON Schema of all symbols
  kconfig record [-o F]                   the answers of the tree's shell commands, for --answers
  kconfig conf OPTION... KCONFIG          the kernel's scripts/kconfig/conf, option for option

options for a tree:
  --srctree DIR      its directory (default: the current one)
  --arch NAME        of a Linux tree: x86_64, arm64, ... (default: ARCH, or this machine's)
  --kconfig FILE     its first file (default: Kconfig)
  --answers FILE     run no commands, take the answers that "kconfig record" wrote
  --config FILE      explain, show, search, menu: the configuration (default: .config, or else all defaults)
  --base BASE        resolve: allnoconfig (default), tinyconfig, defconfig or a file
  --weights FILE     resolve: what symbols weigh, {"SYMBOL": NUMBER, ...}; of what is not in it
                     options weigh 1, numbers and strings 100

options:
  --config FILE      check: the configuration to look at (default: .config)
  -o, --output FILE  write there instead of to stdout
  --json             results as JSON
  --debug            show stacks of errors
  --help, --version

exit status: 0 done, 1 an error, a refusal or nothing found, 2 wrong usage
`;

/** Runs the verb that the arguments name. */
export async function runVerb(argv: readonly string[], io: CliIo): Promise<number> {
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
    const { runTreeCommand } = await import("./tree-commands.ts");
    return runTreeCommand(name, operands, values, io);
  } else {
    const { runCommand } = await import("./commands.ts");
    return runCommand(name, operands, values, io);
  }
  return 0;
}
