import { detectDialect } from "./engine/dialect-signs.ts";
import { dialectOf } from "./engine/dialect.ts";
import type { Dialect } from "./engine/dialect.ts";
import { KconfigAbort } from "./engine/errors.ts";
import type { LoadedTree } from "./engine/load.ts";
import type { Sym, SymbolType } from "./engine/model.ts";
import { readConfig } from "./engine/read.ts";
import { configText, defconfigText } from "./engine/write.ts";
import { autoConfText, autoHeaderText, calculateAll, rustcCfgText } from "./engine/write-auto.ts";
import { KconfigError } from "./errors.ts";
import type { Diagnostic } from "./errors.ts";
import { parseDiagnostics } from "./internal/diagnostics.ts";
import { loaderOf } from "./internal/host-loaders.ts";
import { Incremental } from "./internal/incremental.ts";
import { decode, encode, symbolView } from "./internal/symbol-view.ts";

export type { SymbolType } from "./engine/model.ts";

/** Where a tree's files and answers come from. The engine itself never starts a process. */
export interface TreeHost {
  /** The content of a file, or undefined when it cannot be read. */
  readonly readFile: (path: string) => Uint8Array | undefined;
  /**
   * What a shell command of the tree (`$(shell …)`) prints. All that are not needed at once are asked for side by side.
   * A tree comes from strangers, and this runs what they wrote: an editor gives recorded answers instead.
   */
  readonly shell: (command: string) => string | Promise<string>;
  /** The same at once, for commands whose answer decides how the tree is read on. Default: `shell`, when it is no promise. */
  readonly shellSync?: ((command: string) => string) | undefined;
  /** Environment variables that the Kconfig files look at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files that match an absolute pattern, for trees whose `source` takes patterns. */
  readonly glob?: ((pattern: string) => readonly string[]) | undefined;
}

/** Which tree to load. */
export interface LoadTreeOptions {
  /** The directory that all files are relative to, whatever the current directory is. */
  readonly srctree: string;
  /** Default: `Kconfig`. */
  readonly file?: string | undefined;
  readonly host: TreeHost;
  /** Which kernels' rules hold: 1 up to Linux 6.8, 2 up to 6.17, 3 since 6.18. Default: what the tree's own sources say. */
  readonly generation?: 1 | 2 | 3 | undefined;
}

/** A value and why it is so. */
export type ValueOrigin =
  /** `none`: nothing gives it a value. `range`: moved into the range. `choice`: its choice decides. */
  | { readonly kind: "user" | "default" | "range" | "choice" | "none" }
  | { readonly kind: "select" | "imply"; readonly by: readonly string[] };

/** A place where a symbol is defined. */
export interface SymbolDefinition {
  readonly file: string;
  readonly line: number;
  readonly prompt: string | undefined;
  /** Titles of the menus around it, outermost first. */
  readonly menus: readonly string[];
  /** Dependencies as an expression, those of the menus around included; undefined is none. */
  readonly dependsOn: string | undefined;
  readonly visibleIf: string | undefined;
  readonly help: string | undefined;
}

/** A value with its condition, such as a default or a selected symbol. */
export interface ConditionalValue {
  readonly value: string;
  readonly condition: string | undefined;
  readonly file: string;
  readonly line: number;
}

/** A symbol as it is now. Plain data: it does not change with the tree. */
export interface KconfigSymbol {
  readonly name: string;
  readonly type: SymbolType;
  /** y, m or n; a number; a string without quotes. */
  readonly value: string;
  readonly origin: ValueOrigin;
  /** How far the user may set it: n when it cannot be seen. */
  readonly visibility: "n" | "m" | "y";
  /** Values of a bool or tristate that the user can choose now. */
  readonly assignable: readonly ("n" | "m" | "y")[];
  /** Stands in `.config`. */
  readonly written: boolean;
  /** What the user gave, whether or not it holds. */
  readonly userValue: string | undefined;
  readonly definitions: readonly SymbolDefinition[];
  readonly defaults: readonly ConditionalValue[];
  readonly ranges: readonly ConditionalValue[];
  readonly selects: readonly ConditionalValue[];
  readonly implies: readonly ConditionalValue[];
  readonly selectedBy: readonly string[];
  readonly impliedBy: readonly string[];
  /** The prompt of the choice that it is a member of. */
  readonly choice: string | undefined;
}

