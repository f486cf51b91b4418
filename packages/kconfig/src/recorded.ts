/** Answers of a tree's shell commands, taken down on one machine and given on another that lacks the toolchain. */
import { KconfigError } from "./errors.ts";
import type { TreeHost } from "./tree.ts";

/** A record, as JSON. `$(srctree)` stands for the directory of the tree, so that it may be another one in a replay. */
export interface RecordedAnswers {
  readonly format: 1;
  /** Variables that the tree looked at, as they were; null is one that was not set. */
  readonly environment: Readonly<Record<string, string | null>>;
  /** What each shell command printed, byte for byte as latin-1. */
  readonly commands: Readonly<Record<string, string>>;
}

/** Where the tree is. */
export interface RecordOptions {
  /** The same as for loadKconfig(). */
  readonly srctree: string;
}

/** A host that takes down what it is asked. */
export interface AnswerRecorder {
  /** Load the tree with this one. */
  readonly host: TreeHost;
  /** All answers so far, in alphabetical order. */
  readonly answers: () => RecordedAnswers;
}

/**
 * Wraps a host so that the answers of commands, and the variables that were looked at, are taken down.
 *
 * @example
 * ```ts
 * import { loadKconfig, recordAnswers, recordedHost } from "@justenough/kconfig";
 * import { nodeHost } from "@justenough/kconfig/node";
 * const text = 'config CC\n\tstring\n\tdefault "$(shell,echo $CC)"\n';
 * const readFile = (path: string) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined);
 * const srctree = "/tree";
 * using machine = nodeHost({ env: { ...process.env, CC: "gcc" } });
 * const recorder = recordAnswers({ ...machine, readFile }, { srctree });
 * await loadKconfig({ srctree, host: recorder.host });
 * const offline = recordedHost({ env: {}, readFile }, recorder.answers(), { srctree });
 * console.log((await loadKconfig({ srctree, host: offline })).value("CC")); // gcc
 * ```
 */
export function recordAnswers(host: TreeHost, { srctree }: RecordOptions): AnswerRecorder {
  const environment = new Map<string, string | null>();
  const commands = new Map<string, string>();
  const take = (command: string, output: string): string => {
    commands.set(withoutPlace(command, srctree), withoutPlace(output, srctree));
    return output;
  };
  const { shellSync } = host;
  return {
    host: {
      ...host,
      env: new Proxy(host.env, {
        get: (env, name) => {
          if (typeof name !== "string") return undefined;
          // The place of the tree is what a replay chooses; a number is a macro's parameter.
          if (name !== "srctree" && !/^\d+$/.test(name)) environment.set(name, env[name] ?? null);
          return env[name];
        },
      }),
      shell: (command) => {
        const output = host.shell(command);
        return typeof output === "string"
          ? take(command, output)
          : output.then((text) => take(command, text));
      },
      shellSync: shellSync === undefined ? undefined : (command) => take(command, shellSync(command)),
    },
    answers: () => ({
      format: 1,
      environment: Object.fromEntries([...environment].sort(byName)),
      commands: Object.fromEntries([...commands].sort(byName)),
    }),
  };
}

/**
 * A host that runs nothing: commands and variables have the answers of a record, and `host` gives the files and the
 * variables that the record does not name. A tree from strangers can be looked at with it.
 *
 * A command that the record lacks is a KconfigError KCONFIG_HOST.
 */
export function recordedHost(
  host: Pick<TreeHost, "readFile" | "env" | "glob">,
  answers: RecordedAnswers,
  { srctree }: RecordOptions,
): TreeHost {
  const recorded = Object.entries(answers.environment).map(([name, value]) => [name, value ?? undefined]);
  const commands = new Map(Object.entries(answers.commands));
  const shell = (command: string): string => {
    const output = commands.get(withoutPlace(command, srctree));
    if (output !== undefined) return output.replaceAll(PLACE, () => srctree);
    throw new KconfigError("KCONFIG_HOST", `The record has no answer for the command: ${command}`, {
      hint: 'The tree or its environment has changed: record it anew with "kconfig record -o FILE" where its tools are',
    });
  };
  return {
    readFile: host.readFile,
    glob: host.glob,
    env: { ...host.env, ...(Object.fromEntries(recorded) as Record<string, string | undefined>) },
    shell,
    shellSync: shell,
  };
}

/**
 * Reads a record from its JSON.
 *
 * @throws KconfigError KCONFIG_SYNTAX for a text that is none.
 */
export function parseAnswers(text: string, options: { readonly file?: string } = {}): RecordedAnswers {
  const { file = "answers" } = options;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KconfigError("KCONFIG_SYNTAX", `"${file}" is no JSON: ${String(cause)}`, { cause });
  }
  if (isRecord(value)) return value;
  throw new KconfigError("KCONFIG_SYNTAX", `"${file}" is no record of answers`, {
    hint: 'It is {"format": 1, "environment": {"NAME": "value" or null}, "commands": {"command": "output"}}',
  });
}

const PLACE = "$(srctree)";

// Only whole paths: the tree "/src/linux" does not stand in "/src/linux-next".
function withoutPlace(text: string, srctree: string): string {
  if (srctree.length < 2 || !text.includes(srctree)) return text;
  const escaped = srctree.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return text.replaceAll(new RegExp(`${escaped}(?=[/\\s'")]|$)`, "g"), () => PLACE);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isRecord(value: unknown): value is RecordedAnswers {
  if (typeof value !== "object" || value === null) return false;
  const { format, environment, commands } = value as Record<string, unknown>;
  return (
    format === 1 &&
    isTable(environment, (one) => one === null || typeof one === "string") &&
    isTable(commands, (one) => typeof one === "string")
  );
}

function isTable(value: unknown, fits: (one: unknown) => boolean): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every(fits);
}
