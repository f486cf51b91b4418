import type { PxeEvent, PxeEventBody } from "../events.ts";

/** A DHCP exchange is over in milliseconds; a longer pause before the script is iPXE waiting for IPv6. */
const PATIENCE_MS = 3500;

/**
 * Stamp events with the time and, where an address was leased or asked for boot files, with the card behind
 * it; and name the wait for IPv6, which nobody would guess.
 */
export function timeline(options: {
  ra: boolean;
  sink: (event: PxeEvent) => void;
}): (event: PxeEventBody) => void {
  const cards = new Map<string, { mac: string; at: number; scripted: boolean }>();
  let told = options.ra;
  return (body) => {
    const at = Date.now();
    if (body.kind === "ack" || body.kind === "request")
      cards.set(body.address, { mac: body.mac, at, scripted: false });
    const card = "client" in body ? cards.get(body.client) : undefined;
    options.sink({ ...body, ...(card ? { mac: card.mac } : {}), at });
    if (body.kind !== "script" || !card || card.scripted) return;
    card.scripted = true;
    const waited = at - card.at;
    if (told || waited < PATIENCE_MS) return;
    told = true;
    options.sink({
      kind: "warning",
      code: "ipv6-wait",
      message: `iPXE spent ${(waited / 1000).toFixed(1)} s between its address and the script, most likely waiting for IPv6`,
      hint: "announce an IPv6 router (--ra), or use an iPXE of 2020-10 or later",
      mac: card.mac,
      at,
    });
  };
}
