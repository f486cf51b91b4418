/** What is seen of machines: the book, the timeline of a boot, its waits, and why one was not served. */
import { describe, expect, test } from "vitest";
import {
  explainMachine,
  formatBoot,
  formatEvent,
  machineBook,
  serverWait,
  waitsOf,
  type ExplainInput,
  type PxeEventBody,
} from "../src/index.ts";
import { observeDhcp } from "../src/watch/observe.ts";
import { firmware, ipxe, MAC, request, serverId } from "./packets.ts";

const SERVER = { address: "10.77.0.1", mode: "authoritative", allow: undefined };
const address = "10.77.0.155";
const client = address;

/** A book that is told events with times in milliseconds. */
function book(...told: readonly (readonly [number, PxeEventBody])[]) {
  const all = machineBook();
  const note = (at: number, event: PxeEventBody): void => {
    const mac = "client" in event ? all.macOf(event.client) : undefined;
    all.note({ ...event, ...(mac === undefined ? {} : { mac }), at });
  };
  for (const [at, event] of told) note(at, event);
  const boot = (index = 0) => {
    const found = all.get(MAC)?.boots[index];
    if (!found) throw new Error("no such boot");
    return found;
  };
  return { all, note, boot };
}

const discover = (ipxe: boolean, platform: "bios" | "efi-x64" = "bios") =>
  ({ kind: "discover", mac: MAC, ipxe, platform }) as const;
const offer = { kind: "offer", mac: MAC, address, boot: "undionly.kpxe" } as const;
const ack = { kind: "ack", mac: MAC, address } as const;
const file = (
  kind: "loader" | "script" | "kernel" | "initrd",
  bytes: number,
  milliseconds: number,
  serverMs = 0,
) => ({ kind, client, via: "http", bytes, milliseconds, serverMs }) as const;

