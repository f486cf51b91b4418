import type { Forward, Machine } from "../machine.ts";
import type { QmpClient } from "../qmp.ts";

/** One line of `info usernet`: protocol, descriptor, host address and port, guest address and port. */
const HOST_FORWARD = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)/gm;

/** The machine's forwards; where the host port was left to the system, QEMU is asked what it became. */
export async function actualForwards(machine: Machine, qmp: QmpClient): Promise<readonly Forward[]> {
  const wanted = machine.nics.flatMap((nic) => (nic.backend.kind === "user" ? nic.backend.forwards : []));
  if (wanted.every((forward) => forward.host !== 0)) return wanted;
  const info = await qmp.execute("human-monitor-command", { "command-line": "info usernet" });
  const open = Array.from(info.matchAll(HOST_FORWARD), ([, protocol, , host, guest]) => ({
    protocol: protocol?.toLowerCase(),
    host: Number(host),
    guest: Number(guest),
  }));
  const fixed = new Set(wanted.map((forward) => forward.host));
  const result: Forward[] = [];
  for (const forward of wanted) {
    const index = open.findIndex(
      (o) => o.protocol === forward.protocol && o.guest === forward.guest && !fixed.has(o.host),
    );
    const found = forward.host === 0 && index !== -1 ? open.splice(index, 1)[0] : undefined;
    result.push(found === undefined ? forward : { ...forward, host: found.host });
  }
  return result;
}
