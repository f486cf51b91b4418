import { PxeError } from "./errors.ts";

/** What a script shall boot. */
export interface IpxeBoot {
  readonly kernel: string;
  /** Addresses of the initramfs segments, in order. */
  readonly initrd: readonly string[];
  readonly cmdline: string;
  /** Printed before the kernel is fetched. */
  readonly title?: string | undefined;
}

/** A setting that nobody defines: it expands to nothing, and hides from iPXE that a word is special. */
const NOTHING = "${je-nothing}";
const SPACE = { name: "je-space", text: "${je-space:string}" };
const TAB = { name: "je-tab", text: "${je-tab:string}" };

/**
 * Write kernel arguments so that iPXE passes on exactly these characters. iPXE (src/core/exec.c) splits at
 * white space first, then takes `||`, `&&`, `;` and words that begin with `#` as its own, then expands
 * `${…}` in each word until none is left, and joins words with single spaces. So runs of white space become
 * settings, special words are led by a setting that is empty, and a word that holds `${…}` cannot be written:
 * `PXE_SCRIPT_UNREPRESENTABLE`.
 *
 * @example
 * ```ts
 * import { escapeIpxe } from "@justenough/pxe";
 * console.log(escapeIpxe("console=ttyS0 -- ||"));
 * ```
 */
export function escapeIpxe(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\0-\b\n-\u001f]/.test(text)) {
    throw new PxeError(
      "PXE_SCRIPT_UNREPRESENTABLE",
      `Cannot write ${JSON.stringify(text)} into an iPXE script`,
      {
        hint: "kernel arguments must be one line without control characters",
      },
    );
  }
  // Single spaces between words stay; every other blank is written as a setting inside a word.
  const words = text
    .trim()
    .replaceAll(/[ \t]{2,}|\t/g, (blanks) => blanks.replaceAll("\t", "\u0001").replaceAll(" ", "\u0002"))
    .split(" ");
  return words.map((word) => escapeWord(word)).join(" ");
}

function escapeWord(word: string): string {
  if (/\$\{[^}]*\}/.test(word)) {
    throw new PxeError(
      "PXE_SCRIPT_UNREPRESENTABLE",
      `Cannot write the kernel argument ${JSON.stringify(word)} into an iPXE script: iPXE would expand it`,
      { hint: "put it into a file of the initramfs instead" },
    );
  }
  const special = word === "||" || word === "&&" || word === ";" || word.startsWith("#");
  const lead = special ? NOTHING : "";
  // A backslash at the end of a line would join the next line to it.
  const tail = word.endsWith("\\") ? NOTHING : "";
  return `${lead}${word}${tail}`.replaceAll("\u0001", TAB.text).replaceAll("\u0002", SPACE.text);
}

/** A file name or address of our own making, checked rather than escaped. */
function checkedUrl(url: string): string {
  if (!/^[a-z]+:\/\/[\w.:[\]~%/+-]+$/i.test(url)) {
    throw new PxeError(
      "PXE_SCRIPT_UNREPRESENTABLE",
      `Cannot write the address ${JSON.stringify(url)} into an iPXE script`,
      {
        hint: "use letters, digits and . : / % _ ~ + - only",
      },
    );
  }
  return url;
}

/**
 * The script that boots a kernel with its initramfs segments. EFI kernels find a segment only when an
 * `initrd=` argument names it, so there is one for each. When a step fails the script says which and leaves
 * with status 1, so that firmware goes on to its next boot device.
 */
export function ipxeScript(boot: IpxeBoot): string {
  const names = boot.initrd.map((_, index) => `initrd${index}`);
  const words = [...names.map((name) => `initrd=${name}`), escapeIpxe(boot.cmdline)].filter(
    (word) => word !== "",
  );
  const lines: string[] = [];
  const title = escapeIpxe(boot.title ?? "");
  // Options end at "--": a title that looked like one would end the script.
  if (title !== "") lines.push(`echo ${title.startsWith("-") ? "-- " : ""}${title}`);
  lines.push(["kernel", checkedUrl(boot.kernel), ...words, "|| goto failed"].join(" "));
  for (const [index, url] of boot.initrd.entries()) {
    lines.push(`initrd --name ${names[index]} ${checkedUrl(url)} || goto failed`);
  }
  lines.push(
    "boot || goto failed",
    ":failed",
    "echo The boot failed; the lines above say at what",
    "sleep 5",
    "exit 1",
  );
  return script(lines);
}

/** A whole script: the magic line, the settings that the lines use, the lines. */
function script(lines: readonly string[]): string {
  const text = lines.join("\n");
  const settings = [
    ...(text.includes(SPACE.text) ? [`set ${SPACE.name}:hex 20`] : []),
    ...(text.includes(TAB.text) ? [`set ${TAB.name}:hex 09`] : []),
  ];
  return ["#!ipxe", ...settings, text, ""].join("\n");
}

/** A script that prints one line, waits, and gives the machine back to its firmware. */
export function ipxeMessage(text: string): string {
  return script([`echo ${escapeIpxe(text)}`, "sleep 30", "exit 1"]);
}

/**
 * A script that makes iPXE ask again and say what machine it is. `:uristring` keeps a serial number from being
 * more than one word.
 */
export function ipxeAsk(url: string): string {
  const query = "mac=${netX/mac}&uuid=${uuid}&serial=${serial:uristring}";
  return script([`chain --autofree ${checkedUrl(url)}?${query} || exit 1`]);
}

/** A script that boots the first disk of a BIOS machine, and else leaves the choice to the firmware. */
export function ipxeDisk(): string {
  return script(["iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 || exit 1"]);
}
