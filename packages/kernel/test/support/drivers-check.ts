import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { driversFor, fetchSource, resolveSource } from "../../src/index.ts";
import type { KernelArtifacts, KernelSource } from "../../src/index.ts";
import { readModuleAliases } from "../../src/internal/module-aliases.ts";

const execFileAsync = promisify(execFile);

export interface DriverCheck {
  readonly modalias: string;
  readonly module: string;
  readonly symbols: readonly string[];
  /** What is wrong; undefined when it is right. */
  readonly problem: string | undefined;
}

/**
 * Draws lines of a distribution's modules.alias and looks for their drivers. Each proposed symbol is checked without our
 * reader: it is m in the distribution's own configuration, and GNU make, which evaluates the Makefile of the module's
 * directory under that configuration, has the module in obj-m with the symbol and not without it.
 */
export async function checkDrivers(
  kernel: KernelArtifacts,
  source: KernelSource,
  count: number,
  seed: number,
): Promise<DriverCheck[]> {
  const { aliases, modules } = await readModuleAliases(kernel.modules ?? "");
  const bus = aliases.filter(
    ({ alias, module }) => alias.includes(":") && modules.get(module)?.file !== undefined,
  );
  const random = randomOf(seed);
  const drawn = Array.from({ length: count }, () => bus[Math.floor(random() * bus.length)]);
  const wanted = drawn.flatMap((one) =>
    one === undefined ? [] : [{ ...one, modalias: instance(one.alias) }],
  );
  const { drivers } = await driversFor(
    wanted.map(({ modalias }) => modalias),
    { source, kernel },
  );
  const config = await readFile(kernel.config, "utf8");
  const tree = await fetchSource(await resolveSource(source));
  const checks: DriverCheck[] = [];
  for (const { modalias, module } of wanted) {
    const driver = drivers.find((one) => one.module === module);
    const symbols = driver?.symbols ?? [];
    let problem = driver === undefined ? "no driver was found" : undefined;
    if (driver?.devices.includes(modalias) === false) problem = "the device is not named";
    if (driver !== undefined && symbols.length === 0) problem = "no symbol was found";
    if (!symbols.some((symbol) => config.includes(`\nCONFIG_${symbol}=m\n`)))
      problem ??= "no symbol is m there";
    for (const symbol of symbols) {
      const { object = "", alternatives = [] } = driver ?? {};
      problem ??= await builtBySymbol(tree, kernel.config, object, symbol, alternatives);
    }
    checks.push({ modalias, module, symbols, problem });
  }
  return checks;
}

/** A device that a pattern of modules.alias is for. */
function instance(pattern: string): string {
  return pattern
    .replaceAll(/\[([^\]])[^\]]*\]/g, "$1")
    .replaceAll("*", "")
    .replaceAll("?", "0");
}

// mulberry32: short, and the same everywhere.
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whether a symbol decides that make lists a module, in its directory or, where that one is all for it, the one above. */
async function builtBySymbol(
  tree: string,
  config: string,
  object: string,
  symbol: string,
  alternatives: readonly string[],
): Promise<string | undefined> {
  let entry = object;
  for (let directory = dirname(object); ; directory = dirname(directory)) {
    const name = entry.slice(directory === "." ? 0 : directory.length + 1);
    const off = [symbol, ...alternatives].map((one) => `CONFIG_${one}=`);
    const listed = await makeLists(tree, config, directory, []);
    if (!listed.includes(name)) return `make does not list "${name}" in "${directory}"`;
    if (!(await makeLists(tree, config, directory, off)).includes(name)) return undefined;
    if (directory === ".") return `make builds it without ${symbol} as well`;
    entry = `${directory}/`;
  }
}

async function makeLists(
  tree: string,
  config: string,
  directory: string,
  variables: readonly string[],
): Promise<readonly string[]> {
  const files = `$(firstword $(wildcard ${join(tree, directory)}/Kbuild ${join(tree, directory)}/Makefile))`;
  // Before 6.10 $(src) was relative.
  const build = await readFile(join(tree, "scripts/Makefile.build"), "utf8");
  const src = /^src := \$\(obj\)$/m.test(build) ? directory : join(tree, directory);
  const script = `include ${config}\nsrctree := ${tree}\nobj := ${directory}\nsrc := ${src}\nobj-y :=\nobj-m :=\ninclude ${files}\n$(info $(obj-y) $(obj-m))\nall: ;\n`;
  const args = ["-s", "-r", "-R", "-I", tree, "-f", "-", "all", "SRCARCH=x86", "BITS=64", ...variables];
  const child = execFileAsync("make", args, { maxBuffer: 1 << 24 });
  child.child.stdin?.end(script);
  return (await child).stdout.split(/\s+/);
}
