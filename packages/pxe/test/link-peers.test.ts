/** This kernel's network code as the peer of ours, over a real cable: see lab/cable.ts. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runInLab } from "./lab/run-in-lab.ts";
import type { TcpReport } from "./lab/tcp-peer.ts";
import type { AdapterReport } from "./lab/two-adapters.ts";

async function lab<T>(script: string, request: object = {}): Promise<T> {
  const path = fileURLToPath(new URL(`lab/${script}`, import.meta.url));
  const result = await runInLab(path, [JSON.stringify(request)], { timeoutSeconds: 100 });
  if (result.status !== 0)
    throw new Error(`${script} ended with ${result.status}: ${result.stderr}${result.stdout}`);
  return JSON.parse(result.stdout) as T;
}

describe("Linux's TCP and ours", () => {
  test.each([
    ["64 MiB over a good cable", { bytes: 64 << 20 }],
    [
      "1 MB over one that loses, doubles and reorders",
      { bytes: 1_000_000, impairment: { seed: 1, loss: 0.02, duplicate: 0.03, reorder: 0.03 } },
    ],
  ])("%s, up and down, byte for byte", { timeout: 120_000 }, async (name, request) => {
    const { hashes, down, up, together, ping } = await lab<TcpReport>("tcp-peer.ts", request);
    console.log(`${name}: ${down.toFixed(1)} MB/s down, ${up.toFixed(1)} MB/s up`);
    expect(hashes.got).toBe(hashes.served);
    expect(hashes.came).toBe(hashes.sent);
    expect(together).toEqual(Array.from({ length: 8 }, () => "same"));
    if (!("impairment" in request)) expect(ping).toContain("5 packets transmitted, 5 packets received");
  });
});

test(
  "the same clients get the same of the same engines, by sockets and by cable",
  { timeout: 120_000 },
  async () => {
    const report = await lab<
      Record<"sockets" | "cable", AdapterReport> & Record<"kernelHash" | "partHash", string>
    >("two-adapters.ts");
    const { sockets, cable, kernelHash, partHash } = report;
    expect(cable.lease).toContain("ip=10.88.0.50");
    expect(cable.files).toEqual({
      http: kernelHash,
      "tftp, blocks of 512": kernelHash,
      "tftp, blocks of 1428": kernelHash,
      "a part": partHash,
    });
    // All else is alike but for the network's number, and for cards and clients, which the two have their own of, and times.
    const plain = (value: AdapterReport): unknown => {
      const text = JSON.stringify(value).replaceAll("10.88.0.", "10.77.0.");
      const { events, ...rest } = JSON.parse(text) as AdapterReport;
      const told = events.map((event) => {
        const {
          client: _client,
          mac: _mac,
          serverMs: _serverMs,
          ...others
        } = JSON.parse(event) as Record<string, unknown>;
        return others;
      });
      return { ...rest, told };
    };
    expect(plain(cable)).toEqual(plain(sockets));
    expect(cable.events.length).toBeGreaterThan(15);
  },
);
