import type { BootClient, ClientPlatform } from "./client.ts";
import type { Loader } from "./loaders/loader-options.ts";

/** Names under which the server offers boot programs, by platform. */
export type OfferedBinaries = Readonly<Partial<Record<ClientPlatform, string>>>;

/** Where the files of this server can be fetched. */
export interface BootSite {
  /** The server's own address on the served network. */
  readonly address: string;
  readonly httpPort: number;
  /** Undefined when no TFTP is served. */
  readonly tftpPort: number | undefined;
  readonly binaries: OfferedBinaries;
  /** Boot programs that load Linux without iPXE, by platform. */
  readonly loaders?: Readonly<Partial<Record<ClientPlatform, Loader>>> | undefined;
  /** Whether the policy needs to know what only iPXE tells. */
  readonly needsIpxe?: ((client: BootClient) => boolean) | undefined;
  /** Files are served by HTTPS. */
  readonly secure?: boolean | undefined;
  /** What the policy says of a machine before its script is made; undefined lets it boot. */
  readonly rule?: ((client: BootClient) => BootStep | undefined) | undefined;
}

/** What a client is told to fetch next. */
export type BootStep =
  /** iPXE: the script that names kernel and initrd. */
  | { readonly stage: "script"; readonly url: string }
  /** Firmware: a boot program, by file name (TFTP) or URL (UEFI HTTP boot). */
  | {
      readonly stage: "binary";
      readonly file: string;
      readonly transport: "tftp" | "http";
      /** It loads Linux by itself, and does not come back as iPXE. */
      readonly last?: true;
      /** For PXELINUX (RFC 5071): its configuration's name, and where that and all other files are. */
      readonly pxelinux?: { readonly config: string; readonly prefix?: string };
    }
  /** Nothing helps; `reason` says why, for the log. */
  | { readonly stage: "none"; readonly reason: string; readonly hint?: string; readonly by?: "policy" };

/** Names of files that every server has. */
export const SCRIPT_FILE = "boot.ipxe";
export const LOOP_FILE = "loop.ipxe";

/** The address of a file by HTTP. */
export function httpUrl(site: BootSite, file: string): string {
  return `${site.secure === true ? "https" : "http"}://${site.address}:${site.httpPort}/${file}`;
}

/** The address of a file by TFTP. */
export function tftpUrl(site: BootSite, file: string): string {
  const port = site.tftpPort === undefined || site.tftpPort === 69 ? "" : `:${site.tftpPort}`;
  return `tftp://${site.address}${port}/${file}`;
}

/**
 * Choose the next step for a client: a pure function of what it said. iPXE that can start Linux gets the
 * script, everything else a boot program for its platform. Decided by features, not by version or user
 * class: builds lie about those, and a wrong rule chains for ever.
 */
export function planBoot(client: BootClient, site: BootSite): BootStep {
  if (!client.pxe) return { stage: "none", reason: "it does not ask for a boot file" };
  const ruled = site.rule?.(client);
  if (ruled) return ruled;
  const { binaries, loaders } = site;
  const ipxeTells = binaries[client.platform] !== undefined && site.needsIpxe?.(client) === true;
  const loader = ipxeTells ? undefined : loaders?.[client.platform];
  if (client.ipxe?.linux === true && loader?.always !== true) {
    if (fetchesByHttp(client, site)) return { stage: "script", url: httpUrl(site, SCRIPT_FILE) };
    if (site.tftpPort !== undefined) return { stage: "script", url: tftpUrl(site, SCRIPT_FILE) };
  }
  if (loader) return loaderStep(client, site, loader);
  const file = binaries[client.platform];
  if (file === undefined) {
    const stub = client.platform.startsWith("efi-") ? ", or systemd-boot-efi" : "";
    const hint = `install the distribution's package (apt-get install ipxe${stub}), or name a file in "binaries"`;
    return { stage: "none", reason: `there is no boot program for ${describePlatform(client)}`, hint };
  }
  if (client.transport === "http") return { stage: "binary", file: httpUrl(site, file), transport: "http" };
  if (site.tftpPort === undefined) return { stage: "none", reason: "TFTP is not served" };
  return { stage: "binary", file, transport: "tftp" };
}

function loaderStep(client: BootClient, site: BootSite, loader: Loader): BootStep {
  const { kind, file } = loader;
  if (client.transport === "http") {
    // The distributions' signed GRUB fetches by TFTP alone.
    if (kind !== "uki") return { stage: "none", reason: `${file} cannot fetch by HTTP; use its PXE boot` };
    return { stage: "binary", file: httpUrl(site, file), transport: "http", last: true };
  }
  if (site.tftpPort === undefined) return { stage: "none", reason: "TFTP is not served" };
  const step = { stage: "binary", file, transport: "tftp", last: true } as const;
  if (kind !== "pxelinux" && kind !== "lpxelinux") return step;
  const config = `pxelinux.cfg/01-${client.mac.replaceAll(":", "-")}`;
  const byHttp = kind === "lpxelinux" && site.secure !== true;
  return { ...step, pxelinux: byHttp ? { config, prefix: httpUrl(site, "") } : { config } };
}

/** Whether an iPXE can fetch from the site: HTTPS is a feature of its own, code 20. */
function fetchesByHttp({ ipxe }: BootClient, site: BootSite): boolean {
  return site.secure === true ? ipxe?.codes?.has(20) === true : ipxe?.http === true;
}

function describePlatform(client: BootClient): string {
  if (client.platform !== "unknown") return client.platform;
  return client.arch === undefined ? "a client that names no architecture" : `architecture ${client.arch}`;
}
