import { encodeArp, parseArp } from "./arp.ts";
import {
  BROADCAST_MAC,
  encodeEthernet,
  ETHER_TYPE,
  isGroupMac,
  MTU,
  parseEthernet,
  sameBytes,
} from "./ethernet.ts";
import { echoReply } from "./icmp-echo.ts";
import { encodeIpv4Packet, IP_PROTOCOL, IPV4_HEADER, parseIpv4Packet, type Ipv4Packet } from "./ipv4.ts";
import { answerNeighbour } from "./neighbour-discovery.ts";

/** Who the station is on its link. */
export interface StationConfig {
  readonly mac: Uint8Array;
  readonly address: Uint8Array;
  readonly netmask: Uint8Array;
}

/** Addresses as keys: dotted decimal. */
type Key = string;

/** What the station knows of others. */
export interface StationState {
  /** Cards by address, the longest unheard first. */
  readonly neighbours: ReadonlyMap<Key, Uint8Array>;
  /** Packets for which a card is being looked for. */
  readonly waiting: ReadonlyMap<Key, Waiting>;
  readonly deadline: number;
}

interface Waiting {
  readonly packets: readonly Ipv4Packet[];
  readonly asked: number;
  readonly askAgain: number;
}

/** What happens to a station. */
export type StationEvent =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "packet"; readonly packet: Ipv4Packet }
  | { readonly kind: "timer" };

/** What the caller must do: send a frame, take a packet that is for us (or for all), or know that one was lost. */
export type StationAction =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "packet"; readonly packet: Ipv4Packet }
  | { readonly kind: "refused"; readonly code: "EMSGSIZE" | "ENETUNREACH" };

export interface StationOutcome {
  readonly state: StationState;
  readonly actions: readonly StationAction[];
}

export const EMPTY_STATION: StationState = {
  neighbours: new Map(),
  waiting: new Map(),
  deadline: Number.POSITIVE_INFINITY,
};

const MOST_NEIGHBOURS = 1024;
/** Addresses that are looked for at a time, packets that wait for each, and how often each is asked for. */
const MOST_WAITING = 64;
const MOST_PACKETS = 8;
const ASK_TIMES = 3;
const ASK_EVERY_MS = 1000;
const LIMITED_BROADCAST = Uint8Array.of(255, 255, 255, 255);
const NO_MAC = new Uint8Array(6);

const keyOf = (address: Uint8Array): Key => address.join(".");

function inNetwork({ address, netmask }: StationConfig, other: Uint8Array): boolean {
  return other.every((byte, index) => ((byte ^ (address[index] ?? 0)) & (netmask[index] ?? 0)) === 0);
}

/** 255.255.255.255, and the network's own broadcast address. */
export function isBroadcast(config: StationConfig, to: Uint8Array): boolean {
  if (sameBytes(to, LIMITED_BROADCAST)) return true;
  return inNetwork(config, to) && to.every((byte, index) => (byte | (config.netmask[index] ?? 0)) === 255);
}

function wrap(config: StationConfig, mac: Uint8Array, type: number, payload: Uint8Array): StationAction {
  return { kind: "frame", bytes: encodeEthernet({ to: mac, from: config.mac, type, payload }) };
}

function ask(config: StationConfig, target: Uint8Array): StationAction {
  const payload = encodeArp({
    operation: "request",
    senderMac: config.mac,
    sender: config.address,
    targetMac: NO_MAC,
    target,
  });
  return wrap(config, BROADCAST_MAC, ETHER_TYPE.arp, payload);
}

function earliest(waiting: ReadonlyMap<Key, Waiting>): number {
  let deadline = Number.POSITIVE_INFINITY;
  for (const { askAgain } of waiting.values()) deadline = Math.min(deadline, askAgain);
  return deadline;
}

function learn(state: StationState, key: Key, mac: Uint8Array): StationState {
  const known = state.neighbours.get(key);
  if (known && sameBytes(known, mac)) return state;
  const neighbours = new Map(state.neighbours);
  neighbours.delete(key);
  neighbours.set(key, mac);
  for (const oldest of neighbours.keys()) {
    if (neighbours.size <= MOST_NEIGHBOURS) break;
    neighbours.delete(oldest);
  }
  return { ...state, neighbours };
}

