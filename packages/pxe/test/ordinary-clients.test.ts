/** The DHCP clients of real systems, on a real (if private) network: see lab/run-in-lab.ts. */
import { expect, test } from "vitest";
import type { OrdinaryReport } from "./lab/ordinary-clients.ts";
import { lab } from "./lab/run-in-lab.ts";
import type { SegmentReport } from "./lab/segments.ts";

test(
  "udhcpc, dhclient and dhcpcd get an address, renew, rebind, start again with it and give it back, leases on disk",
  { timeout: 120_000 },
  async () => {
    const { talk, address, leases, warnings } = await lab<OrdinaryReport>("ordinary-clients.ts", [], 110);
    expect(new Set(Object.values(address)).size).toBe(3);
    for (const name of ["udhcpc", "dhclient", "dhcpcd"] as const) {
      const own = address[name];
      const said = talk[name].join(", ").replaceAll(own, "A");
      // One address all the time, and no refusal.
      expect(said, name).not.toMatch(/\d|nak/);
      // On a busy machine clients repeat themselves, and answers come between.
      const order = [
        /^discover, .*offer A, .*select A, .*ack A, .*renew A, .*ack A/,
        /renew A, .*rebind A, .*ack A/,
        // udhcpc remembers nothing, and is told which address to ask for.
        name === "udhcpc"
          ? /rebind A, .*discover, .*offer A, .*select A, .*ack A/
          : /rebind A, .*reboot A, .*ack A/,
        /ack A, release$/,
      ];
      for (const part of order) expect(said, name).toMatch(part);
    }
    expect(leases.map((lease) => lease.state)).toEqual(["released", "released", "released"]);
    expect(warnings).toEqual([]);
  },
);

test(
  "an ordinary client beside a proxy, a wire that is not served, and a rival that is slow to show itself",
  { timeout: 60_000 },
  async () => {
    const { beside, elsewhere, slow } = await lab<SegmentReport>("segments.ts", [], 50);
    expect(beside.lease).toMatch(/lease of 10\.77\.0\.20\d obtained from 10\.77\.0\.2/);
    expect([beside.ours, beside.events.map(({ kind }) => kind)]).toEqual([0, ["listening"]]);
    expect([elsewhere.lease, elsewhere.senders]).toEqual(["", ["0.0.0.0"]]);
    expect(elsewhere.served).toMatch(/lease of 10\.77\.0\.5\d obtained from 10\.77\.0\.1/);
    const told = { code: "offer-untaken", mac: "02:00:00:00:66:02" };
    expect(elsewhere.warnings).toEqual([expect.objectContaining(told)]);
    expect(slow).toBe("PXE_DHCP_OTHER_SERVER");
  },
);