/** A loaded tree with the values of one configuration, all defaults at first. */
export interface KconfigTree {
  /** Title of the tree, such as "Linux/x86 6.12.117 Kernel Configuration". */
  readonly title: string;
  readonly generation: 1 | 2 | 3;
  /** What was noticed while the tree was read. */
  readonly diagnostics: readonly Diagnostic[];
  /** Files that were read, relative to the tree. */
  readonly files: readonly string[];
  /** Names of all symbols that are defined, in the order of the files. */
  readonly names: readonly string[];
  readonly symbol: (name: string) => KconfigSymbol | undefined;
  /** The value of a symbol; undefined when there is none of that name. */
  readonly value: (name: string) => string | undefined;
  /** Takes a configuration instead of the one before; symbols that it does not name are new. Bytes need not be UTF-8. */
  readonly load: (text: string | Uint8Array, options?: { readonly file?: string }) => readonly Diagnostic[];
  /**
   * Gives a symbol a value as a user would, or takes the user's value away. What depends on it follows. Returns whether
   * the symbol has that value now.
   *
   * @throws KconfigError KCONFIG_VALUE for a symbol that does not exist or a value that its type does not have.
   */
  readonly set: (name: string, value: string | undefined) => boolean;
  /** Takes all the user's values away. */
  readonly reset: () => void;
  /** The texts that conf writes, byte for byte as long as they are UTF-8. */
  readonly configText: () => string;
  readonly defconfigText: () => string;
  readonly autoConfText: () => string;
  readonly autoHeaderText: () => string;
  readonly rustcCfgText: () => string;
  /** Names of symbols whose name, prompt or help matches, names first. */
  readonly search: (pattern: RegExp) => readonly string[];
}

interface Inside {
  readonly engine: LoadedTree;
  readonly incremental: Incremental;
}

const INSIDES = new WeakMap<KconfigTree, Inside>();

function insideOf(tree: KconfigTree): Inside {
  const inside = INSIDES.get(tree);
  if (inside === undefined) throw new KconfigError("KCONFIG_VALUE", "The tree was not made by loadKconfig()");
  return inside;
}

/** The engine behind a tree, for this package's own modules. */
export function engineOf(tree: KconfigTree): LoadedTree {
  return insideOf(tree).engine;
}

/** What sets single values of a tree, for this package's own modules. */
export function incrementalOf(tree: KconfigTree): Incremental {
  return insideOf(tree).incremental;
}

/**
 * Loads a tree of Kconfig files as the tree's own conf would.
 *
 * @throws KconfigError KCONFIG_SYNTAX with file and line, and all messages in conf's words as its `diagnostics`.
 * @example
 * ```ts
 * import { loadKconfig } from "@justenough/kconfig";
 * const files = { "/tree/Kconfig": 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n' };
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path in files ? new TextEncoder().encode(files[path as keyof typeof files]) : undefined),
 *     shell: () => "",
 *   },
 * });
 * tree.set("NET", "y");
 * console.log(tree.symbol("TCP")?.assignable); // [ "n", "y" ]
 * ```
 */
export async function loadKconfig(options: LoadTreeOptions): Promise<KconfigTree> {
  const { host, srctree, file = "Kconfig" } = options;
  const messages = new Messages();
  const readFile = (path: string): string | undefined => {
    const bytes = host.readFile(path);
    return bytes === undefined
      ? undefined
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  };
  const dialect =
    options.generation === undefined
      ? detectDialect((path) => readFile(`${srctree}/${path}`))
      : dialectOf(options.generation);
  const answers = new Answers(host);
  try {
    const load = loaderOf(host)({
      file,
      directories: [srctree],
      dialect,
      output: messages,
      host: {
        readFile,
        getenv: (name) => (name === "srctree" ? (host.env[name] ?? srctree) : host.env[name]),
        shell: answers.now,
        defer: answers.defer,
        glob: host.glob,
      },
    });
    await answers.all();
    const engine = load.finish();
    const incremental = new Incremental(engine);
    const tree = makeTree(engine, incremental, dialect, messages);
    INSIDES.set(tree, { engine, incremental });
    return tree;
  } catch (error) {
    if (!(error instanceof KconfigAbort)) throw error;
    throw treeError(file, messages.take(), error);
  }
}

/** What the engine says, until it is asked for. */
class Messages {
  #text = "";

  readonly out = (): void => {};

  readonly err = (text: string): void => {
    this.#text += text;
  };

