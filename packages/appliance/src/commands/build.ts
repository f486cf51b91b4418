import type { CliContext } from "../context.ts";
import { humanSize } from "../internal/human-size.ts";
import { buildFor, printJson } from "./common.ts";
import type { BuildingFlags, CommonFlags, SpecFlags } from "./flags.ts";

export async function build(
  this: CliContext,
  flags: CommonFlags & SpecFlags & BuildingFlags,
  where: string,
): Promise<void> {
  const { bundle } = await buildFor(this, where, flags);
  const { manifest, directory } = bundle;
  if (flags.json) {
    const { entries: _entries, ...initramfs } = manifest.initramfs;
    printJson(this, { ...manifest, initramfs, directory, fromCache: bundle.fromCache });
    return;
  }
  const { kernel, initramfs } = manifest;
  const lines = [
    `bundle     ${bundle.id}${bundle.fromCache ? " (built before)" : ""}`,
    `kernel     ${kernel.sha256}  ${humanSize(kernel.size)}, Linux ${kernel.release}`,
    `initramfs  ${initramfs.sha256}  ${humanSize(initramfs.size)}, ${initramfs.entries.length} entries, ${humanSize(initramfs.unpackedSize)} unpacked`,
    `cmdline    ${manifest.cmdline}`,
    `directory  ${directory}`,
  ];
  this.process.stdout.write(`${lines.join("\n")}\n`);
}
