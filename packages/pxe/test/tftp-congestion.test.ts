import { describe, expect, test } from "vitest";
import { congestion } from "../src/internal/congestion.ts";
import { herdCase } from "./simulator/cases.ts";
import { content } from "./simulator/content.ts";
import { simulateHerd } from "./simulator/herd.ts";
import { ack, readRequest, wire } from "./tftp/wire.ts";

const MIB = 1 << 20;

describe("the limit of what is under way", () => {
  test("transfers that have to wait take turns, as room is made", () => {
    const one = congestion(() => 0);
    one.sent(4 * MIB);
    expect(one.full()).toBe(true);
    const turns: number[] = [];
    for (const index of [1, 2, 3]) {
      one.wait(() => {
        turns.push(index);
        one.sent(MIB);
      });
    }
    one.arrived(2 * MIB, true);
    expect(turns).toEqual([1, 2]);
    one.arrived(MIB, true);
    expect(turns).toEqual([1, 2, 3]);
  });
  test("a newcomer does not overtake those who wait", () => {
    const one = congestion(() => 0);
    one.sent(5 * MIB);
    one.wait(() => undefined);
    expect(one.full()).toBe(true);
    one.arrived(5 * MIB, true);
    expect(one.full()).toBe(false);
  });
  test("a loss halves it, those soon after are the same one, and 128 KiB are always allowed", () => {
    let now = 0;
    const one = congestion(() => now);
    one.sent(MIB);
    one.lost();
    one.lost();
    one.arrived(MIB / 2 + 1, false);
    expect(one.full()).toBe(false);
    one.sent(1);
    expect(one.full()).toBe(true);
    for (let round = 0; round < 20; round++) {
      now += 100;
      one.lost();
    }
    one.arrived(MIB / 2 - (128 << 10) + 1, false);
    expect(one.full()).toBe(false);
    one.sent(1);
    expect(one.full()).toBe(true);
  });
  test("it grows with what is confirmed, not with what is given up", () => {
    const one = congestion(() => 0);
    one.sent(MIB);
    one.lost();
    one.arrived(MIB, false);
    one.sent(MIB / 2);
    expect(one.full()).toBe(true);
    one.arrived(MIB / 2, true);
    one.sent(MIB / 2);
    expect(one.full()).toBe(false);
  });
});

test("machines that are switched off in the middle of large windows do not stop another", async () => {
  const files = new Map([["file", { kind: "bytes", bytes: content(1_000_000) } as const]]);
  const server = wire({ files });
  const options = { blksize: "1468", windowsize: "64" };
  const begin = async (client: { address: string; port: number }): Promise<number> => {
    const [first] = await server.say(client, 69, readRequest("file", options));
    await server.say(client, first?.port ?? 0, ack(0));
    return first?.port ?? 0;
  };
  // 100 windows of 94 KB are more than is allowed; nobody will confirm them.
  for (let host = 1; host <= 100; host++) await begin({ address: `10.77.1.${host}`, port: 2000 });
  const client = { address: "10.77.2.1", port: 2000 };
  const port = await begin(client);
  await server.wait(1000);
  let highest = 0;
  for (let round = 0; round < 20; round++) {
    for (const { to, packet } of server.said.splice(0)) {
      if (to.address === client.address && packet.kind === "data") highest = packet.block;
    }
    await server.say(client, port, ack(highest));
    await server.wait(50);
  }
  expect(highest).toBe(Math.floor(1_000_000 / 1468) + 1);
});

test("a herd with windows loses little in a switch that holds half a megabyte", async () => {
  const report = await simulateHerd(herdCase(400, 200_000));
  expect(report).toMatchObject({ exact: 400, failures: {} });
  // The switch would hold 22 of their larger windows.
  expect(report.most).toBeGreaterThan(200);
  expect(report.lost / report.sent).toBeLessThan(0.01);
});
