import { parseArgs } from "node:util";
import { UkiError } from "./errors.ts";

const OPTIONS = {
  kernel: { type: "string" },
  initrd: { type: "string", multiple: true },
  cmdline: { type: "string" },
  stub: { type: "string" },
  "os-release": { type: "string" },
  uname: { type: "string" },
  section: { type: "string", multiple: true },
  output: { type: "string", short: "o" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** The text of --help. */
export const USAGE = `Make and read Unified Kernel Images: one EFI program of stub, kernel, initramfs and command line

Usage:
  uki build --kernel FILE [--initrd FILE]... [--cmdline TEXT] [options] --output FILE
  uki show FILE [--json]
  uki extract FILE SECTION [--output FILE]

Options of build:
  --kernel FILE         a kernel that UEFI can start (CONFIG_EFI_STUB)
  --initrd FILE         a part of the initramfs; repeat for several, joined in this order
  --cmdline "ARGS"      kernel arguments
  --stub FILE           default: the distribution's (package systemd-boot-efi)
  --os-release FILE     the name in boot menus; default "Linux" and the kernel's version
  --uname VERSION       where the kernel does not tell its version
  --section NAME=FILE   another section of systemd-stub(7), such as .dtb; repeat for several
  -o, --output FILE

"extract" writes to stdout unless told otherwise.
All commands: --debug, --help, --version
`;

type Option = keyof typeof OPTIONS;

/** What each command takes beside the common options. */
const COMMANDS = {
  build: ["kernel", "initrd", "cmdline", "stub", "os-release", "uname", "section", "output"],
  show: ["json"],
  extract: ["output"],
} as const satisfies Readonly<Record<string, readonly Option[]>>;
const COMMON: readonly Option[] = ["debug", "help", "version"];

/** What the command line asks for. */
export type CliRequest =
  | { readonly kind: "help" | "version" }
  | {
      readonly kind: "build";
      readonly kernel: string;
      readonly initrd: readonly string[];
      readonly cmdline: string | undefined;
      readonly stub: string | undefined;
      readonly osReleaseFile: string | undefined;
      readonly uname: string | undefined;
      readonly sections: Readonly<Record<string, string>>;
      readonly output: string;
    }
  | { readonly kind: "show"; readonly file: string; readonly json: boolean }
  | {
      readonly kind: "extract";
      readonly file: string;
      readonly section: string;
      readonly output: string | undefined;
    };

function usage(message: string, hint = "See uki --help"): UkiError {
  return new UkiError("UKI_USAGE", message, { hint });
}

/** The word that was probably meant: half of its pairs of letters or more are shared. */
function nearest(word: string, words: readonly string[]): string | undefined {
  const pairs = (text: string): Set<string> =>
    new Set(Array.from({ length: text.length + 1 }, (_, at) => ` ${text} `.slice(at, at + 2)));
  const mine = pairs(word);
  const scored = words.map((candidate) => {
    const theirs = pairs(candidate);
    return { candidate, score: (2 * mine.intersection(theirs).size) / (mine.size + theirs.size) };
  });
  const best = scored.sort((a, b) => b.score - a.score)[0];
  return best !== undefined && best.score >= 0.5 ? best.candidate : undefined;
}

function unknown(what: string, word: string, known: readonly string[], dash = ""): UkiError {
  const meant = nearest(word, known);
  return usage(
    `Unknown ${what} "${dash}${word}"`,
    meant === undefined ? undefined : `Did you mean ${dash}${meant}?`,
  );
}

function parse(argv: readonly string[], allowed: readonly Option[]) {
  const options = Object.fromEntries(allowed.map((name) => [name, OPTIONS[name]]));
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      strict: true,
      allowPositionals: true,
    });
    return {
      values: values as ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"],
      positionals,
    };
  } catch (error) {
    const text = (error as Error).message.split(". ", 1)[0] ?? "";
    const flag = /Unknown option '--?([^']+)'/.exec(text)?.[1];
    throw flag === undefined ? usage(text) : unknown("option", flag, allowed, "--");
  }
}

/** Read the command line; errors are `UKI_USAGE`. */
export function parseCli(argv: readonly string[]): CliRequest {
  const [command, ...rest] = argv;
  if (command === "--version") return { kind: "version" };
  if (command === "--help" || command === "-h") return { kind: "help" };
  if (command === undefined) throw usage("There is no command");
  if (!isCommand(command)) throw unknown("command", command, Object.keys(COMMANDS));
  const { values, positionals } = parse(rest, [...COMMANDS[command], ...COMMON]);
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  const words = (...names: string[]): string[] => {
    const missing = names[positionals.length];
    if (missing !== undefined)
      throw usage(`"uki ${command}" wants ${names.join(" and ")}: ${missing} is missing`);
    const more = positionals[names.length];
    if (more !== undefined) throw usage(`"uki ${command}" does not know what to do with "${more}"`);
    return positionals;
  };
  if (command === "show") {
    const [file = ""] = words("FILE");
    return { kind: "show", file, json: values.json === true };
  }
  if (command === "extract") {
    const [file = "", section = ""] = words("FILE", "SECTION");
    return { kind: "extract", file, section, output: values.output };
  }
  words();
  if (values.kernel === undefined) throw usage('"--kernel" is missing');
  if (values.output === undefined) throw usage('"--output" is missing');
  return {
    kind: "build",
    kernel: values.kernel,
    initrd: values.initrd ?? [],
    cmdline: values.cmdline,
    stub: values.stub,
    osReleaseFile: values["os-release"],
    uname: values.uname,
    sections: extraSections(values.section ?? []),
    output: values.output,
  };
}

const isCommand = (word: string): word is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, word);

function extraSections(entries: readonly string[]): Record<string, string> {
  const found = new Map<string, string>();
  for (const entry of entries) {
    const at = entry.indexOf("=");
    const name = entry.slice(0, Math.max(at, 0));
    if (name === "" || at === entry.length - 1) throw usage(`"--section" wants NAME=FILE, not "${entry}"`);
    if (found.has(name)) throw usage(`Section "${name}" is given twice`);
    found.set(name, entry.slice(at + 1));
  }
  return Object.fromEntries(found);
}
