import { extractImage } from "../../image/extract.ts";
import { readImage } from "../../image/read-image.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { printable } from "./printable.ts";

/** `initramfs extract`. */
export function extractCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const [archive, directory] = exactly(positionals, ["ARCHIVE", "DIRECTORY"]) as [string, string];
  const { tree, failure } = readImage(archive);
  if (failure !== undefined) {
    io.stderr.write(`warning: The kernel gives up here, and so does this: ${failure.message}\n`);
  }
  const result = extractImage(tree, directory);
  if (values.json === true) {
    io.stdout.write(`${JSON.stringify({ directory, ...result })}\n`);
    return Promise.resolve(failure === undefined ? 0 : 1);
  }
  if (result.skipped.length > 0) {
    const [first] = result.skipped as [string];
    const more = result.skipped.length === 1 ? "" : ` and ${result.skipped.length - 1} others`;
    io.stderr.write(`note: Devices, pipes and sockets are left out: ${first}${more}\n`);
  }
  io.stdout.write(`${printable(directory)}: ${result.written} files, directories and links\n`);
  return Promise.resolve(failure === undefined ? 0 : 1);
}