/** RFC 826: learn from whoever asks for us, and from everyone who is known already; answer what is for us. */
function onArp(config: StationConfig, state: StationState, payload: Uint8Array): StationOutcome {
  const message = parseArp(payload);
  if (!message || isGroupMac(message.senderMac)) return { state, actions: [] };
  const key = keyOf(message.sender);
  const forUs = sameBytes(message.target, config.address);
  // Who probes for an address (RFC 5227) has none yet; and nobody else is us.
  const learnable = inNetwork(config, message.sender) && !sameBytes(message.sender, config.address);
  let next = state;
  const actions: StationAction[] = [];
  if (learnable && (forUs || state.neighbours.has(key) || state.waiting.has(key))) {
    next = learn(state, key, message.senderMac);
    const found = state.waiting.get(key);
    if (found) {
      for (const packet of found.packets)
        actions.push(wrap(config, message.senderMac, ETHER_TYPE.ipv4, encodeIpv4Packet(packet)));
      const waiting = new Map(state.waiting);
      waiting.delete(key);
      next = { ...next, waiting, deadline: earliest(waiting) };
    }
  }
  if (forUs && message.operation === "request") {
    const reply = encodeArp({
      operation: "reply",
      senderMac: config.mac,
      sender: config.address,
      targetMac: message.senderMac,
      target: message.sender,
    });
    actions.push(wrap(config, message.senderMac, ETHER_TYPE.arp, reply));
  }
  return { state: next, actions };
}

function sendPacket(
  config: StationConfig,
  state: StationState,
  packet: Ipv4Packet,
  now: number,
): StationOutcome {
  const { to } = packet;
  if (packet.payload.length + IPV4_HEADER > MTU)
    return { state, actions: [{ kind: "refused", code: "EMSGSIZE" }] };
  if (isBroadcast(config, to)) {
    return { state, actions: [wrap(config, BROADCAST_MAC, ETHER_TYPE.ipv4, encodeIpv4Packet(packet))] };
  }
  if (!inNetwork(config, to)) return { state, actions: [{ kind: "refused", code: "ENETUNREACH" }] };
  const key = keyOf(to);
  const mac = state.neighbours.get(key);
  if (mac) return { state, actions: [wrap(config, mac, ETHER_TYPE.ipv4, encodeIpv4Packet(packet))] };
  const waiting = new Map(state.waiting);
  const known = waiting.get(key);
  // Of more packets the oldest is the one that will not be missed.
  const packets = [...(known?.packets ?? []), packet].slice(-MOST_PACKETS);
  if (!known && waiting.size >= MOST_WAITING) waiting.delete(waiting.keys().next().value ?? "");
  waiting.set(key, known ? { ...known, packets } : { packets, asked: 1, askAgain: now + ASK_EVERY_MS });
  return {
    state: { ...state, waiting, deadline: earliest(waiting) },
    actions: known ? [] : [ask(config, to)],
  };
}

function onTimer(config: StationConfig, state: StationState, now: number): StationOutcome {
  const actions: StationAction[] = [];
  const waiting = new Map(state.waiting);
  for (const [key, entry] of state.waiting) {
    if (entry.askAgain > now) continue;
    if (entry.asked >= ASK_TIMES) {
      waiting.delete(key);
      continue;
    }
    actions.push(ask(config, Uint8Array.from(key.split("."), Number)));
    waiting.set(key, { ...entry, asked: entry.asked + 1, askAgain: now + ASK_EVERY_MS });
  }
  return { state: { ...state, waiting, deadline: earliest(waiting) }, actions };
}

function onIpv4(
  config: StationConfig,
  state: StationState,
  payload: Uint8Array,
  now: number,
): StationOutcome {
  const nothing: StationOutcome = { state, actions: [] };
  const packet = parseIpv4Packet(payload);
  if (!packet) return nothing;
  const own = sameBytes(packet.to, config.address);
  if (!own && !isBroadcast(config, packet.to)) return nothing;
  // Nobody speaks for all, nor for us.
  if (isBroadcast(config, packet.from) || sameBytes(packet.from, config.address)) return nothing;
  if (packet.protocol !== IP_PROTOCOL.icmp) return { state, actions: [{ kind: "packet", packet }] };
  const reply = own ? echoReply(packet) : undefined;
  return reply ? sendPacket(config, state, reply, now) : nothing;
}

/**
 * One step of a station on an Ethernet: ARP, IPv4, ping, and as much of IPv6 as spares clients their wait.
 * Pure; `now` in milliseconds. What strangers send is answered, handed on or dropped, never an error.
 */
export function stepStation(
  config: StationConfig,
  state: StationState,
  event: StationEvent,
  now: number,
): StationOutcome {
  if (event.kind === "packet") return sendPacket(config, state, event.packet, now);
  if (event.kind === "timer") return onTimer(config, state, now);
  const frame = parseEthernet(event.bytes);
  if (!frame || (!isGroupMac(frame.to) && !sameBytes(frame.to, config.mac))) return { state, actions: [] };
  switch (frame.type) {
    case ETHER_TYPE.arp:
      return onArp(config, state, frame.payload);
    case ETHER_TYPE.ipv4:
      return onIpv4(config, state, frame.payload, now);
    case ETHER_TYPE.ipv6: {
      const answer = answerNeighbour(frame.payload, frame.from, config.mac);
      if (!answer) return { state, actions: [] };
      return { state, actions: [wrap(config, answer.toMac, ETHER_TYPE.ipv6, answer.packet)] };
    }
    default:
      return { state, actions: [] };
  }
}
