import type { BootSite, BootStep } from "./boot-policy.ts";
import type { BootClient } from "./client.ts";
import { inSubnet, type Subnet } from "./address.ts";
import {
  addressBytes,
  DHCP_OPTION,
  encodeSuboptions,
  MESSAGE_TYPE,
  messageType,
  textBytes,
} from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";

/** An action of the DHCP engines: a message to send, with the size that the receiver accepts. */
export interface SendAction {
  readonly kind: "send";
  readonly message: DhcpMessage;
  readonly to: { readonly address: string; readonly port: number };
  readonly maxBytes: number;
}

/** Header fields and options that lead a client to its next file. */
export interface BootFields {
  readonly siaddr: string;
  readonly file: string;
  readonly options: readonly (readonly [number, Uint8Array])[];
}

const NO_BOOT: BootFields = { siaddr: "0.0.0.0", file: "", options: [] };
const CLASS = { pxe: textBytes("PXEClient"), http: textBytes("HTTPClient") };
/** Option 43: discovery control 8 = "just take the file name", else firmware looks for boot servers. */
const TAKE_THE_FILE = encodeSuboptions([[6, Uint8Array.of(8)]], { end: true });
/** iPXE's 175.176 "no-pxedhcp": do not wait two seconds for a proxyDHCP offer. */
const NO_PROXY = encodeSuboptions([[176, Uint8Array.of(1)]]);

/**
 * The boot part of a reply. The name goes into the `file` header field, which every ROM reads; option 67
 * only carries what is too long for it or what UEFI HTTP boot wants there, NUL-terminated, and never last
 * (old Intel ROMs read on into the 255).
 */
export function bootFields(
  client: BootClient,
  step: BootStep,
  server: { site: BootSite; role: "authoritative" | "proxy"; sole: boolean },
): BootFields {
  const { site, role, sole } = server;
  const onlyServer: BootFields["options"] =
    client.ipxe !== undefined && role === "authoritative" && sole ? [[DHCP_OPTION.ipxe, NO_PROXY]] : [];
  if (step.stage === "none") return { ...NO_BOOT, options: onlyServer };
  const name = step.stage === "script" ? step.url : step.file;
  const http = step.stage === "binary" && step.transport === "http";
  const fits = name.length < 128;
  const options: (readonly [number, Uint8Array])[] = [];
  if (http) options.push([DHCP_OPTION.bootFile, textBytes(name)]);
  else if (!fits) options.push([DHCP_OPTION.bootFile, textBytes(`${name}\0`)]);
  const pxelinux = step.stage === "binary" ? step.pxelinux : undefined;
  if (pxelinux) options.push([DHCP_OPTION.pxelinuxConfig, textBytes(pxelinux.config)]);
  if (pxelinux?.prefix !== undefined) options.push([DHCP_OPTION.pxelinuxPrefix, textBytes(pxelinux.prefix)]);
  if (http) options.push([DHCP_OPTION.vendorClass, CLASS.http]);
  else if (role === "proxy") {
    options.push([DHCP_OPTION.vendorClass, CLASS.pxe]);
    // Without a file this would make iPXE stop asking; with one it saves firmware the round to port 4011.
    if (fits) options.push([DHCP_OPTION.vendorSpecific, TAKE_THE_FILE]);
  }
  return { siaddr: site.address, file: fits ? name : "", options: [...options, ...onlyServer] };
}

/**
 * What is sent back as it came: the client's identifier (RFC 6842), its UUID (RFC 4578), and what a relay
 * agent added (RFC 3046 2.2), which comes last.
 */
const ECHOED = [DHCP_OPTION.clientId, DHCP_OPTION.clientUuid, DHCP_OPTION.relayAgent];

/** A reply's frame: what RFC 2131 table 3 copies from the request, and what is echoed. */
export function replyTo(
  request: DhcpMessage,
  type: number,
  reply: {
    server: string;
    yiaddr?: string;
    ciaddr?: string;
    boot?: BootFields;
    options?: readonly (readonly [number, Uint8Array])[];
  },
): DhcpMessage {
  const nak = type === MESSAGE_TYPE.nak;
  const options = new Map<number, Uint8Array>([
    [DHCP_OPTION.messageType, Uint8Array.of(type)],
    [DHCP_OPTION.serverId, addressBytes(reply.server)],
  ]);
  for (const [code, value] of [...(reply.boot?.options ?? []), ...(reply.options ?? [])]) {
    options.set(code, value);
  }
  for (const code of ECHOED) {
    const value = request.options.get(code);
    if (value) options.set(code, value);
  }
  return {
    op: 2,
    htype: request.htype,
    hops: 0,
    xid: request.xid,
    secs: 0,
    // A relay must broadcast a refusal: the client has no address it could be reached at.
    flags: nak && request.giaddr !== "0.0.0.0" ? request.flags | 0x8000 : request.flags,
    ciaddr: reply.ciaddr ?? "0.0.0.0",
    yiaddr: reply.yiaddr ?? "0.0.0.0",
    siaddr: reply.boot?.siaddr ?? "0.0.0.0",
    giaddr: request.giaddr,
    chaddr: request.chaddr,
    sname: "",
    file: reply.boot?.file ?? "",
    options,
  };
}

/** No reply is larger: a bigger one would be sent in fragments, which ROMs do not put together. */
const LARGEST = 1500;

/** The largest message that a client accepts: its option 57, at least 576 (RFC 2132 9.10). */
export function acceptedBytes(request: DhcpMessage): number {
  const value = request.options.get(DHCP_OPTION.maxMessageSize);
  if (value?.length !== 2) return 576;
  return Math.min(LARGEST, Math.max(576, ((value[0] ?? 0) << 8) | (value[1] ?? 0)));
}

/**
 * Where a reply goes (RFC 2131 4.1): the relay, else the client's address, else everybody. A client without
 * an address is always reached by broadcast, as unicast would need an ARP entry that user programs cannot
 * make. The answer to an INFORM goes to the client itself, also past a relay (4.3.5). An address of another
 * network may be forged and is not sent to.
 */
export function replyAddress(
  request: DhcpMessage,
  server: { subnet: Subnet; ports: { server: number; client: number } },
  type: number,
): { address: string; port: number } {
  const { subnet, ports } = server;
  const direct =
    request.ciaddr !== "0.0.0.0" && type !== MESSAGE_TYPE.nak && inSubnet(subnet, request.ciaddr)
      ? { address: request.ciaddr, port: ports.client }
      : undefined;
  if (direct && messageType(request) === MESSAGE_TYPE.inform) return direct;
  if (request.giaddr !== "0.0.0.0") return { address: request.giaddr, port: ports.server };
  return direct ?? { address: "255.255.255.255", port: ports.client };
}
