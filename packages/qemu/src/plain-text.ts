/** CSI, OSC and two-byte escape sequences (ECMA-48); then what is left of control characters but tab and newline. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /\u001B\[[0-?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B[ -/]*[0-~]/g;
// oxlint-disable-next-line no-control-regex -- see above
const OTHER = /[\u0000-\u0008\u000B-\u001F\u007F]/g;

/**
 * Terminal output as plain text: no escape sequences, no carriage returns.
 *
 * @example
 * ```ts
 * import { plainText } from "@justenough/qemu";
 * console.log(plainText("\u001B[32mok\u001B[0m\r\n")); // "ok\n"
 * ```
 */
export function plainText(text: string): string {
  return text.replace(CONTROL, "").replace(OTHER, "");
}
