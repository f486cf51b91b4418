import { PxeError } from "../errors.ts";
import type { LoaderBoot } from "./loader-boot.ts";

/** A word that GRUB's shell takes as it stands: within single quotes nothing is special but their end. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function unrepresentable(text: string, hint: string): PxeError {
  return new PxeError(
    "PXE_SCRIPT_UNREPRESENTABLE",
    `Cannot write the kernel argument ${JSON.stringify(text)} into a GRUB file`,
    { hint },
  );
}

/**
 * Write kernel arguments for GRUB's `linux` command. They pass two hands: the shell, from which single quotes
 * keep everything, and the command (its lib/cmdline.c), which joins words by single spaces, puts double quotes
 * around a word that holds a space, and a backslash before `"`, `'` and `\`, which Linux does not take away.
 * So `a="b c"` arrives as `"a=b c"`, the same to the kernel; a word with one of the three is refused:
 * `PXE_SCRIPT_UNREPRESENTABLE`.
 *
 * @example
 * ```ts
 * import { escapeGrub } from "@justenough/pxe";
 * console.log(escapeGrub("console=ttyS0 -- $HOME ;"));
 * ```
 */
export function escapeGrub(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\0-\b\n-\u001f]/.test(text)) {
    throw unrepresentable(text, "kernel arguments must be one line without control characters");
  }
  const line = text.trim();
  if (line === "") return "";
  // At spaces outside of double quotes; a run of them gives empty words, which GRUB joins to the same run.
  const words = line.split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/);
  return words.map((word) => quoted(bare(word))).join(" ");
}

/** A word without its double quotes, which GRUB puts back where they matter. */
function bare(word: string): string {
  const value = word.replaceAll('"', "");
  const pairs = (word.length - value.length) % 2 === 0;
  if (pairs && !/['\\]/.test(value)) return value;
  throw unrepresentable(word, "GRUB would put a backslash before its quotes or backslashes");
}

/**
 * The configuration that boots one kernel, in GRUB's own shell. Names begin at the server's root, from which
 * GRUB came. When a step fails, the machine goes back to its firmware and on to the next device.
 */
export function grubConfig(boot: LoaderBoot): string {
  const path = (name: string): string => quoted(`/${name}`);
  const args = escapeGrub(boot.cmdline);
  const linux = `linux ${path(boot.kernel)}${args === "" ? "" : ` ${args}`}`;
  const initrd = boot.initrd.length === 0 ? "true" : `initrd ${boot.initrd.map(path).join(" ")}`;
  const title = boot.title ?? "";
  return lines([
    ...(title === "" ? [] : [`echo ${quoted(title.replaceAll(/\p{Cc}/gu, " "))}`]),
    `if ${linux}; then if ${initrd}; then boot; fi; fi`,
    "echo 'The boot failed; the lines above say at what'",
    "sleep 5",
    "exit 1",
  ]);
}

/** Prints a line and gives the machine back to its firmware. */
export function grubLeave(message: string): string {
  return lines([`echo ${quoted(message)}`, "sleep 3", "exit 1"]);
}

const lines = (texts: readonly string[]): string => `${texts.join("\n")}\n`;
