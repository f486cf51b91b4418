import { broadcastOf, inSubnet, type Subnet } from "./address.ts";
import { planBoot, type BootSite, type BootStep } from "./boot-policy.ts";
import {
  acceptedBytes,
  bootFields,
  replyAddress,
  replyTo,
  type BootFields,
  type SendAction,
} from "./boot-reply.ts";
import { identifyClient, type BootClient } from "./client.ts";
import {
  addressBytes,
  addressOption,
  DHCP_OPTION,
  MESSAGE_TYPE,
  messageType,
  textBytes,
  u32Bytes,
} from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";
import type { PxeEventBody } from "./events.ts";
import {
  chooseAddress,
  leaseOf,
  withLease,
  type LeaseClient,
  type LeaseSpace,
  type LeaseTable,
} from "./leases.ts";
import { noteStage, type StageBook } from "./stages.ts";

/** How long an unanswered offer keeps its address. */
const OFFER_MS = 10_000;
/** How long an address that a client found in use stays out of the pool. */
const QUARANTINE_MS = 600_000;

/** What an authoritative server knows before the first packet. */
export interface DhcpConfig {
  readonly subnet: Subnet;
  readonly space: LeaseSpace;
  readonly leaseSeconds: number;
  readonly router: string | undefined;
  readonly dns: readonly string[];
  /** Only these hardware addresses are served, when given. */
  readonly allow: ReadonlySet<string> | undefined;
  readonly site: BootSite;
  /** No proxyDHCP server is expected beside this one: iPXE need not wait for it. */
  readonly sole: boolean;
  readonly ports: { readonly server: number; readonly client: number };
}

/** What an authoritative server has learned. */
export interface DhcpState {
  readonly leases: LeaseTable;
  readonly stages: StageBook;
}

/** A fresh server's state. */
export const EMPTY_DHCP_STATE: DhcpState = { leases: new Map(), stages: new Map() };

/** What the caller must do after a step: send a datagram or pass on a line of the timeline. */
export type DhcpAction = SendAction | { readonly kind: "report"; readonly event: PxeEventBody };

/** The outcome of a step. */
export interface DhcpOutcome<State> {
  readonly state: State;
  readonly actions: readonly DhcpAction[];
}

const NOTHING = "0.0.0.0";
const report = (event: PxeEventBody): DhcpAction => ({ kind: "report", event });

function leaseClient(message: DhcpMessage, client: BootClient): LeaseClient {
  const id = message.options.get(DHCP_OPTION.clientId);
  return { mac: client.mac, boot: client.pxe, clientId: id && Buffer.from(id).toString("hex") };
}

/** Address parameters; those asked for in option 55 come first, in that order (RFC 2132 9.8). */
function parameters(config: DhcpConfig, message: DhcpMessage, leased: boolean): [number, Uint8Array][] {
  const all = new Map<number, Uint8Array>();
  if (leased) {
    all.set(DHCP_OPTION.leaseTime, u32Bytes(config.leaseSeconds));
    all.set(DHCP_OPTION.renewalTime, u32Bytes(Math.floor(config.leaseSeconds / 2)));
    all.set(DHCP_OPTION.rebindingTime, u32Bytes(Math.floor((config.leaseSeconds * 7) / 8)));
  }
  all.set(DHCP_OPTION.subnetMask, addressBytes(config.subnet.netmask));
  all.set(DHCP_OPTION.broadcast, addressBytes(broadcastOf(config.subnet)));
  if (config.router !== undefined) all.set(DHCP_OPTION.router, addressBytes(config.router));
  if (config.dns.length > 0) all.set(DHCP_OPTION.dns, addressBytes(...config.dns));
  const order = [
    DHCP_OPTION.leaseTime,
    ...(message.options.get(DHCP_OPTION.parameterList) ?? []),
    ...all.keys(),
  ];
  return [...new Set(order)].flatMap((code) => {
    const value = all.get(code);
    return value ? [[code, value] satisfies [number, Uint8Array]] : [];
  });
}

interface Context {
  readonly config: DhcpConfig;
  readonly state: DhcpState;
  readonly message: DhcpMessage;
  readonly client: BootClient;
  readonly who: LeaseClient;
  readonly now: number;
}

function send(
  context: Context,
  type: number,
  reply: Omit<Parameters<typeof replyTo>[2], "server">,
): DhcpAction {
  const { config, message } = context;
  return {
    kind: "send",
    message: replyTo(message, type, { ...reply, server: config.subnet.address }),
    to: replyAddress(message, config.ports, type),
    maxBytes: acceptedBytes(message),
  };
}

