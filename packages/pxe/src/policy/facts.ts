import type { BootClient, IpxeFeatures } from "../client.ts";

/** The processor families that a rule can name. */
export const ARCH_NAMES = ["x86_64", "i386", "arm64", "arm", "riscv64", "loongarch64"] as const;
/** The kinds of firmware that a rule can name. */
export const FIRMWARE_NAMES = ["bios", "efi", "uboot"] as const;

export type ArchName = (typeof ARCH_NAMES)[number];
export type FirmwareName = (typeof FIRMWARE_NAMES)[number];

/** What is known of a machine; what is undefined may still become known when its iPXE asks for the script. */
export interface MachineFacts {
  /** Lower case, with colons. */
  readonly mac: string;
  readonly uuid?: string | undefined;
  readonly serial?: string | undefined;
  readonly arch?: ArchName | undefined;
  readonly firmware?: FirmwareName | undefined;
  readonly ipxe?: IpxeFeatures | undefined;
}

/** A BIOS says nothing of 64 bits, but nearly every PC has them. */
const FACTS: Readonly<Partial<Record<string, { arch: ArchName; firmware: FirmwareName }>>> = {
  bios: { arch: "x86_64", firmware: "bios" },
  "efi-ia32": { arch: "i386", firmware: "efi" },
  "efi-x64": { arch: "x86_64", firmware: "efi" },
  "efi-arm32": { arch: "arm", firmware: "efi" },
  "efi-arm64": { arch: "arm64", firmware: "efi" },
  "efi-riscv64": { arch: "riscv64", firmware: "efi" },
  "efi-loong64": { arch: "loongarch64", firmware: "efi" },
  "uboot-arm32": { arch: "arm", firmware: "uboot" },
  "uboot-arm64": { arch: "arm64", firmware: "uboot" },
};

/** The facts in a DHCP request. */
export function factsOf(client: BootClient): MachineFacts {
  const { mac, uuid, ipxe, platform } = client;
  return { mac, uuid, ipxe, ...FACTS[platform] };
}

/** Facts without those that are not known, so that they hide none that are. */
export function knownFacts(facts: MachineFacts): MachineFacts {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), mac: facts.mac };
}

/** The MAC address in a text, as machines are known by it: `52-54-00-12-34-56` is taken too. */
export function readMac(text: string): string | undefined {
  const mac = text.trim().replaceAll("-", ":").toLowerCase();
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? mac : undefined;
}

/**
 * What an iPXE says of itself in the query of the script's address. It can say anything: the texts are cut,
 * and whoever trusts them must know so.
 */
export function factsOfQuery(query: URLSearchParams): Partial<MachineFacts> {
  const text = (name: string): string | undefined => {
    const value = query
      .get(name)
      ?.replaceAll(/\p{Cc}/gu, "")
      .slice(0, 64);
    return value === "" ? undefined : value;
  };
  const mac = readMac(text("mac") ?? "");
  const uuid = text("uuid");
  const serial = text("serial");
  return {
    ...(mac === undefined ? {} : { mac }),
    ...(uuid === undefined ? {} : { uuid: uuid.toLowerCase() }),
    ...(serial === undefined ? {} : { serial }),
  };
}

/**
 * The two ways to write one UUID: its first three fields are little-endian in the tables of the firmware, and
 * not every firmware turns them before it sends them (SMBIOS 2.6, 7.2.1; RFC 4578 2.3 leaves it open).
 */
export function uuidForms(uuid: string): readonly string[] {
  const hex = uuid.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return [uuid];
  const turned = (part: string): string => (part.match(/../g) ?? []).reverse().join("");
  const [a, b, c, rest] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16)];
  return [hex, `${turned(a)}${turned(b)}${turned(c)}${rest}`].map((form) =>
    form.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
  );
}
