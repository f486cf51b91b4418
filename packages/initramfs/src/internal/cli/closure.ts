import { closure, type ClosureEntry } from "../../closure.ts";
import { type CommandIo, parse, UsageError } from "./command-line.ts";

/** `initramfs closure`. */
export async function closureCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, { sysroot: { type: "string" } });
  if (positionals.length === 0) throw new UsageError("closure needs at least one PROGRAM");
  const entries = closure(positionals, { sysroot: values.sysroot });
  if (values.json === true) {
    io.stdout.write(`${JSON.stringify(entries)}\n`);
    return 0;
  }
  const width = Math.max(...entries.map(({ path }) => path.length));
  for (const entry of entries) io.stdout.write(`${describe(entry, width)}\n`);
  return 0;
}

function describe({ path, why, foundBy }: ClosureEntry, width: number): string {
  const by = foundBy === undefined || foundBy === "default" ? "" : ` (found by ${foundBy})`;
  return `${path.padEnd(width)}  ${why}${by}`;
}
