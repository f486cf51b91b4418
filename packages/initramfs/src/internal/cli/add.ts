import { COMPRESSIONS } from "../../compression.ts";
import { addToImage } from "../../image/add.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { choice, CONTENT_FLAGS, progressLine, readContentFlags } from "./content-flags.ts";
import { printable } from "./printable.ts";

/** `initramfs add`. */
export async function addCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, CONTENT_FLAGS);
  const [image] = exactly(positionals, ["ARCHIVE"]) as [string];
  const { compression } = values;
  const progress = progressLine(io);
  const result = await addToImage({
    ...readContentFlags(values),
    image,
    output: values.output,
    compression: compression === undefined ? undefined : choice("--compression", compression, COMPRESSIONS),
    cacheDir: values["cache-dir"],
    signal: io.signal,
    onProgress: progress.show,
  }).finally(progress.clear);
  if (values.json === true) io.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    for (const path of result.added) io.stdout.write(`${printable(path)}\n`);
    io.stdout.write(`${printable(result.path)}: ${result.size} bytes\n`);
  }
  return 0;
}
