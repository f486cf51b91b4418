import { inSubnet } from "./address.ts";
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
import { addressOption, DHCP_OPTION, MESSAGE_TYPE, messageType, textBytes } from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";
import { networkParameters, type NetworkParameters } from "./dhcp-parameters.ts";
import type { PxeEventBody } from "./events.ts";
import { complain, type Complaints } from "./internal/once.ts";
import { noteOffer, type Untaken } from "./internal/untaken.ts";
import { createLeases, type Lease, type LeaseClient, type Leases, type LeaseSpace } from "./leases.ts";
import { judgeStage, noteStage, type StageBook } from "./stages.ts";

/** How long an unanswered offer keeps its address. */
const OFFER_MS = 10_000;
/** How long an address that a client found in use stays out of the pool. */
const QUARANTINE_MS = 600_000;

/** What an authoritative server knows before the first packet. */
export interface DhcpConfig extends NetworkParameters {
  readonly space: LeaseSpace;
  /** Only these hardware addresses are served, when given. */
  readonly allow: ReadonlySet<string> | undefined;
  readonly site: BootSite;
  /** No proxyDHCP server is expected beside this one: iPXE need not wait for it. */
  readonly sole: boolean;
  readonly ports: { readonly server: number; readonly client: number };
}

/**
 * What an authoritative server has learned. A step changes it in place, since thousands of leases cannot be
 * copied thousands of times a second; nobody else writes to it.
 */
export interface DhcpState {
  readonly leases: Leases;
  readonly stages: StageBook;
  readonly complaints: Complaints;
  readonly untaken: Untaken;
}

/** A fresh server's state, with the leases that were kept from an earlier run. */
export function dhcpState(config: DhcpConfig, kept: Iterable<Lease> = []): DhcpState {
  const leases = createLeases(config.space, kept);
  return { leases, stages: new Map(), complaints: new Map(), untaken: new Map() };
}

/**
 * What the caller must do after a step, in this order: send a datagram, pass on a line of the timeline, or
 * write a lease to stable storage (who has storage) before what comes after it may go out.
 */
export type DhcpAction =
  | SendAction
  | { readonly kind: "report"; readonly event: PxeEventBody }
  | { readonly kind: "record"; readonly lease: Lease };

const NOTHING = "0.0.0.0";
const report = (event: PxeEventBody): DhcpAction => ({ kind: "report", event });

function leaseClient(message: DhcpMessage, client: BootClient): LeaseClient {
  const id = message.options.get(DHCP_OPTION.clientId);
  return { mac: client.mac, boot: client.pxe, clientId: id && Buffer.from(id).toString("hex") };
}

interface Context {
  readonly config: DhcpConfig;
  readonly state: DhcpState;
  readonly message: DhcpMessage;
  readonly client: BootClient;
  readonly who: LeaseClient;
  readonly now: number;
}

/** Write a lease down, for this run and for those after it. */
function record(context: Context, lease: Lease): DhcpAction {
  context.state.leases.write(lease);
  return { kind: "record", lease };
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
    to: replyAddress(message, config, type),
    maxBytes: acceptedBytes(message),
  };
}

interface Boot {
  readonly step: BootStep;
  readonly fields: BootFields;
  readonly alarms: readonly DhcpAction[];
}

