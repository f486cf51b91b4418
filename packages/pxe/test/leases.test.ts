import { expect, test } from "vitest";
import { createLeases, formatIpv4, parseIpv4, type Lease, type LeaseSpace } from "../src/index.ts";
import { expiryHeap } from "../src/internal/expiry-heap.ts";
import { mutator } from "./fuzz.ts";

const space = (change: Partial<LeaseSpace> = {}): LeaseSpace => ({
  pool: { first: "10.0.0.10", last: "10.0.0.19" },
  fixed: new Map(),
  taken: new Set(),
  ...change,
});
const card = (number: number): string => `02:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
const lease = (number: number, change: Partial<Lease> = {}): Lease => ({
  address: `10.0.0.${10 + number}`,
  mac: card(number),
  state: "bound",
  expires: 1000,
  boot: false,
  ...change,
});

test("the heap gives what runs out first, as a sorted list would, through 20,000 random changes", () => {
  const random = mutator();
  const heap = expiryHeap<{ expires: number; place: number }>();
  const all = new Set<{ expires: number; place: number }>();
  for (let round = 0; round < 20_000; round++) {
    if (random.below(5) < 3) {
      const item = { expires: random.below(1000), place: -1 };
      all.add(item);
      heap.add(item);
    } else {
      const item = [...all][random.below(Math.max(1, all.size))];
      if (item && all.delete(item)) heap.remove(item);
      if (item) heap.remove(item); // a second time: nothing happens
    }
    if (all.size > 40) {
      const first = heap.first();
      if (first) {
        heap.remove(first);
        all.delete(first);
      }
    }
    const least = all.size > 0 ? Math.min(...[...all].map(({ expires }) => expires)) : undefined;
    expect(heap.first()?.expires, `FUZZ_SEED=${random.seed} round ${round}`).toBe(least);
  }
});

test("new addresses: never leased, then only offered, then the longest unused; none while all are in force", () => {
  const leases = createLeases(space({ pool: { first: "10.0.0.10", last: "10.0.0.13" } }));
  const choose = (now: number) => leases.choose({ client: { mac: card(99), boot: false }, now });
  leases.write(lease(0, { expires: 100 }));
  leases.write(lease(1, { expires: 50 }));
  leases.write(lease(2, { state: "offered", expires: 200 }));
  expect(choose(1000)).toBe("10.0.0.13");
  leases.write(lease(3, { expires: 300 }));
  expect(choose(40)).toBeUndefined();
  expect(choose(60)).toBe("10.0.0.11");
  expect(choose(1000)).toBe("10.0.0.12");
});

test("an address that is reserved while another has it is given when that lease has run out", () => {
  const fixed = new Map([[card(1), "10.0.0.10"]]);
  const leases = createLeases(space({ fixed }), [lease(0)]);
  const choose = (number: number, now: number) =>
    leases.choose({ client: { mac: card(number), boot: false }, now });
  expect(choose(1, 0)).toBe("10.0.0.11");
  expect(choose(1, 1001)).toBe("10.0.0.10");
  // Its holder must take another from now on.
  expect(choose(0, 0)).toBe("10.0.0.11");
});

test("kept leases outside of the network's addresses are left out", () => {
  const kept = [lease(0), lease(10), lease(1, { address: "10.0.0.5" })];
  const fixed = new Map([[card(1), "10.0.0.5"]]);
  expect([...createLeases(space({ fixed }), kept).values()]).toEqual([kept[0], kept[2]]);
});

test("a full table of 65,536 answers for every client, and no two hold one address", () => {
  const first = parseIpv4("10.1.0.0");
  const leases = createLeases(space({ pool: { first: "10.1.0.0", last: "10.1.255.255" } }));
  const given = new Set<string>();
  for (let number = 0; number < 65_536; number++) {
    const mac = formatIpv4(number);
    const address = leases.choose({ client: { mac, boot: false }, now: number }) ?? "";
    given.add(address);
    leases.write({ address, mac, clientId: mac, state: "bound", boot: false, expires: number + 100_000 });
  }
  expect([given.size, leases.size]).toEqual([65_536, 65_536]);
  expect(leases.of({ mac: "other", clientId: formatIpv4(777), boot: false })?.address).toBe(
    formatIpv4(first + 777),
  );
  expect(leases.choose({ client: { mac: "new", boot: false }, now: 99_999 })).toBeUndefined();
  expect(leases.choose({ client: { mac: "new", boot: false }, now: 100_000 })).toBe("10.1.0.0");
});