interface Boot {
  readonly step: BootStep;
  readonly fields: BootFields;
  readonly stages: StageBook;
  readonly alarms: readonly DhcpAction[];
}

function boot(context: Context): Boot {
  const { config, state, client, message, now } = context;
  const plan = planBoot(client, config.site);
  const verdict = noteStage(state.stages, { client, step: plan, xid: message.xid, now, site: config.site });
  const fields = bootFields(client, verdict.step, {
    site: config.site,
    role: "authoritative",
    sole: config.sole,
  });
  return {
    step: verdict.step,
    fields,
    stages: verdict.book,
    alarms: bootAlarms(client, plan, verdict.alarm),
  };
}

/** Warnings that a boot decision gives rise to. */
export function bootAlarms(client: BootClient, step: BootStep, alarm: string | undefined): DhcpAction[] {
  const { mac } = client;
  const out: DhcpAction[] = [];
  if (alarm !== undefined)
    out.push(report({ kind: "warning", code: "loop", message: `${mac}: ${alarm}`, mac }));
  if (step.stage === "none" && client.pxe && step.by !== "policy") {
    const message = `${mac} cannot be booted: ${step.reason}`;
    const hint = step.hint === undefined ? {} : { hint: step.hint };
    out.push(report({ kind: "warning", code: "binary-missing", message, ...hint, mac }));
  }
  return out;
}

/** The file or address that a step names, for the timeline. */
export function bootTarget(step: BootStep): { boot?: string } {
  if (step.stage === "none") return {};
  return { boot: step.stage === "script" ? step.url : step.file };
}

function onDiscover(context: Context): DhcpOutcome<DhcpState> {
  const { config, state, message, client, who, now } = context;
  const seen = report({
    kind: "discover",
    mac: client.mac,
    ipxe: client.ipxe !== undefined,
    ...(client.pxe ? { platform: client.platform } : {}),
  });
  const requested = addressOption(message, DHCP_OPTION.requestedAddress);
  const address = chooseAddress(state.leases, config.space, { client: who, requested, now });
  if (address === undefined) {
    const text = `No address is left for ${client.mac}`;
    const hint = "widen the pool or shorten the lease time";
    const full = report({ kind: "warning", code: "pool-exhausted", message: text, hint, mac: client.mac });
    return { state, actions: [seen, full] };
  }
  const current = state.leases.get(address);
  // A lease that is in force stays so while its owner looks around.
  const keep = current?.state === "bound" && current.mac === client.mac && current.expires > now;
  const leases = keep
    ? state.leases
    : withLease(state.leases, { ...who, address, state: "offered", expires: now + OFFER_MS });
  const { step, fields } = boot(context);
  const reply = { yiaddr: address, boot: fields, options: parameters(config, message, true) };
  const offer = report({ kind: "offer", mac: client.mac, address, ...bootTarget(step) });
  return { state: { ...state, leases }, actions: [seen, send(context, MESSAGE_TYPE.offer, reply), offer] };
}

function refuse(context: Context, address: string, reason: string): DhcpOutcome<DhcpState> {
  const options = [[DHCP_OPTION.message, textBytes(reason)]] as const;
  const nak = report({ kind: "nak", mac: context.client.mac, address, reason });
  return { state: context.state, actions: [send(context, MESSAGE_TYPE.nak, { options }), nak] };
}

function grant(context: Context, address: string): DhcpOutcome<DhcpState> {
  const { config, state, message, client, who, now } = context;
  const expires = now + config.leaseSeconds * 1000;
  const leases = withLease(state.leases, { ...who, address, state: "bound", expires });
  const { step, fields, stages, alarms } = boot(context);
  const ack = send(context, MESSAGE_TYPE.ack, {
    yiaddr: address,
    ciaddr: message.ciaddr,
    boot: fields,
    options: parameters(config, message, true),
  });
  const event = report({ kind: "ack", mac: client.mac, address, ...bootTarget(step) });
  return { state: { leases, stages }, actions: [ack, event, ...alarms] };
}

