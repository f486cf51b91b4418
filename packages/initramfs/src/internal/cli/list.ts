import { readInitramfs } from "../../image/entries.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { modeText } from "./mode-text.ts";
import { printable } from "./printable.ts";

/** `initramfs list`. */
export function listCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const [archive] = exactly(positionals, ["ARCHIVE"]);
  const rows: unknown[] = [];
  const lines: string[] = [];
  for (const entry of readInitramfs(archive as string)) {
    const { name, type, mode, uid, gid, mtime, nlink, size, target, rdev, segment, member } = entry;
    const isDevice = type === "character" || type === "block";
    if (values.json === true) {
      const to = target === undefined ? {} : { to: target };
      const common = { path: name, type, mode: mode & 0o7777, uid, gid, mtime, nlink, size, ...to };
      rows.push({ ...common, ...(isDevice ? { rdev } : {}), segment, member });
      continue;
    }
    const middle = isDevice ? `${rdev.major},${rdev.minor}` : String(size);
    const arrow = target === undefined ? "" : ` -> ${printable(target)}`;
    lines.push(`${modeText(type, mode)} ${middle.padStart(10)} ${printable(name)}${arrow}\n`);
    // One write for many lines, and not all in memory.
    if (lines.length === 4096) io.stdout.write(lines.splice(0).join(""));
  }
  io.stdout.write(values.json === true ? `${JSON.stringify(rows)}\n` : lines.join(""));
  return Promise.resolve(0);
}
