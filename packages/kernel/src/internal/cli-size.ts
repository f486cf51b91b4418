import type { CommandContext } from "../command.ts";
import { kernelSize, totalBytes } from "../size.ts";
import type { KernelBytes, KernelSize } from "../size.ts";
import { operandsOf, printResult, wholeNumber } from "./cli-io.ts";

/** `kbuild size PATH`. */
export async function sizeCommand(context: CommandContext): Promise<number> {
  const { args, signal } = context;
  const [path = ""] = operandsOf(args, 1, 1, "size PATH");
  const depth = wholeNumber(args, "depth") ?? 2;
  const top = wholeNumber(args, "top") ?? 15;
  const size = await kernelSize(path, { cacheDir: args.text("cache-dir"), signal });
  printResult(context, size, () => format(size, depth, top));
  return 0;
}

function format(size: KernelSize, depth: number, top: number): string {
  const lines = ["      text       data        bss      total", row(size.linked, "vmlinux")];
  if (size.directory === undefined) {
    lines.push("", "sections");
    for (const { name, size: bytes } of size.sections.slice(0, top)) lines.push(`${number(bytes)} ${name}`);
    return `${lines.join("\n")}\n`;
  }
  lines.push(row(size.sum, `${size.objects.length} objects that it was linked of`), "", "directories");
  lines.push(...tree(size, depth), "", `options, the first ${top}`);
  for (const group of size.options.slice(0, top)) {
    const name = group.name === "" ? "(none, or none that can be told)" : group.name;
    lines.push(row(group, `${name}  ${group.objects} objects`));
  }
  lines.push("", `objects, the first ${top}`);
  for (const object of size.objects.slice(0, top)) lines.push(row(object, object.path));
  return `${lines.join("\n")}\n`;
}

// Directories of the same level by size, each followed by what is in it.
function tree({ directories }: KernelSize, depth: number): string[] {
  const below = (parent: string, level: number): string[] =>
    directories
      .filter(({ name }) => name.startsWith(parent) && name.split("/").length === level)
      .flatMap((group) => [
        row(group, `${"  ".repeat(level - 1)}${group.name}`),
        ...(level < depth ? below(`${group.name}/`, level + 1) : []),
      ]);
  return depth === 0 ? [] : below("", 1);
}

function row(bytes: KernelBytes, name: string): string {
  return `${[bytes.text, bytes.data, bytes.bss, totalBytes(bytes)].map(number).join(" ")}  ${name}`;
}

function number(bytes: number): string {
  return String(bytes).padStart(10);
}