/** The four kinds of REQUEST of RFC 2131 4.3.2, told apart by options 54 and 50 and by ciaddr. */
function onRequest(context: Context): DhcpOutcome<DhcpState> {
  const { config, state, message, who, now } = context;
  const server = addressOption(message, DHCP_OPTION.serverId);
  const requested = addressOption(message, DHCP_OPTION.requestedAddress);
  const using = message.ciaddr === NOTHING ? undefined : message.ciaddr;
  const own = leaseOf(state.leases, who);

  if (server !== undefined && server !== config.subnet.address) {
    // Another server was chosen: our offer is void.
    if (own?.state !== "offered") return { state, actions: [] };
    const leases = new Map(state.leases);
    leases.delete(own.address);
    return { state: { ...state, leases }, actions: [] };
  }
  const wanted = requested ?? using;
  if (wanted === undefined) return { state, actions: [] };
  if (!inSubnet(config.subnet, wanted)) return refuse(context, wanted, "wrong network");

  const fixed = config.space.fixed.get(who.mac);
  if (fixed === undefined ? own?.address === wanted : fixed === wanted) return grant(context, wanted);
  if (fixed !== undefined || own !== undefined) return refuse(context, wanted, "another address is yours");
  // Unknown, perhaps because we restarted. INIT-REBOOT must be met with silence; a client that took our
  // offer or is using the address keeps it when nobody else has it.
  if (server === undefined && using === undefined) return { state, actions: [] };
  const request = { client: who, requested: wanted, now };
  return chooseAddress(state.leases, config.space, request) === wanted
    ? grant(context, wanted)
    : refuse(context, wanted, "the address is not free");
}

function onDecline(context: Context): DhcpOutcome<DhcpState> {
  const { config, state, message, client, who, now } = context;
  const address = addressOption(message, DHCP_OPTION.requestedAddress);
  const own = leaseOf(state.leases, who);
  if (address === undefined || own?.address !== address) return { state, actions: [] };
  if (addressOption(message, DHCP_OPTION.serverId) !== config.subnet.address) return { state, actions: [] };
  const leases = new Map(state.leases);
  leases.set(address, { ...own, state: "declined", expires: now + QUARANTINE_MS });
  return { state: { ...state, leases }, actions: [report({ kind: "decline", mac: client.mac, address })] };
}

function onRelease(context: Context): DhcpOutcome<DhcpState> {
  const { state, message, client, who, now } = context;
  const own = leaseOf(state.leases, who);
  if (own?.address !== message.ciaddr) return { state, actions: [] };
  const leases = new Map(state.leases);
  // Remembered, so that the client gets it again if it is still free by then.
  leases.set(own.address, { ...own, state: "released", expires: now });
  const event = report({ kind: "release", mac: client.mac, address: own.address });
  return { state: { ...state, leases }, actions: [event] };
}

function onInform(context: Context): DhcpOutcome<DhcpState> {
  const { config, state, message } = context;
  // Never to a foreign address: the datagram's sender may be forged.
  if (!inSubnet(config.subnet, message.ciaddr)) return { state, actions: [] };
  const { fields } = boot(context);
  const reply = { ciaddr: message.ciaddr, boot: fields, options: parameters(config, message, false) };
  return { state, actions: [send(context, MESSAGE_TYPE.ack, reply)] };
}

/**
 * One step of an authoritative DHCP server (RFC 2131 section 4.3): pure, `now` in milliseconds on any clock
 * that does not go back. Messages that are none of its business change nothing and cause nothing.
 */
export function stepDhcp(
  config: DhcpConfig,
  state: DhcpState,
  message: DhcpMessage,
  now: number,
): DhcpOutcome<DhcpState> {
  const idle: DhcpOutcome<DhcpState> = { state, actions: [] };
  if (message.op !== 1 || message.chaddr.length === 0) return idle;
  const client = identifyClient(message);
  if (config.allow && !config.allow.has(client.mac)) return idle;
  if (message.giaddr !== NOTHING && !inSubnet(config.subnet, message.giaddr)) {
    const text = `A relay at ${message.giaddr} asks for a network that is not served here`;
    return { state, actions: [report({ kind: "warning", code: "relay-unknown", message: text })] };
  }
  const context: Context = { config, state, message, client, who: leaseClient(message, client), now };
  switch (messageType(message)) {
    case MESSAGE_TYPE.discover:
      return onDiscover(context);
    case MESSAGE_TYPE.request:
      return onRequest(context);
    case MESSAGE_TYPE.decline:
      return onDecline(context);
    case MESSAGE_TYPE.release:
      return onRelease(context);
    case MESSAGE_TYPE.inform:
      return onInform(context);
    default:
      return idle;
  }
}
