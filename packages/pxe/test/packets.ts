/** Messages as clients send them, for tests. */
import {
  addressBytes,
  DHCP_OPTION,
  encodeSuboptions,
  MESSAGE_TYPE,
  textBytes,
  type DhcpMessage,
} from "../src/index.ts";

export const MAC = "52:54:00:12:34:56";

export function request(
  type: keyof typeof MESSAGE_TYPE,
  fields: Partial<Omit<DhcpMessage, "options">> & {
    options?: readonly (readonly [number, Uint8Array])[];
    mac?: string;
  } = {},
): DhcpMessage {
  const { options = [], mac = MAC, ...header } = fields;
  return {
    op: 1,
    htype: 1,
    hops: 0,
    xid: 0xdead_beef,
    secs: 3,
    flags: 0x8000,
    ciaddr: "0.0.0.0",
    yiaddr: "0.0.0.0",
    siaddr: "0.0.0.0",
    giaddr: "0.0.0.0",
    chaddr: Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16)),
    sname: "",
    file: "",
    ...header,
    options: new Map([[DHCP_OPTION.messageType, Uint8Array.of(MESSAGE_TYPE[type])], ...options]),
  };
}

export const requested = (address: string) => [DHCP_OPTION.requestedAddress, addressBytes(address)] as const;
export const serverId = (address: string) => [DHCP_OPTION.serverId, addressBytes(address)] as const;

/** Options of a firmware's PXE client. */
export function firmware(arch: number, vendorClass = `PXEClient:Arch:${String(arch).padStart(5, "0")}`) {
  return [
    [DHCP_OPTION.vendorClass, textBytes(vendorClass)],
    [DHCP_OPTION.clientArch, Uint8Array.of(arch >> 8, arch & 255)],
    [DHCP_OPTION.clientNdi, Uint8Array.of(1, 2, 1)],
    [DHCP_OPTION.clientUuid, Uint8Array.of(0, ...Array.from({ length: 16 }, (_, index) => index))],
  ] as const;
}

/** Options of an iPXE with these features; Debian's BIOS ROM has 19, 24 and 33 among others. */
export function ipxe(features: readonly number[] = [19, 24, 33], arch = 0) {
  const encapsulated = encodeSuboptions(features.map((code) => [code, Uint8Array.of(1)] as const));
  return [
    ...firmware(arch),
    [DHCP_OPTION.userClass, textBytes("iPXE")],
    [DHCP_OPTION.ipxe, encapsulated],
  ] as const;
}
