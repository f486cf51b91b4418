import { UkiError } from "./errors.ts";
import { type Source, type UkiInput, withSource } from "./internal/source.ts";
import { parseOsRelease } from "./os-release.ts";
import type { PeMachine } from "./pe-machine.ts";
import { type PeFile, type PeSection, readPeSource } from "./pe.ts";
import { contentSize, findSection, readSection } from "./section.ts";

/** A section as people look at it. */
export interface UkiSection extends PeSection {
  /** Bytes of content: without the padding in the file. */
  readonly size: number;
}

/** What an image holds. Of several profiles, the first's. */
export interface UkiSummary {
  readonly machine: PeMachine;
  readonly size: number;
  readonly signed: boolean;
  /** Such as `systemd-stub 252.39-1~deb12u2`. */
  readonly stub: string | undefined;
  readonly cmdline: string | undefined;
  readonly uname: string | undefined;
  readonly osRelease: Readonly<Record<string, string>> | undefined;
  readonly sections: readonly UkiSection[];
}

const MAX_TEXT = 64 * 1024;

/**
 * Looks into a Unified Kernel Image, whoever made it, or into a stub. Kernel and initramfs are not read.
 *
 * @throws UkiError as {@link readPe}; `UKI_TRUNCATED` and `UKI_TOO_LARGE` for its texts
 * @example
 * ```ts no-run
 * import { inspectUki } from "@justenough/uki";
 * const { uname, cmdline, sections } = await inspectUki("/boot/efi/EFI/Linux/debian.efi");
 * console.log(uname, cmdline, sections.find(({ name }) => name === ".initrd")?.size);
 * ```
 */
export function inspectUki(input: UkiInput): Promise<UkiSummary> {
  return withSource(input, async (source) => {
    const pe = await readPeSource(source);
    const text = async (name: string): Promise<string | undefined> => readText(source, pe, name);
    const osRelease = await text(".osrel");
    return {
      machine: pe.machine,
      size: source.size,
      signed: pe.certificates !== undefined,
      // systemd marks its programs so that boot menus can tell whose they are.
      stub: /^#### LoaderInfo: (.*) ####$/.exec((await text(".sdmagic")) ?? "")?.[1],
      cmdline: await text(".cmdline"),
      uname: await text(".uname"),
      osRelease: osRelease === undefined ? undefined : parseOsRelease(osRelease),
      sections: pe.sections.map((section) => ({ ...section, size: contentSize(section) })),
    };
  });
}

async function readText(source: Source, pe: PeFile, name: string): Promise<string | undefined> {
  const section = findSection(pe, name);
  if (section === undefined) return undefined;
  if (contentSize(section) > MAX_TEXT) {
    throw new UkiError(
      "UKI_TOO_LARGE",
      `Section "${name}" of ${source.name} has ${contentSize(section)} bytes, too many for a text`,
    );
  }
  const text = new TextDecoder().decode(await readSection(source, section));
  // Some builders end it as C does.
  return text.split("\0", 1)[0];
}