/** Only a confirmed lease takes a machine a step further; an offer may be one of several. */
function boot(context: Context, judge: typeof noteStage): Boot {
  const { config, state, client, message, now } = context;
  const plan = planBoot(client, config.site);
  const verdict = judge(state.stages, { client, step: plan, xid: message.xid, now, site: config.site });
  const fields = bootFields(client, verdict.step, {
    site: config.site,
    role: "authoritative",
    sole: config.sole,
  });
  return { step: verdict.step, fields, alarms: bootAlarms(client, plan, verdict.alarm) };
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

function onDiscover(context: Context): DhcpAction[] {
  const { config, state, message, client, who, now } = context;
  const seen = report({
    kind: "discover",
    mac: client.mac,
    ipxe: client.ipxe !== undefined,
    ...(client.pxe ? { platform: client.platform } : {}),
  });
  const requested = addressOption(message, DHCP_OPTION.requestedAddress);
  const address = state.leases.choose({ client: who, requested, now });
  if (address === undefined) {
    if (!complain(state.complaints, "pool", now)) return [seen];
    const text = `No address is left for ${client.mac}`;
    const hint = "widen the pool, or have leases last less long (--pool; leaseSeconds in a program)";
    return [seen, report({ kind: "warning", code: "pool-exhausted", message: text, hint, mac: client.mac })];
  }
  const own = state.leases.of(who);
  // A lease that is in force stays so while its owner looks around.
  const inForce = own?.address === address && own.state === "bound" && own.expires > now;
  if (!inForce) {
    // Nobody relies on an offer: it need not outlive this run.
    if (own?.state === "offered" && own.address !== address) state.leases.write({ ...own, expires: now });
    state.leases.write({ ...who, address, state: "offered", expires: now + OFFER_MS });
  }
  const { step, fields } = boot(context, judgeStage);
  const reply = { yiaddr: address, boot: fields, options: networkParameters(config, message, true) };
  const offer = report({ kind: "offer", mac: client.mac, address, ...bootTarget(step) });
  return [seen, send(context, MESSAGE_TYPE.offer, reply), offer, ...untaken(context)];
}

/** Broadcasts of all interfaces arrive here, while answers leave by one: who asks elsewhere takes no offer. */
function untaken({ state, client: { mac }, now }: Context): DhcpAction[] {
  if (!noteOffer(state.untaken, mac) || !complain(state.complaints, "untaken", now)) return [];
  const message = `${mac} asks again and again, and takes no offer`;
  const hint =
    "it may be on another interface of this machine, which is not answered, or a firewall or a switch keeps the answers from it";
  return [report({ kind: "warning", code: "offer-untaken", message, hint, mac })];
}

function refuse(context: Context, address: string, reason: string): DhcpAction[] {
  const options = [[DHCP_OPTION.message, textBytes(reason)]] as const;
  const nak = report({ kind: "nak", mac: context.client.mac, address, reason });
  return [send(context, MESSAGE_TYPE.nak, { options }), nak];
}

function grant(context: Context, address: string): DhcpAction[] {
  const { config, message, client, who, now } = context;
  const expires = now + config.leaseSeconds * 1000;
  const kept = record(context, { ...who, address, state: "bound", expires });
  const { step, fields, alarms } = boot(context, noteStage);
  const ack = send(context, MESSAGE_TYPE.ack, {
    yiaddr: address,
    ciaddr: message.ciaddr,
    boot: fields,
    options: networkParameters(config, message, true),
  });
  const event = report({ kind: "ack", mac: client.mac, address, ...bootTarget(step) });
  return [kept, ack, event, ...alarms];
}

/** The four kinds of REQUEST of RFC 2131 4.3.2, told apart by options 54 and 50 and by ciaddr. */
function onRequest(context: Context): DhcpAction[] {
  const { config, state, message, who, now } = context;
  const { leases } = state;
  const server = addressOption(message, DHCP_OPTION.serverId);
  const requested = addressOption(message, DHCP_OPTION.requestedAddress);
  const using = message.ciaddr === NOTHING ? undefined : message.ciaddr;
  const own = leases.of(who);

  state.untaken.delete(who.mac);
  if (server !== undefined && server !== config.subnet.address) {
    // Another server was chosen: our offer is void.
    if (own?.state === "offered") leases.write({ ...own, expires: now });
    return [];
  }
  const wanted = requested ?? using;
  if (wanted === undefined) return [];
  if (!inSubnet(config.subnet, wanted)) return refuse(context, wanted, "wrong network");

  const request = { client: who, requested: wanted, now };
  const right = leases.choose(request);
  // Unknown, perhaps because we restarted. INIT-REBOOT must be met with silence; a client that took our
  // offer or is using the address keeps it when nobody else has it.
  const known = own !== undefined || config.space.fixed.has(who.mac);
  if (!known && server === undefined && using === undefined) return [];
  if (right === wanted) return grant(context, wanted);
  return refuse(context, wanted, known ? "another address is yours" : "the address is not free");
}

function onDecline(context: Context): DhcpAction[] {
  const { config, state, message, client, who, now } = context;
  const address = addressOption(message, DHCP_OPTION.requestedAddress);
  const own = state.leases.of(who);
  if (address === undefined || own?.address !== address) return [];
  if (addressOption(message, DHCP_OPTION.serverId) !== config.subnet.address) return [];
  const kept = record(context, { ...own, state: "declined", expires: now + QUARANTINE_MS });
  return [kept, report({ kind: "decline", mac: client.mac, address })];
}

function onRelease(context: Context): DhcpAction[] {
  const { config, state, message, client, who, now } = context;
  const own = state.leases.of(who);
  if (own?.state !== "bound" || own.address !== message.ciaddr) return [];
  const server = addressOption(message, DHCP_OPTION.serverId);
  if (server !== undefined && server !== config.subnet.address) return [];
  // Remembered, so that the client gets it again if it is still free by then.
  const kept = record(context, { ...own, state: "released", expires: now });
  return [kept, report({ kind: "release", mac: client.mac, address: own.address })];
}

function onInform(context: Context): DhcpAction[] {
  const { config, message } = context;
  // Never to a foreign address: the datagram's sender may be forged.
  if (!inSubnet(config.subnet, message.ciaddr)) return [];
  const { fields } = boot(context, judgeStage);
  const reply = { ciaddr: message.ciaddr, boot: fields, options: networkParameters(config, message, false) };
  return [send(context, MESSAGE_TYPE.ack, reply)];
}

/**
 * One step of an authoritative DHCP server (RFC 2131 section 4.3): `now` in milliseconds on any clock that
 * does not go back. What is done follows from the arguments alone, and nothing but `state` is changed.
 * Messages that are none of its business change nothing and cause nothing.
 */
export function stepDhcp(
  config: DhcpConfig,
  state: DhcpState,
  message: DhcpMessage,
  now: number,
): readonly DhcpAction[] {
  if (message.op !== 1 || message.chaddr.length === 0) return [];
  const client = identifyClient(message);
  if (config.allow && !config.allow.has(client.mac)) return [];
  if (message.giaddr !== NOTHING && !inSubnet(config.subnet, message.giaddr)) {
    if (!complain(state.complaints, message.giaddr, now)) return [];
    const text = `A relay at ${message.giaddr} asks for a network that is not served here`;
    return [report({ kind: "warning", code: "relay-unknown", message: text })];
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
      return [];
  }
}
