import { PxeError } from "../errors.ts";
import type { LoaderBoot } from "./loader-boot.ts";

/** PXELINUX reads lines into a buffer of this size (its com32/elflink/ldlinux/readconfig.c). */
const LONGEST_LINE = 2047;

/**
 * Write kernel arguments for an APPEND line, which PXELINUX passes on to its end as it stands. Not every text
 * is a line, and a dash alone means none.
 *
 * Errors: `PXE_SCRIPT_UNREPRESENTABLE`.
 *
 * @example
 * ```ts
 * import { escapeAppend } from "@justenough/pxe";
 * console.log(escapeAppend("console=ttyS0 -- $HOME # 'as it is'"));
 * ```
 */
export function escapeAppend(text: string): string {
  const line = text.trim();
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const refused = /[\0-\b\n-\u001f]/.test(line)
    ? "kernel arguments must be one line without control characters"
    : line === "-"
      ? "it means no arguments there"
      : Buffer.byteLength(line) > LONGEST_LINE - "  APPEND ".length
        ? `its lines have at most ${LONGEST_LINE} bytes`
        : undefined;
  if (refused === undefined) return line;
  throw new PxeError(
    "PXE_SCRIPT_UNREPRESENTABLE",
    `Cannot write the kernel arguments ${JSON.stringify(line.slice(0, 200))} into a PXELINUX file`,
    { hint: refused },
  );
}

/**
 * The configuration that boots one kernel. Names are relative: PXELINUX finds them where it found itself, by
 * TFTP, and lpxelinux.0 under the prefix of option 210, by HTTP (RFC 5071).
 */
export function pxelinuxConfig(boot: LoaderBoot): string {
  const append = escapeAppend(boot.cmdline);
  const title = escapeAppend(boot.title ?? "");
  return lines([
    "DEFAULT linux",
    "PROMPT 0",
    ...(title === "" ? [] : [`SAY ${title}`]),
    "LABEL linux",
    `  LINUX ${boot.kernel}`,
    ...(boot.initrd.length === 0 ? [] : [`  INITRD ${boot.initrd.join(",")}`]),
    ...(append === "" ? [] : [`  APPEND ${append}`]),
  ]);
}

/** Gives the machine back to its BIOS, which goes on to the next device. */
export function pxelinuxDisk(message = "Booting from the next device"): string {
  return lines([
    "DEFAULT local",
    "PROMPT 0",
    `SAY ${escapeAppend(message)}`,
    "LABEL local",
    "  LOCALBOOT -1",
  ]);
}

const lines = (texts: readonly string[]): string => `${texts.join("\n")}\n`;
