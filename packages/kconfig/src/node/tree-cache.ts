/**
 * Loaded trees, kept between runs. One is taken again when all that it was made of is as it was: files by time and size,
 * files that were looked for and were not there, what patterns matched, environment variables, and the answers of shell
 * commands.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beginLoad } from "../engine/load.ts";
import type { LoadInProgress, LoadRequest, LoadedTree } from "../engine/load.ts";
import { decodeTree } from "../engine/snapshot-decode.ts";
import { encodeTree } from "../engine/snapshot-encode.ts";
import { shortName } from "./short-name.ts";

// Counts up when the same inputs are to give another snapshot, or when its form changes.
const FORM = 6;

interface Inputs {
  readonly files: readonly (readonly [path: string, time: number, size: number])[];
  readonly missing: readonly string[];
  readonly globs: readonly (readonly [pattern: string, names: readonly string[]])[];
  readonly env: readonly (readonly [name: string, value: string | null])[];
  readonly answers: readonly (readonly [command: string, output: string])[];
  readonly out: string;
  readonly err: string;
}

/** Stands before a kept tree; its help is in a file of its own, named by its content, that nothing replaces. */
interface KeptHead {
  readonly form: number;
  /** Of which request it is. */
  readonly key: string;
  readonly inputs: Inputs;
  readonly help: string;
}

export interface TreeCacheOptions {
  readonly directory: string;
  /** The answer of a command when it is known without running it. */
  readonly recall: (command: string) => string | undefined;
  /** Whether there is a file, as readFile() of the host sees it. */
  readonly exists: (path: string) => boolean;
}

/** beginLoad() with a cache. */
export function cachedLoad(request: LoadRequest, options: TreeCacheOptions): LoadInProgress {
  const { file, directories, dialect } = request;
  const key = JSON.stringify([file, directories, dialect]);
  const path = join(options.directory, `${shortName(key)}.tree`);
  const kept = readKept(path, key, request, options);
  if (kept !== undefined) return { commands: [], finish: kept };
  const recorder = new Recorder(request);
  const load = beginLoad(recorder.request);
  return {
    commands: load.commands,
    finish: () => {
      const tree = load.finish();
      save(path, key, recorder.inputs(), tree);
      return tree;
    },
  };
}

function readKept(
  path: string,
  key: string,
  request: LoadRequest,
  options: TreeCacheOptions,
): (() => LoadedTree) | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  try {
    const length = bytes.readUInt32LE(0);
    const head = JSON.parse(bytes.toString("utf8", 4, 4 + length)) as KeptHead;
    const { form, inputs, help } = head;
    if (form !== FORM || head.key !== key || !isAsItWas(inputs, request, options)) return undefined;
    if (!existsSync(join(options.directory, help))) return undefined;
    return () => {
      const { dialect, output } = request;
      const tree = decodeTree(bytes.subarray(4 + length), {
        dialect,
        output,
        help: () => readFileSync(join(options.directory, help)),
      });
      if (inputs.out !== "") output.out(inputs.out);
      if (inputs.err !== "") output.err(inputs.err);
      return tree;
    };
  } catch {
    // Half a file, or one of another program: as good as none.
    return undefined;
  }
}

function isAsItWas(inputs: Inputs, { host }: LoadRequest, { recall, exists }: TreeCacheOptions): boolean {
  return (
    inputs.env.every(([name, value]) => (host.getenv(name) ?? null) === value) &&
    inputs.answers.every(([command, output]) => recall(command) === output) &&
    inputs.files.every(([path, time, size]) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found !== undefined && found.mtimeMs === time && found.size === size;
    }) &&
    !inputs.missing.some(exists) &&
    inputs.globs.every(([pattern, names]) => (host.glob?.(pattern) ?? []).join("\n") === names.join("\n"))
  );
}

/** Notes all that a load looks at. */
class Recorder {
  readonly request: LoadRequest;
  readonly #files = new Map<string, readonly [number, number]>();
  readonly #missing = new Set<string>();
  readonly #globs = new Map<string, readonly string[]>();
  readonly #env = new Map<string, string | null>();
  readonly #answers = new Map<string, string>();
  #out = "";
  #err = "";

  constructor(request: LoadRequest) {
    const { host, output } = request;
    this.request = {
      ...request,
      host: {
        ...host,
        readFile: (path) => {
          const text = host.readFile(path);
          const found = text === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
          if (found === undefined) this.#missing.add(path);
          else this.#files.set(path, [found.mtimeMs, found.size]);
          return text;
        },
        glob:
          host.glob &&
          ((pattern) => {
            const names = host.glob?.(pattern) ?? [];
            this.#globs.set(pattern, names);
            return names;
          }),
        getenv: (name) => {
          const value = host.getenv(name);
          this.#env.set(name, value ?? null);
          return value;
        },
        shell: (command) => {
          const output = host.shell(command);
          this.#answers.set(command, output);
          return output;
        },
      },
      output: {
        out: (text) => {
          this.#out += text;
          output.out(text);
        },
        err: (text) => {
          this.#err += text;
          output.err(text);
        },
      },
    };
  }

  inputs(): Inputs {
    return {
      files: [...this.#files].map(([path, [time, size]]) => [path, time, size] as const),
      missing: [...this.#missing],
      globs: [...this.#globs],
      env: [...this.#env],
      answers: [...this.#answers],
      out: this.#out,
      err: this.#err,
    };
  }
}

function save(path: string, key: string, inputs: Inputs, tree: LoadedTree): void {
  // Losing it costs only time.
  try {
    const snapshot = encodeTree(tree);
    // Only who saves pays for it: to load this module takes as long as to read a fifth of a tree.
    const { createHash } = process.getBuiltinModule("node:crypto");
    const help = `${createHash("sha256").update(snapshot.help).digest("hex").slice(0, 32)}.help`;
    const head = Buffer.from(JSON.stringify({ form: FORM, key, inputs, help } satisfies KeptHead));
    const pad = Buffer.alloc((4 - (head.length % 4)) % 4, " ");
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length + pad.length);
    const directory = dirname(path);
    mkdirSync(directory, { recursive: true });
    write(join(directory, help), snapshot.help);
    write(path, Buffer.concat([length, head, pad, snapshot.tree]));
  } catch {
    return;
  }
}

function write(path: string, bytes: Uint8Array): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, bytes);
  renameSync(beside, path);
}
