import { parseConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { KconfigError } from "./errors.ts";
import type { ConfigRequest } from "./fragment.ts";
import { printEntry } from "./config.ts";
import { proveConfig } from "./prove.ts";
import type { Refusal } from "./prove.ts";

/** Where resolution starts from. A symbol that nobody names is n in the first two, and has its default in the others. */
export type ConfigBase = "allnoconfig" | "tinyconfig" | "defconfig" | { readonly text: string };

/** How the tree's own `conf` is to be run, named as its make targets are. */
export interface ConfInvocation {
  readonly tree: string;
  /** The kernel's name of the architecture: its ARCH= value. */
  readonly arch: string;
  readonly target: "allnoconfig" | "defconfig" | "olddefconfig";
  /** With allnoconfig the content of KCONFIG_ALLCONFIG's file, with olddefconfig that of the `.config` to complete. */
  readonly input: string;
}

/** What the engine needs from outside. It never starts a process itself, so that an editor can run it safely. */
export interface KconfigHost {
  /** Runs the tree's `conf` and returns the `.config` that it wrote. */
  readonly conf: (invocation: ConfInvocation) => Promise<string>;
  /** A file of the tree, or undefined when there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** A configuration to work out. */
export interface ResolveRequest {
  readonly tree: string;
  readonly arch: string;
  readonly base: ConfigBase;
  readonly values: readonly ConfigRequest[];
}

/** The complete configuration: `text` as conf wrote it, and the requests that it did not honour. */
export interface ResolvedConfig {
  readonly config: Config;
  readonly text: string;
  readonly refusals: readonly Refusal[];
}

/**
 * Works out the complete configuration for a request. Today the host runs the tree's own `conf`; the result is proved
 * here either way.
 *
 * @throws KconfigError KCONFIG_SYNTAX or KCONFIG_HOST; refusals are returned, not thrown.
 */
export async function resolveConfig(request: ResolveRequest, host: KconfigHost): Promise<ResolvedConfig> {
  const { tree, arch, base, values } = request;
  const wanted = printRequests(values);
  let text: string;
  if (base === "allnoconfig") text = await host.conf({ tree, arch, target: "allnoconfig", input: wanted });
  else if (base === "tinyconfig") {
    const input = join(await tinyConfig(tree, arch, host), wanted);
    text = await host.conf({ tree, arch, target: "allnoconfig", input });
  } else {
    const start =
      base === "defconfig" ? await host.conf({ tree, arch, target: "defconfig", input: "" }) : base.text;
    // conf takes the last line that names a symbol, with a warning.
    const input = values.length === 0 && base === "defconfig" ? undefined : join(start, wanted);
    text = input === undefined ? start : await host.conf({ tree, arch, target: "olddefconfig", input });
  }
  const config = parseConfig(text);
  return { config, text, refusals: proveConfig(values, config) };
}

/** Requests as lines that conf reads. */
export function printRequests(requests: readonly Pick<ConfigRequest, "symbol" | "value">[]): string {
  return requests.map(({ symbol, value }) => `${printEntry(symbol, value)}\n`).join("");
}

// The files that `make tinyconfig` merges (kernel/configs/tiny-base.config came with 5.18); all symbols that they
// leave open stay n, where make's second step would give them their defaults.
async function tinyConfig(tree: string, arch: string, host: KconfigHost): Promise<string> {
  const folder = arch === "x86_64" || arch === "i386" ? "x86" : arch;
  const tiny = await host.readFile(`${tree}/kernel/configs/tiny.config`);
  if (tiny === undefined) {
    throw new KconfigError("KCONFIG_HOST", `The tree "${tree}" has no kernel/configs/tiny.config`, {
      hint: "Is it a kernel source tree?",
    });
  }
  const base = (await host.readFile(`${tree}/kernel/configs/tiny-base.config`)) ?? "";
  const own = (await host.readFile(`${tree}/arch/${folder}/configs/tiny.config`)) ?? "";
  return join(base, tiny, own);
}

function join(...texts: string[]): string {
  return texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`)).join("");
}
