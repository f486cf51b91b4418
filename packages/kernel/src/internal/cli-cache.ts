import { basename } from "node:path";
import { listCache, trimCache } from "../cache.ts";
import type { CacheEntry } from "../cache.ts";
import type { CommandContext } from "../command.ts";
import { KernelError } from "../errors.ts";
import { operandsOf, printResult } from "./cli-io.ts";
import { nearest } from "./nearest.ts";

/** `kbuild cache ls` and `kbuild cache gc`. */
export async function cacheCommand(context: CommandContext): Promise<number> {
  const { args, signal } = context;
  const [action = ""] = operandsOf(args, 1, 1, "cache ls|gc");
  const cacheDir = args.text("cache-dir");
  if (action === "ls") {
    const entries = await listCache({ cacheDir, signal });
    printResult(context, entries, () => list(entries));
    return 0;
  }
  if (action !== "gc") {
    const near = nearest(action, ["ls", "gc"]);
    throw new KernelError("KERNEL_USAGE", `There is no "cache ${action}"`, {
      hint: near === undefined ? "It is ls or gc" : `Did you mean "cache ${near}"?`,
    });
  }
  const maxBytes = readSize(args.text("max-size"));
  const maxAge = readAge(args.text("older-than"));
  const dryRun = args.flag("dry-run");
  const done = await trimCache({ cacheDir, signal, maxBytes, maxAge, dryRun });
  const { removed, inUse, leftovers, bytesBefore, bytesAfter } = done;
  const verb = dryRun ? "would remove" : "removed";
  printResult(context, done, () =>
    [
      ...leftovers.map((path) => `${verb} ${path}, left by an interrupted run`),
      ...removed.map((entry) => `${verb} ${line(entry)}`),
      ...inUse.map((entry) => `kept ${line(entry)}, in use${by(entry)}`),
      `${amount(bytesBefore)} before, ${amount(bytesAfter)} after`,
    ]
      .map((text) => `${text}\n`)
      .join(""),
  );
  return 0;
}

// Small files in one line for each kind; nobody wants to read a thousand names.
function list(entries: readonly CacheEntry[]): string {
  const small = new Set(["configs", "answers"]);
  const lines = entries
    .filter(({ kind }) => !small.has(kind))
    .map((entry) => `${line(entry)}${using(entry)}`);
  for (const kind of small) {
    const files = entries.filter((entry) => entry.kind === kind);
    const last = files.at(-1);
    if (last === undefined) continue;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    lines.push(line({ ...last, bytes, path: `(${files.length} files)` }));
  }
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...lines, `${amount(total).padStart(8)} in all`].map((text) => `${text}\n`).join("");
}

function line({ kind, path, bytes, used }: CacheEntry): string {
  return `${amount(bytes).padStart(8)}  ${used.toISOString().slice(0, 10)}  ${kind.padEnd(9)}  ${basename(path)}`;
}

function using(entry: CacheEntry): string {
  return entry.user === undefined ? "" : `  (in use${by(entry)})`;
}

function by({ user }: CacheEntry): string {
  return user === undefined ? "" : ` by process ${user}`;
}

function amount(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

const SIZES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const AGES: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 };

function readSize(text: string | undefined): number | undefined {
  return readUnit("max-size", text, /^(\d+(?:\.\d+)?)([kmgt]?)b?$/i, SIZES, "500M or 10G");
}

function readAge(text: string | undefined): number | undefined {
  return readUnit("older-than", text, /^(\d+(?:\.\d+)?)([smhdw])$/, AGES, "12h or 30d");
}

function readUnit(
  option: string,
  text: string | undefined,
  form: RegExp,
  units: Readonly<Record<string, number>>,
  like: string,
): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ""] = form.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  if (count === undefined || factor === undefined) {
    throw new KernelError("KERNEL_USAGE", `"--${option} ${text}" is not understood`, {
      hint: `It is something like ${like}`,
    });
  }
  return Number(count) * factor;
}
