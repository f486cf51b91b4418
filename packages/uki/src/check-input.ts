import { UkiError } from "./errors.ts";

/** The sections that have options of their own. */
const OWN = new Set([".osrel", ".uname", ".cmdline", ".linux", ".initrd"]);

/** Refuses what would not arrive in the guest as it was written. */
export function checkCmdline(cmdline: string, max: number | undefined): Uint8Array {
  const shown = JSON.stringify(cmdline.length > 80 ? `${cmdline.slice(0, 79)}…` : cmdline);
  const invalid = (why: string, hint: string): UkiError =>
    new UkiError("UKI_CMDLINE_INVALID", `Cannot use the command line ${shown}: ${why}`, { hint });
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(cmdline))
    throw invalid("it holds a control character", "Separate arguments by spaces");
  if (/\p{Surrogate}/u.test(cmdline)) throw invalid("it holds half a character", "Give valid Unicode");
  const bytes = new TextEncoder().encode(cmdline);
  if (max !== undefined && bytes.length > max) {
    throw invalid(
      `it has ${bytes.length} bytes, and this kernel takes ${max}`,
      "The kernel would cut it off in silence; put what is long into the initramfs",
    );
  }
  return bytes;
}

export function checkUname(uname: string): string {
  if (/^[\w.+~-]{1,64}$/.test(uname)) return uname;
  throw new UkiError("UKI_SECTION_INVALID", `"${uname}" is not what uname -r could say`);
}

export function checkSectionName(name: string): string {
  if (OWN.has(name)) {
    throw new UkiError("UKI_SECTION_INVALID", `Section "${name}" is not given as an extra section`, {
      hint: "It has an option of its own",
    });
  }
  if (/^\.[\w.-]{1,7}$/.test(name)) return name;
  throw new UkiError("UKI_SECTION_INVALID", `"${name}" is no name for a section`, {
    hint: 'Names are a dot and at most seven letters, such as ".dtb"',
  });
}
