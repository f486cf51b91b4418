import { readInitramfs } from "../../image/entries.ts";
import { InitramfsError } from "../../error.ts";
import { nearest } from "../suggest.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";

/** `initramfs cat`. */
export async function catCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { positionals } = parse(args, {});
  const [archive, path] = exactly(positionals, ["ARCHIVE", "PATH"]) as [string, string];
  const wanted = path.replace(/^\/+/, "");
  const names: string[] = [];
  for (const entry of readInitramfs(archive)) {
    names.push(entry.name);
    if (entry.name !== wanted) continue;
    if (entry.target !== undefined) {
      throw new InitramfsError(
        "INITRAMFS_NOT_FOUND",
        `"${path}" in "${archive}" is a link to "${entry.target}"`,
      );
    }
    for (const chunk of entry.data) io.stdout.write(chunk);
    return 0;
  }
  const guess = nearest(wanted, names);
  const hint = guess === undefined ? undefined : `Did you mean "${guess}"?`;
  throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no "${path}" in "${archive}"`, { hint });
}
