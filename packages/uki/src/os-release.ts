/**
 * Reads os-release(5): assignments that a shell could read, one a line. What is not one is passed over.
 *
 * @example
 * ```ts
 * import { parseOsRelease } from "@justenough/uki";
 * console.log(parseOsRelease('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n').PRETTY_NAME);
 * ```
 */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const entries = text.split("\n").flatMap((line): [string, string][] => {
    const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, unquote(value)]];
  });
  return Object.fromEntries(entries);
}

function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1);
  const inner = /^".*"$/.test(value) ? value.slice(1, -1) : value;
  return inner.replaceAll(/\\(.)/g, "$1");
}

/**
 * What an image says of itself unless told otherwise, and nothing of the machine that made it. systemd-boot lists
 * no image without a name (UAPI group, Boot Loader Specification, type #2).
 */
export function defaultOsRelease(kernelVersion: string | undefined): string {
  const version = kernelVersion === undefined ? "" : `VERSION_ID="${kernelVersion}"\n`;
  return `ID=linux\nNAME=Linux\nPRETTY_NAME="Linux${kernelVersion === undefined ? "" : ` ${kernelVersion}`}"\n${version}`;
}
