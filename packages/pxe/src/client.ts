import { formatMac } from "./address.ts";
import { DHCP_OPTION, numbersOption, parseSuboptions, textOption } from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";

/** Kinds of firmware by what they can execute. */
export type ClientPlatform =
  | "bios"
  | "efi-ia32"
  | "efi-x64"
  | "efi-arm32"
  | "efi-arm64"
  | "efi-riscv64"
  | "efi-loong64"
  | "uboot-arm32"
  | "uboot-arm64"
  | "unknown";

/** What iPXE says of itself in option 175. */
export interface IpxeFeatures {
  /** Codes of the features that are built in; undefined when iPXE is known by its user class alone. */
  readonly codes: ReadonlySet<number> | undefined;
  /** Fetches by HTTP. */
  readonly http: boolean;
  /** Can start a Linux kernel: bzImage support and the PXE API of its ROM, or EFI. */
  readonly linux: boolean;
}

/** A machine's boot program, read from one of its DHCP messages. */
export interface BootClient {
  readonly mac: string;
  /** True for PXE and UEFI HTTP boot requests (option 60 and 93) and for iPXE. */
  readonly pxe: boolean;
  readonly platform: ClientPlatform;
  /** How the firmware fetches its first file. */
  readonly transport: "tftp" | "http";
  /** The raw number of option 93 that decided. */
  readonly arch: number | undefined;
  readonly ipxe: IpxeFeatures | undefined;
  /** The machine's UUID, bytes in the order of the wire, when option 97 is sound. */
  readonly uuid: string | undefined;
}

/**
 * IANA's "Processor Architecture Types". RFC 4578 printed 7 = EBC and 9 = x64, practice swapped them:
 * both mean x64.
 */
const ARCHITECTURES: ReadonlyMap<number, readonly [ClientPlatform, "tftp" | "http"]> = new Map([
  [0, ["bios", "tftp"]],
  [6, ["efi-ia32", "tftp"]],
  [7, ["efi-x64", "tftp"]],
  [9, ["efi-x64", "tftp"]],
  [10, ["efi-arm32", "tftp"]],
  [11, ["efi-arm64", "tftp"]],
  [15, ["efi-ia32", "http"]],
  [16, ["efi-x64", "http"]],
  [18, ["efi-arm32", "http"]],
  [19, ["efi-arm64", "http"]],
  [20, ["bios", "http"]],
  [21, ["uboot-arm32", "tftp"]],
  [22, ["uboot-arm64", "tftp"]],
  [23, ["uboot-arm32", "http"]],
  [24, ["uboot-arm64", "http"]],
  [27, ["efi-riscv64", "tftp"]],
  [28, ["efi-riscv64", "http"]],
  [39, ["efi-loong64", "tftp"]],
  [40, ["efi-loong64", "http"]],
] as const);

/** iPXE's feature codes (its src/include/ipxe/features.h). */
const FEATURE = { http: 19, bzImage: 24, pxe: 33, efi: 36 } as const;

function ipxeFeatures(message: DhcpMessage): IpxeFeatures | undefined {
  const encapsulated = message.options.get(DHCP_OPTION.ipxe);
  if (!encapsulated) {
    // The user class is the bare string "iPXE", without the length byte of RFC 3004.
    if (textOption(message, DHCP_OPTION.userClass) !== "iPXE") return undefined;
    return { codes: undefined, http: true, linux: true };
  }
  const codes = new Set(parseSuboptions(encapsulated).keys());
  const linux = (codes.has(FEATURE.bzImage) && codes.has(FEATURE.pxe)) || codes.has(FEATURE.efi);
  return { codes, http: codes.has(FEATURE.http), linux };
}

function uuid(message: DhcpMessage): string | undefined {
  const value = message.options.get(DHCP_OPTION.clientUuid);
  if (value?.length !== 17 || value[0] !== 0) return undefined;
  const hex = Buffer.from(value.subarray(1)).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * Say who asks (RFC 4578): option 60 must begin with "PXEClient" or "HTTPClient" and 93 be there; 94 and 97
 * may lack, as old cards leave them out. Of several types in 93 the first known one counts.
 */
export function identifyClient(message: DhcpMessage): BootClient {
  const vendorClass = textOption(message, DHCP_OPTION.vendorClass) ?? "";
  const types = numbersOption(message, DHCP_OPTION.clientArch);
  const arch = types.find((type) => ARCHITECTURES.has(type)) ?? types[0];
  const known = arch === undefined ? undefined : ARCHITECTURES.get(arch);
  const ipxe = ipxeFeatures(message);
  const firmware =
    types.length > 0 && (vendorClass.startsWith("PXEClient") || vendorClass.startsWith("HTTPClient"));
  return {
    mac: formatMac(message.chaddr),
    pxe: firmware || ipxe !== undefined,
    // iPXE's BIOS ROMs of other vendors may leave 93 out; only BIOS builds do.
    platform: known?.[0] ?? (ipxe && types.length === 0 ? "bios" : "unknown"),
    transport: vendorClass.startsWith("HTTPClient") ? "http" : (known?.[1] ?? "tftp"),
    arch,
    ipxe,
    uuid: uuid(message),
  };
}