describe("the timeline of a boot", () => {
  test("what a stranger asks for cannot write to the terminal, also not by controls of eight bits", () => {
    const path = "/a\u001b[2Jb\u009b2Jc\u007f\n";
    const line = formatEvent(
      {
        kind: "http",
        client: "10.77.0.9",
        method: "GET",
        path,
        status: 404,
        bytes: 0,
        milliseconds: 0,
        at: 0,
      },
      0,
    );
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line).toContain(String.raw`/a\u001b[2Jb\u009b2Jc\u007f\n`);
  });
  test("BIOS through undionly with everything", () => {
    const { boot, all } = book(
      [0, discover(false)],
      [1, offer],
      [1100, ack],
      [1400, { ...file("loader", 70_000, 200), via: "tftp" }],
      [3600, discover(true)],
      [3600, offer],
      [5650, ack],
      [21_800, file("script", 300, 3, 2)],
      [22_500, file("kernel", 14_000_000, 600, 4)],
      [22_700, file("initrd", 1_000_000, 100, 0.2)],
      [22_800, file("initrd", 1_000_000, 50, 0.2)],
      [24_500, { kind: "discover", mac: MAC, ipxe: false }],
      [24_900, { kind: "booted", client, body: "" }],
    );
    expect(boot()).toMatchObject({ mac: MAC, began: 0, outcome: "booted", platform: "bios" });
    expect(boot().steps.map(({ step }) => step)).toEqual(
      "discover offer lease loader discover offer lease script kernel initrd system booted".split(" "),
    );
    expect(boot().steps.find(({ step }) => step === "kernel")).toMatchObject({ bytesPerSecond: 23_333_333 });
    expect(boot().steps.find(({ step }) => step === "initrd")).toMatchObject({ bytes: 2_000_000, times: 2 });
    expect(
      waitsOf(boot())
        .filter(({ name }) => name !== undefined)
        .map(({ between, name, milliseconds, who }) => `${between} ${name} ${milliseconds} ${who}`),
    ).toEqual([
      "loader -> discover ipxe-start 2200 client",
      "offer -> lease ipxe-proxy 2050 client",
      "lease -> script ipxe-ipv6 16147 client",
      "initrd -> system system-start 1700 client",
      "system -> booted system-start 400 client",
    ]);
    // Two milliseconds in the script and four in the kernel; nothing else was this server's fault.
    expect(serverWait(boot())).toBe(6);
    const text = formatBoot(boot());
    expect(text).toMatch(
      /^boot of 52:54:00:12:34:56 \(bios\) is up: 24\.900 s, of which the server caused 0\.006 s\n/,
    );
    expect(text).toMatch(/ {4}21\.900 {2}kernel {4}13\.4 MiB 22\.3 MiB\/s by http 0\.600 s\n/);
    expect(text).toContain("waited 16.147 s (client) lease -> script: iPXE waits for an IPv6 router");
    expect(text).toContain("cure: announce a router (--ra)");
    const [ended] = all.ended(25_000);
    expect(ended).toEqual(boot());
    expect(all.ended(99_000)).toEqual([]);
    const line = formatEvent({ kind: "boot", mac: MAC, boot: boot(), at: 25_000 }, 0);
    expect(
      line
        .split("\n")
        .slice(1)
        .every((row) => row.startsWith("           ")),
    ).toBe(true);
  });

  test("the server's part is what a client waited for an answer", () => {
    const { boot } = book([0, discover(true)], [800, offer], [801, ack], [803, file("script", 10, 1)]);
    expect(waitsOf(boot())).toEqual([{ between: "discover -> offer", milliseconds: 800, who: "server" }]);
    expect(serverWait(boot())).toBe(800);
  });

  test("UEFI collects offers; a port closed by spanning tree is known by the first request's seconds", () => {
    const one = book();
    const message = request("discover", { secs: 31, options: firmware(7) });
    const seen = observeDhcp(message, SERVER);
    if (!seen) throw new Error("not seen");
    one.all.observe(seen, 0);
    one.note(0, discover(false, "efi-x64"));
    one.note(1, offer);
    one.note(3500, ack);
    expect(
      waitsOf(one.boot()).map(({ name, milliseconds, cure }) => [name, milliseconds, cure !== undefined]),
    ).toEqual([
      ["spanning-tree", 31_000, true],
      ["efi-offers", 3499, false],
    ]);
  });

  test("each power-on is a boot of its own; the firmware and its iPXE are one", () => {
    const { boot, all, note } = book(
      [0, discover(false)],
      [10, offer],
      [2000, discover(true)],
      [2010, offer],
      [2020, ack],
      [2030, file("script", 10, 1)],
      [2500, file("kernel", 10, 1)],
      [60_000, discover(false)],
      [60_010, offer],
    );
    expect(all.get(MAC)?.boots).toHaveLength(2);
    expect(boot(1)).toMatchObject({ outcome: "loaded", began: 0 });
    expect(boot(0)).toMatchObject({ outcome: "running", began: 60_000 });
    expect(all.ended(60_020)).toHaveLength(1);
    // Nothing more comes: it is stuck, and that is told once.
    expect(all.ended(179_000)).toEqual([]);
    expect(all.ended(181_000)).toMatchObject([{ outcome: "stopped" }]);
    note(200_000, discover(false));
    expect(all.get(MAC)?.boots).toHaveLength(3);
  });

  test("without DHCP a boot begins with its plan and script", () => {
    const one = book();
    const plan = (at: number, plan: string): void => one.note(at, { kind: "plan", mac: MAC, plan });
    one.all.claim(client, { mac: MAC }, 0);
    plan(10, "hello");
    one.note(12, file("script", 10, 5));
    one.note(900, file("kernel", 10, 1));
    one.note(5000, { kind: "booted", client, body: "" });
    plan(60_000, "the local disk");
    one.note(60_001, file("script", 10, 1));
    expect(one.boot(1)).toMatchObject({ plan: "hello", outcome: "booted", began: 7 });
    expect(one.boot(0)).toMatchObject({ plan: "the local disk", outcome: "running", began: 60_000 });
    one.all.ended(99_000);
    expect(one.boot(0)).toMatchObject({ outcome: "disk" });
  });

  test("a circle fills no memory, and a flood of machines neither", () => {
    const one = book();
    for (let round = 0; round < 10_000; round++) {
      one.note(round, discover(round % 2 === 0));
      one.note(round, { ...offer, boot: `${round}` });
    }
    expect(one.boot().steps.length).toBeLessThanOrEqual(64);
    for (let index = 0; index < 10_000; index++) {
      const mac = `02:00:00:00:${(index >> 8).toString(16).padStart(2, "0")}:${(index & 255).toString(16).padStart(2, "0")}`;
      one.note(20_000 + index, { ...discover(true), mac });
    }
    expect(one.all.all().length).toBe(4096);
  });

  test("who holds a lease cannot be impersonated from another address's query", () => {
    const one = book([0, discover(true)], [1, ack]);
    one.all.claim(address, { mac: "02:00:00:00:00:01" }, 2);
    expect(one.all.macOf(address)).toBe(MAC);
    one.all.claim("10.77.0.9", { mac: MAC }, 2);
    expect(one.all.macOf("10.77.0.9")).toBe(undefined);
    one.all.claim("10.77.0.9", { mac: "02:00:00:00:00:01", serial: "x" }, 2);
    expect(one.all.macOf("10.77.0.9")).toBe("02:00:00:00:00:01");
  });
});

