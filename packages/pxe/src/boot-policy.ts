import type { BootClient, ClientPlatform } from "./client.ts";

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
  | { readonly stage: "binary"; readonly file: string; readonly transport: "tftp" | "http" }
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
  if (client.ipxe?.linux === true) {
    if (fetchesByHttp(client, site)) return { stage: "script", url: httpUrl(site, SCRIPT_FILE) };
    if (site.tftpPort !== undefined) return { stage: "script", url: tftpUrl(site, SCRIPT_FILE) };
  }
  const file = site.binaries[client.platform];
  if (file === undefined) {
    const hint =
      'install the distribution\'s "ipxe" package (apt-get install ipxe), or name a file in "binaries"';
    return { stage: "none", reason: `there is no boot program for ${describePlatform(client)}`, hint };
  }
  if (client.transport === "http") return { stage: "binary", file: httpUrl(site, file), transport: "http" };
  if (site.tftpPort === undefined) return { stage: "none", reason: "TFTP is not served" };
  return { stage: "binary", file, transport: "tftp" };
}

/** Whether an iPXE can fetch from the site: HTTPS is a feature of its own, code 20. */
function fetchesByHttp({ ipxe }: BootClient, site: BootSite): boolean {
  return site.secure === true ? ipxe?.codes?.has(20) === true : ipxe?.http === true;
}

function describePlatform(client: BootClient): string {
  if (client.platform !== "unknown") return client.platform;
  return client.arch === undefined ? "a client that names no architecture" : `architecture ${client.arch}`;
}
