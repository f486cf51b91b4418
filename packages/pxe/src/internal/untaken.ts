import { remember } from "./remember.ts";

/** Offers in a row after which a client that takes none is told of. A client that hears us needs one, on a bad line two. */
const TELLING = 3;
/** Clients remembered; strangers choose who they are. */
const REMEMBERED = 256;

/** Offers that a client was made and has not taken, by its hardware address. */
export type Untaken = Map<string, number>;

/** Note one more offer; true when the client has now left so many that somebody should know. */
export function noteOffer(untaken: Untaken, mac: string): boolean {
  const offers = (untaken.get(mac) ?? 0) + 1;
  remember(untaken, mac, offers, REMEMBERED);
  return offers >= TELLING;
}