describe("why a machine was not served", () => {
  const explain = (all: ReturnType<typeof machineBook>, change: Partial<ExplainInput> = {}): string =>
    explainMachine({
      mac: MAC,
      record: all.get(MAC),
      decision: { kind: "none" },
      mode: "authoritative",
      address: "10.77.0.1",
      interface: "eth1",
      queued: 0,
      held: false,
      now: 200_000,
      ...change,
    }).sentences.join("\n");
  const observed = (
    message: Parameters<typeof observeDhcp>[0],
    server: Parameters<typeof observeDhcp>[1] = SERVER,
  ): ReturnType<typeof machineBook> => {
    const { all } = book();
    const seen = observeDhcp(message, server);
    if (!seen) throw new Error("not seen");
    all.observe(seen, 190_000);
    return all;
  };
  const warned = (code: "binary-missing" | "pool-exhausted" | "loop"): ReturnType<typeof machineBook> =>
    book([190_000, { kind: "warning", code, message: `about ${code}`, mac: MAC }]).all;

  test.each<[string, () => string, RegExp]>([
    ["never seen", () => explain(machineBook()), /never been seen.*\n.*network of eth1 .*spanning tree/s],
    ["never seen, by HTTP alone", () => explain(machineBook(), { mode: "http-only" }), /does not hear DHCP/],
    [
      "not allowed",
      () => explain(observed(request("discover", { options: ipxe() }), { ...SERVER, allow: new Set() })),
      /not on the list .*--allow 52:54:00:12:34:56/,
    ],
    ["an ordinary system", () => explain(observed(request("discover"))), /without asking for boot files/],
    [
      "another server",
      () => explain(observed(request("request", { options: [...ipxe(), serverId("10.77.0.9")] }))),
      /another DHCP server, 10\.77\.0\.9 .*--mode proxy/,
    ],
    ["no boot program", () => explain(warned("binary-missing")), /no boot program.*"ipxe"/],
    ["no address", () => explain(warned("pool-exhausted")), /No address was left.*--pool/],
    ["in a circle", () => explain(warned("loop")), /about loop.*circle/],
    [
      "TFTP failed",
      () =>
        explain(
          book(
            [190_000, discover(false)],
            [190_001, ack],
            [
              190_002,
              {
                kind: "tftp",
                client,
                file: "undionly.kpxe",
                bytes: 0,
                milliseconds: 1,
                outcome: "failed",
                retransmissions: 5,
                detail: "no answer",
              },
            ],
          ).all,
        ),
      /TFTP transfer did not succeed: undionly\.kpxe: no answer.*firewall/,
    ],
    [
      "a request that was refused",
      () => explain(book([190_000, { kind: "nak", mac: MAC, address, reason: "wrong network" }]).all),
      /refused: 10\.77\.0\.155: wrong network/,
    ],
    ["no rule fits", () => explain(book([190_000, discover(true)]).all), /No rule of the policy fits it/],
    ["held", () => explain(book([190_000, discover(true)]).all, { held: true }), /held at its local disk/],
    [
      "the policy depends",
      () => explain(machineBook(), { decision: { kind: "open", rule: 1, needs: "serial" } }),
      /Rule 2 of the policy decides by its serial/,
    ],
  ])("%s", (_, text, pattern) => expect(text()).toMatch(pattern));

  test("stopped between two steps: the sentence for just that place", () => {
    const { all } = book([0, discover(true)], [1, offer], [2, ack]);
    all.ended(130_000);
    expect(explain(all)).toMatch(
      /went no further, the last step was "lease".*\nIt has its address but never asked/,
    );
  });
  test("served: what went wrong before is not brought up again", () => {
    const { all } = book(
      [0, { kind: "warning", code: "pool-exhausted", message: "m", mac: MAC }],
      [100, discover(true)],
      [101, ack],
      [102, file("script", 1, 1)],
      [110, file("kernel", 1, 1)],
      [120, { kind: "booted", client, body: "" }],
    );
    expect(explain(all)).not.toMatch(/No address/);
    expect(explain(all)).toMatch(/It booted 3 min ago and called back/);
  });
});