  take(): readonly Diagnostic[] {
    const text = this.#text;
    this.#text = "";
    return parseDiagnostics(text);
  }
}

function treeError(file: string, diagnostics: readonly Diagnostic[], cause: Error): KconfigError {
  const first = diagnostics.find(({ severity }) => severity === "error") ?? diagnostics[0];
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
  return new KconfigError("KCONFIG_SYNTAX", `${first?.message ?? `Cannot load "${file}"`}${more}`, {
    location: first?.location,
    cause,
    diagnostics,
  });
}

/** Answers of commands: those that run, and those that are known. */
class Answers {
  readonly #host: TreeHost;
  readonly #known = new Map<string, string>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(host: TreeHost) {
    this.#host = host;
  }

  readonly now = (command: string): string => {
    const known = this.#known.get(command);
    if (known !== undefined) return known;
    const output = this.#host.shellSync?.(command) ?? this.#host.shell(command);
    if (typeof output !== "string") {
      throw new KconfigError("KCONFIG_HOST", `The answer of a command is needed at once: ${command}`, {
        hint: 'Give the host "shellSync", or a "shell" that answers with a text',
      });
    }
    this.#known.set(command, output);
    return output;
  };

  readonly defer = (command: string): (() => void) | undefined => {
    if (this.#known.has(command)) return undefined;
    // A host that can answer at once is asked when it is certain that the answer can wait.
    if (this.#host.shellSync !== undefined) return () => this.#start(command);
    this.#start(command);
    return this.#known.has(command) ? undefined : () => {};
  };

  #start(command: string): void {
    if (this.#known.has(command) || this.#running.has(command)) return;
    const output = this.#host.shell(command);
    if (typeof output === "string") this.#known.set(command, output);
    else
      this.#running.set(
        command,
        output.then((text) => void this.#known.set(command, text)),
      );
  }

  async all(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

function makeTree(
  engine: LoadedTree,
  incremental: Incremental,
  dialect: Dialect,
  messages: Messages,
): KconfigTree {
  const { evaluator, table, root } = engine;
  const diagnostics = messages.take();
  const { prefix } = dialect;
  const names = [...table.named()].flatMap((symbol) =>
    symbol.menus.length > 0 && symbol.name !== undefined ? [symbol.name] : [],
  );
  const find = (name: string): Sym | undefined => {
    const symbol = table.find(name);
    return symbol === undefined || symbol.menus.length === 0 ? undefined : symbol;
  };
  return {
    title: decode(root.prompt?.text ?? ""),
    generation: dialect.generation,
    diagnostics,
    files: engine.files,
    names,
    symbol: (name) => {
      const symbol = find(name);
      return symbol === undefined ? undefined : symbolView(symbol, engine);
    },
    value: (name) => {
      const symbol = find(name);
      if (symbol === undefined) return undefined;
      evaluator.calc(symbol);
      return decode(evaluator.text(symbol));
    },
    load: (text, { file = ".config" } = {}) => {
      messages.take();
      evaluator.forget();
      const bytes = typeof text === "string" ? encode(text) : Buffer.from(text).toString("latin1");
      readConfig(bytes, engine, { file, prefix });
      return messages.take();
    },
    set: (name, value) => {
      const symbol = find(name);
      if (symbol === undefined) throw new KconfigError("KCONFIG_VALUE", `There is no symbol "${name}"`);
      return incremental.set(symbol, value === undefined ? undefined : encode(value));
    },
    reset: () => {
      evaluator.forget();
      readConfig("", engine, { file: "", prefix });
    },
    configText: () => decode(configText(engine, { prefix })),
    defconfigText: () => decode(defconfigText(engine, { prefix })),
    autoConfText: () => {
      calculateAll(engine);
      return decode(autoConfText(engine, { prefix }));
    },
    autoHeaderText: () => {
      calculateAll(engine);
      return decode(autoHeaderText(engine, { prefix }));
    },
    rustcCfgText: () => {
      calculateAll(engine);
      return decode(rustcCfgText(engine, { prefix }));
    },
    search: (pattern) => {
      const text = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
      const byName = names.filter((name) => text.test(name));
      const found = new Set(byName);
      const byText = names.filter(
        (name) =>
          !found.has(name) &&
          find(name)?.menus.some(
            (menu) => text.test(decode(menu.prompt?.text ?? "")) || text.test(decode(menu.rawHelp ?? "")),
          ),
      );
      return [...byName, ...byText];
    },
  };
}
