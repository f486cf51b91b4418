import { readInitramfs } from "../../image/entries.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";

/** `initramfs list`. */
export async function listCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const [archive] = exactly(positionals, ["ARCHIVE"]);
  const rows: Record<string, unknown>[] = [];
  for (const { name, type, mode, size, target, rdev } of readInitramfs(archive as string)) {
    if (values.json === true) {
      rows.push({
        path: name,
        type,
        mode: mode & 0o7777,
        size,
        ...(target === undefined ? {} : { to: target }),
      });
      continue;
    }
    const device = type === "character" || type === "block" ? `${rdev.major},${rdev.minor}` : String(size);
    const arrow = target === undefined ? "" : ` -> ${printable(target)}`;
    io.stdout.write(`${modeText(type, mode)} ${device.padStart(10)} ${printable(name)}${arrow}\n`);
  }
  if (values.json === true) io.stdout.write(`${JSON.stringify(rows)}\n`);
  return 0;
}

const TYPE_LETTERS: Readonly<Record<string, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};

/** As ls(1) writes it. */
function modeText(type: string, mode: number): string {
  const bits = (mode & 0o777).toString(2).padStart(9, "0").split("");
  const text = bits.map((bit, index) => (bit === "1" ? ("rwx"[index % 3] as string) : "-"));
  const special: [bit: number, at: number, letter: string][] = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ];
  for (const [bit, at, letter] of special) {
    if ((mode & bit) !== 0) text[at] = text[at] === "x" ? letter : letter.toUpperCase();
  }
  return (TYPE_LETTERS[type] ?? "?") + text.join("");
}

/** Names come from strangers: nothing in them may steer the terminal. */
function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
