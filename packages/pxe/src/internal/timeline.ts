import type { PxeEvent, PxeEventBody } from "../events.ts";
import type { MachineBook } from "../watch/machine-book.ts";
import { waitsOf } from "../watch/waits.ts";

/**
 * Stamp events with the time and, where an address was leased or asked for boot files, with the card behind
 * it; and name the wait for IPv6, which nobody would guess.
 */
export function timeline(options: {
  ra: boolean;
  book: MachineBook;
  sink: (event: PxeEvent) => void;
}): (event: PxeEventBody) => void {
  const { book, sink } = options;
  let told = options.ra;
  return (body) => {
    const at = Date.now();
    const client = "client" in body ? body.client : undefined;
    const mac =
      ("mac" in body ? body.mac : undefined) ?? (client === undefined ? undefined : book.macOf(client));
    sink({ ...body, ...(mac === undefined ? {} : { mac }), at });
    if (body.kind !== "script" || mac === undefined || told) return;
    const [boot] = book.get(mac)?.boots ?? [];
    const wait = boot && waitsOf(boot).find(({ name }) => name === "ipxe-ipv6");
    if (!wait) return;
    told = true;
    sink({
      kind: "warning",
      code: "ipv6-wait",
      message: `iPXE spent ${(wait.milliseconds / 1000).toFixed(1)} s between its address and the script, most likely waiting for IPv6`,
      hint: "announce an IPv6 router (--ra), or use an iPXE of 2020-10 or later",
      mac,
      at,
    });
  };
}
