import { InitramfsError } from "../../error.ts";
import { kernelView } from "../../image/kernel-view.ts";
import { readImage } from "../../image/read-image.ts";
import { explainPath } from "../../image/why.ts";
import { imagePath } from "../paths.ts";
import { nearest } from "../suggest.ts";
import { filesBelow } from "../walk.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";
import { printable } from "./printable.ts";

/** `initramfs why`. */
export function whyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const [archive, path] = exactly(positionals, ["ARCHIVE", "PATH"]) as [string, string];
  const { tree } = readImage(archive);
  const steps = explainPath(tree, imagePath(path));
  if (steps === undefined) {
    const guess = nearest(imagePath(path), filesBelow(kernelView(tree), "/"));
    const hint = guess === undefined ? undefined : `Did you mean "${guess}"?`;
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no "${path}" in "${archive}"`, { hint });
  }
  if (values.json === true) io.stdout.write(`${JSON.stringify(steps)}\n`);
  else for (const { path: at, why } of steps) io.stdout.write(`${printable(at)}  ${printable(why)}\n`);
  return Promise.resolve(0);
}
