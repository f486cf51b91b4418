import { formatIpv4, parseIpv4, type Pool } from "./address.ts";

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

/** Leases by address. Memory only: a restarted server learns them again from renewals and option 50. */
export type LeaseTable = ReadonlyMap<string, Lease>;

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

/**
 * The lease that a client holds or held. RFC 2131 4.2 wants option 61 as identity; but the ROM, iPXE and the
 * operating system use different ids on one card, so the card counts as soon as a boot program is involved.
 */
export function leaseOf(table: LeaseTable, client: LeaseClient): Lease | undefined {
  let found: Lease | undefined;
  for (const lease of table.values()) {
    if (lease.state === "declined") continue;
    if (!client.boot && client.clientId !== undefined && lease.clientId === client.clientId) return lease;
    const sameCard = lease.mac === client.mac;
    const cardCounts = client.boot || lease.boot || client.clientId === undefined || !lease.clientId;
    if (sameCard && cardCounts) found ??= lease;
  }
  return found;
}

/** True when nobody else may be using the address. */
function isFree(table: LeaseTable, space: LeaseSpace, address: string, now: number): boolean {
  if (space.taken.has(address)) return false;
  for (const fixed of space.fixed.values()) if (fixed === address) return false;
  const lease = table.get(address);
  return lease === undefined || lease.expires <= now || lease.state === "released";
}

function inPool(space: LeaseSpace, address: string): boolean {
  if (!space.pool) return false;
  const value = parseIpv4(address);
  return value >= parseIpv4(space.pool.first) && value <= parseIpv4(space.pool.last);
}

/**
 * Choose an address in the order of RFC 2131 4.3.1: fixed, current, previous, requested, new. Among new
 * ones those never leased come first, then the longest expired.
 */
export function chooseAddress(
  table: LeaseTable,
  space: LeaseSpace,
  request: { client: LeaseClient; requested?: string | undefined; now: number },
): string | undefined {
  const { client, requested, now } = request;
  const fixed = space.fixed.get(client.mac);
  if (fixed !== undefined) return fixed;
  const own = leaseOf(table, client);
  if (own && inPool(space, own.address) && !space.taken.has(own.address)) return own.address;
  if (requested !== undefined && inPool(space, requested) && isFree(table, space, requested, now)) {
    return requested;
  }
  if (!space.pool) return undefined;
  let oldest: Lease | undefined;
  const last = parseIpv4(space.pool.last);
  for (let value = parseIpv4(space.pool.first); value <= last; value++) {
    const address = formatIpv4(value);
    if (!isFree(table, space, address, now)) continue;
    const before = table.get(address);
    if (!before) return address;
    if (!oldest || before.expires < oldest.expires) oldest = before;
  }
  return oldest?.address;
}

/** A table with one lease written, and any other lease of the same client on another address released. */
export function withLease(table: LeaseTable, lease: Lease): LeaseTable {
  const next = new Map(table);
  const before = leaseOf(table, lease);
  if (before && before.address !== lease.address && before.state === "offered") next.delete(before.address);
  next.set(lease.address, lease);
  return next;
}
