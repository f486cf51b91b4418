import { inSubnet, type Subnet } from "./address.ts";
import { planBoot, type BootSite } from "./boot-policy.ts";
import { acceptedBytes, bootFields, replyAddress, replyTo } from "./boot-reply.ts";
import { identifyClient } from "./client.ts";
import { bootAlarms, bootTarget, type DhcpAction } from "./dhcp-engine.ts";
import {
  addressOption,
  DHCP_OPTION,
  encodeSuboptions,
  MESSAGE_TYPE,
  messageType,
  parseSuboptions,
} from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";
import { judgeStage, noteStage, type StageBook } from "./stages.ts";

/** What a proxyDHCP server knows before the first packet. */
export interface ProxyConfig {
  readonly subnet: Subnet;
  readonly site: BootSite;
  readonly allow: ReadonlySet<string> | undefined;
  readonly ports: { readonly server: number; readonly client: number };
}

/** What a proxyDHCP server has learned. */
export interface ProxyState {
  readonly stages: StageBook;
}

/** A fresh proxy's state; a step changes it in place. */
export function proxyState(): ProxyState {
  return { stages: new Map() };
}

/** A datagram as it came: which of the two ports took it, and from where. */
export interface ProxyInput {
  readonly message: DhcpMessage;
  readonly port: "dhcp" | "boot";
  readonly from: { readonly address: string; readonly port: number };
}

/**
 * Option 43.71, the boot item that a client picked: whoever asks for one gets it back (PXE 2.1, 2.5.2).
 */
function bootItem(message: DhcpMessage): [number, Uint8Array][] {
  const item = parseSuboptions(message.options.get(DHCP_OPTION.vendorSpecific) ?? new Uint8Array()).get(71);
  if (!item) return [];
  const value = encodeSuboptions(
    [
      [6, Uint8Array.of(8)],
      [71, item],
    ],
    { end: true },
  );
  return [[DHCP_OPTION.vendorSpecific, value]];
}

/**
 * One step of a proxyDHCP server (RFC 4578, PXE 2.1): it names boot files beside a DHCP server that leases
 * addresses. DISCOVER on port 67 is answered with an offer without address; a REQUEST there is meant for the
 * other server and ignored; on port 4011 REQUEST and INFORM are answered to where they came from, for every
 * architecture. Clients that do not boot from the network hear nothing.
 */
export function stepProxy(
  config: ProxyConfig,
  state: ProxyState,
  input: ProxyInput,
  now: number,
): readonly DhcpAction[] {
  const { message, port, from } = input;
  const client = identifyClient(message);
  if (message.op !== 1 || !client.pxe || message.chaddr.length === 0) return [];
  if (config.allow && !config.allow.has(client.mac)) return [];
  const kind = messageType(message);
  const discover = port === "dhcp" && kind === MESSAGE_TYPE.discover;
  const ask = port === "boot" && (kind === MESSAGE_TYPE.request || kind === MESSAGE_TYPE.inform);
  const taken = addressOption(message, DHCP_OPTION.requestedAddress);
  if (port === "dhcp" && kind === MESSAGE_TYPE.request && taken !== undefined) {
    // Meant for the other server; but it tells which card the address belongs to.
    if (!inSubnet(config.subnet, taken)) return [];
    return [{ kind: "report", event: { kind: "request", mac: client.mac, address: taken } }];
  }
  if (!discover && !ask) return [];
  if (message.giaddr !== "0.0.0.0" && !inSubnet(config.subnet, message.giaddr)) return [];
  if (ask && from.address !== "0.0.0.0" && !inSubnet(config.subnet, from.address)) return [];

  const plan = planBoot(client, config.site);
  // Port 4011 is asked within the exchange that the offer began: it is no stage of its own.
  const judge = discover ? noteStage : judgeStage;
  const verdict = judge(state.stages, { client, step: plan, xid: message.xid, now, site: config.site });
  const alarms = bootAlarms(client, plan, verdict.alarm);
  const actions: DhcpAction[] = [];
  if (discover) {
    const { mac, platform, ipxe } = client;
    actions.push({ kind: "report", event: { kind: "discover", mac, platform, ipxe: ipxe !== undefined } });
  }
  if (verdict.step.stage === "none") return [...actions, ...alarms];

  const type = discover ? MESSAGE_TYPE.offer : MESSAGE_TYPE.ack;
  const fields = bootFields(client, verdict.step, { site: config.site, role: "proxy", sole: false });
  const reply = replyTo(message, type, {
    server: config.subnet.address,
    ciaddr: ask ? message.ciaddr : "0.0.0.0",
    boot: fields,
    options: bootItem(message),
  });
  const to = ask && from.address !== "0.0.0.0" ? from : replyAddress(message, config, type);
  actions.push(
    { kind: "send", message: reply, to, maxBytes: acceptedBytes(message) },
    {
      kind: "report",
      event: {
        kind: discover ? "offer" : "ack",
        mac: client.mac,
        address: from.address,
        ...bootTarget(verdict.step),
      },
    },
  );
  return [...actions, ...alarms];
}
