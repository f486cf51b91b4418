import { diffImages } from "../../image/diff.ts";
import { readImage } from "../../image/read-image.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { printable, readableSize } from "./printable.ts";

const SIGNS = { added: "+", removed: "-", changed: "~" } as const;

/** `initramfs diff`: status 0 if both images unpack to the same, 1 if not, as diff(1). */
export function diffCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const [before, after] = exactly(positionals, ["ARCHIVE", "ARCHIVE"]) as [string, string];
  const differences = diffImages(readImage(before).tree, readImage(after).tree);
  if (values.json === true) {
    io.stdout.write(`${JSON.stringify(differences)}\n`);
  } else {
    for (const { kind, path, details, sizeBefore, sizeAfter } of differences) {
      const size = kind === "added" ? sizeAfter : sizeBefore;
      const about = kind === "changed" ? details.join(", ") : readableSize(size);
      io.stdout.write(`${SIGNS[kind]} ${printable(path)}  ${printable(about)}\n`);
    }
  }
  return Promise.resolve(differences.length === 0 ? 0 : 1);
}
