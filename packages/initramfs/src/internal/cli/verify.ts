import { readFileSync } from "node:fs";

import { type Arch, ARCHES } from "../../arch.ts";
import { InitramfsError } from "../../error.ts";
import { verifyImage } from "../../image/verify.ts";
import { type CommandIo, exactly, parse, UsageError } from "./command-line.ts";
import { choice } from "./content-flags.ts";
import { printable, readableSize } from "./printable.ts";

/** `initramfs verify`: status 0 if nothing keeps the image from booting, else 1. */
export function verifyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {
    config: { type: "string" },
    "kernel-version": { type: "string" },
    memory: { type: "string", short: "m" },
    arch: { type: "string" },
  });
  const [archive] = exactly(positionals, ["ARCHIVE"]) as [string];
  const { diagnostics, memory } = verifyImage(archive, {
    config: values.config === undefined ? undefined : readConfig(values.config),
    kernel: values["kernel-version"],
    memory: values.memory === undefined ? undefined : parseMemory(values.memory),
    arch:
      values.arch === undefined ? undefined : choice("--arch", values.arch, Object.keys(ARCHES) as Arch[]),
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  if (values.json === true) {
    io.stdout.write(`${JSON.stringify({ boots: errors === 0, memory, diagnostics })}\n`);
    return Promise.resolve(errors === 0 ? 0 : 1);
  }
  for (const { severity, message, hint } of diagnostics) {
    io.stdout.write(`${severity}: ${printable(message)}\n`);
    if (hint !== undefined) io.stdout.write(`  hint: ${printable(hint)}\n`);
  }
  const verdict = errors === 0 ? "nothing found that keeps it from booting" : `${errors} errors`;
  const need = `${memory.inodes} files, ${readableSize(memory.rootfs)} in memory`;
  io.stdout.write(
    `${printable(archive)}: ${verdict}; ${need}, for a machine with ${Math.ceil(memory.enough / 2 ** 20)} MiB or more\n`,
  );
  return Promise.resolve(errors === 0 ? 0 : 1);
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the configuration "${path}"`, { cause: error });
  }
}

/** As QEMU's -m: MiB unless a unit says otherwise. */
function parseMemory(text: string): number {
  const match = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(text);
  const shift = { K: 10, M: 20, G: 30 }[(match?.[2] || "M").toUpperCase()];
  if (match === null || shift === undefined) {
    throw new UsageError(`--memory is "${text}", wanted a size such as 256M or 1G`);
  }
  return Number(match[1]) * 2 ** shift;
}
