import type { CommandContext } from "../command.ts";
import { kernelSize, totalBytes } from "../size.ts";
import type { KernelBytes, KernelSize, OptionBytes } from "../size.ts";
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
  const kept = size.linker === undefined ? "" : ", as the linker kept them";
  lines.push(...tree(size, depth), "", `options${kept}: with all below them, and alone`);
  lines.push(...options(size.tree, top), ...linker(size));
  for (const place of size.notRead) lines.push(`not read: ${place}`);
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

// The largest options, wherever they are, each below those that it is in.
function options({ total, own, objects, below }: OptionBytes, top: number): string[] {
  const all = (nodes: readonly OptionBytes[]): readonly OptionBytes[] =>
    nodes.flatMap((node) => [node, ...all(node.below)]);
  const shown = new Set(
    all(below)
      .toSorted((a, b) => b.total - a.total)
      .slice(0, top),
  );
  const lines = [`${number(total)} ${number(own)}  (in every kernel)  ${objects} objects`];
  const show = (nodes: readonly OptionBytes[], level: number): void => {
    for (const node of nodes) {
      if (!shown.has(node)) continue;
      const shared = node.shared ? ", shared" : "";
      const name = `${"  ".repeat(level)}${node.name}  ${node.objects} objects${shared}`;
      lines.push(`${number(node.total)} ${number(node.own)}  ${name}`);
      show(node.below, level + 1);
    }
  };
  show(below, 1);
  return lines;
}

function linker({ linker: bytes }: KernelSize): string[] {
  if (bytes === undefined)
    return ["what the linker kept is not known: no GNU ld, or no build of Linux 6.1 or newer"];
  return [
    `${number(bytes.alignment)}             (alignment)`,
    `${number(bytes.kallsyms)}             (names of symbols, KALLSYMS)`,
    `${number(bytes.other)}             (of no object)`,
  ];
}

function row(bytes: KernelBytes, name: string): string {
  return `${[bytes.text, bytes.data, bytes.bss, totalBytes(bytes)].map(number).join(" ")}  ${name}`;
}

function number(bytes: number): string {
  return String(bytes).padStart(10);
}
