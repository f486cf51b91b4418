import { formatIpv4, parseIpv4, type Pool } from "./address.ts";
import { expiryHeap } from "./internal/expiry-heap.ts";

/** One address that somebody has, had, or must not get. */
export interface Lease {
  readonly address: string;
  readonly mac: string;
  /** Option 61 in hex, when the client sent one. */
  readonly clientId?: string | undefined;
  readonly state: "offered" | "bound" | "released" | "declined";
  /** Milliseconds on the caller's clock after which the address may go to another client. */
  readonly expires: number;
  /** Asked for by a boot program: the next stages on this card get the same address. */
  readonly boot: boolean;
}

/** Who asks for an address. */
export interface LeaseClient {
  readonly mac: string;
  readonly clientId?: string | undefined;
  readonly boot: boolean;
}

/** What may be leased. */
export interface LeaseSpace {
  readonly pool: Pool | undefined;
  /** Fixed addresses by hardware address. */
  readonly fixed: ReadonlyMap<string, string>;
  /** Addresses that never go out, such as the server's own. */
  readonly taken: ReadonlySet<string>;
}

/** Who wants an address, and which. */
export interface AddressRequest {
  readonly client: LeaseClient;
  readonly requested?: string | undefined;
  readonly now: number;
}

/**
 * All leases of a network, found by address, card, client id and expiry without looking at the others. An
 * address that was leased once stays in the table, so that its last holder gets it again if it can.
 */
export interface Leases {
  /** How many addresses have or had a holder. */
  readonly size: number;
  get(address: string): Lease | undefined;
  values(): IterableIterator<Lease>;
  /**
   * The lease that a client holds or held. RFC 2131 4.2 wants option 61 as identity; but the ROM, iPXE and
   * the operating system use different ids on one card, so the card counts as soon as a boot program is
   * involved.
   */
  of(client: LeaseClient): Lease | undefined;
  /** True when nobody else has the address, has it reserved or must keep it. */
  isFree(address: string, request: AddressRequest): boolean;
  /**
   * Choose an address in the order of RFC 2131 4.3.1: fixed, current, previous, requested, new. Among new
   * ones those never leased come first, then those that were only offered, then the longest unused.
   */
  choose(request: AddressRequest): string | undefined;
  /** Write a lease down in place of what was known of its address. */
  write(lease: Lease): void;
}

interface Entry {
  lease: Lease;
  expires: number;
  place: number;
}

/** Entries by a text that several may share. */
function index(): {
  add(key: string, entry: Entry): void;
  remove(key: string, entry: Entry): void;
  get(key: string): readonly Entry[];
} {
  const all = new Map<string, Entry[]>();
  return {
    add(key, entry) {
      const list = all.get(key);
      if (list) list.push(entry);
      else all.set(key, [entry]);
    },
    remove(key, entry) {
      const rest = (all.get(key) ?? []).filter((other) => other !== entry);
      if (rest.length > 0) all.set(key, rest);
      else all.delete(key);
    },
    get: (key) => all.get(key) ?? [],
  };
}

const RANK = { bound: 3, offered: 2, released: 1, declined: 0 } as const;

/** The lease that says most about where a client is now. */
function foremost(entries: readonly Entry[], counts: (lease: Lease) => boolean): Lease | undefined {
  let best: Lease | undefined;
  for (const { lease } of entries) {
    if (lease.state === "declined" || !counts(lease)) continue;
    const order = best ? RANK[lease.state] - RANK[best.state] || lease.expires - best.expires : 1;
    if (order > 0) best = lease;
  }
  return best;
}

/** A table of the leases of `space`; of those that were kept from before, what lies outside it is left out. */
export function createLeases(space: LeaseSpace, kept: Iterable<Lease> = []): Leases {
  const entries = new Map<string, Entry>();
  const byCard = index();
  const byId = index();
  /** What may go to somebody else one day: offers that came to nothing first, since nobody used them. */
  const offers = expiryHeap<Entry>();
  const bindings = expiryHeap<Entry>();
  const first = space.pool ? parseIpv4(space.pool.first) : 1;
  const last = space.pool ? parseIpv4(space.pool.last) : 0;
  const reserved = new Set(space.fixed.values());
  let fresh = first;

  const inPool = (address: string): boolean => {
    if (space.taken.has(address)) return false;
    const value = parseIpv4(address);
    return value >= first && value <= last;
  };

  const leases: Leases = {
    get size() {
      return entries.size;
    },
    get: (address) => entries.get(address)?.lease,
    *values() {
      for (const { lease } of entries.values()) yield lease;
    },
    of(client) {
      const { mac, clientId, boot } = client;
      const named = !boot && clientId !== undefined ? foremost(byId.get(clientId), () => true) : undefined;
      return (
        named ??
        foremost(
          byCard.get(mac),
          (lease) => boot || lease.boot || clientId === undefined || lease.clientId === undefined,
        )
      );
    },
    isFree(address, { client, now }) {
      if (space.taken.has(address)) return false;
      if (reserved.has(address) && space.fixed.get(client.mac) !== address) return false;
      const lease = entries.get(address)?.lease;
      if (!lease || lease.expires <= now || lease.state === "released") return true;
      return lease.state !== "declined" && leases.of(client)?.address === address;
    },
    choose(request) {
      const { client, requested, now } = request;
      const fixed = space.fixed.get(client.mac);
      // Somebody may still have it from the time before it was reserved: then it is not free yet.
      if (fixed !== undefined && leases.isFree(fixed, request)) return fixed;
      const own = leases.of(client);
      if (own && inPool(own.address) && !reserved.has(own.address)) return own.address;
      if (requested !== undefined && inPool(requested) && leases.isFree(requested, request)) return requested;
      for (; fresh <= last; fresh++) {
        const address = formatIpv4(fresh);
        if (!entries.has(address) && !space.taken.has(address) && !reserved.has(address)) return address;
      }
      for (const entry of [offers.first(), bindings.first()]) {
        if (entry && entry.expires <= now) return entry.lease.address;
      }
      return undefined;
    },
    write(lease) {
      const { address } = lease;
      let entry = entries.get(address);
      if (entry) {
        byCard.remove(entry.lease.mac, entry);
        if (entry.lease.clientId !== undefined) byId.remove(entry.lease.clientId, entry);
        offers.remove(entry);
        bindings.remove(entry);
        entry.lease = lease;
        entry.expires = lease.expires;
      } else {
        entry = { lease, expires: lease.expires, place: -1 };
        entries.set(address, entry);
      }
      byCard.add(lease.mac, entry);
      if (lease.clientId !== undefined) byId.add(lease.clientId, entry);
      if (reserved.has(address) || !inPool(address)) return;
      if (lease.state === "offered") offers.add(entry);
      else bindings.add(entry);
    },
  };
  for (const lease of kept) if (inPool(lease.address) || reserved.has(lease.address)) leases.write(lease);
  return leases;
}
