/** Damaged packets of real clients through the parser, both engines, the writer and the journal's lines. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  dhcpState,
  encodeDhcp,
  journalLine,
  parseDhcp,
  proxyState,
  PxeError,
  stepDhcp,
  stepProxy,
  type DhcpAction,
} from "../../src/index.ts";
import { CONFIG, SERVER } from "../dhcp-lab.ts";
import { mutator } from "../fuzz.ts";
import { firmware, ipxe, request, requested, serverId } from "../packets.ts";

export interface FuzzCounts {
  readonly packets: number;
  readonly parsed: number;
  readonly replies: number;
  readonly records: number;
  /** Replies that were too large for the client, which is all that may be refused. */
  readonly refused: number;
}

/** What clients sent, from the captures, and messages of boot programs. */
function corpus(): readonly Uint8Array[] {
  const made = [ipxe(), ipxe([21]), firmware(0), firmware(7), firmware(16, "HTTPClient")].flatMap((options) =>
    [
      request("discover", { options }),
      request("request", { options: [...options, requested("10.77.0.50"), serverId(SERVER)] }),
    ].map((message) => encodeDhcp(message, { maxBytes: 1500 })),
  );
  const directory = fileURLToPath(new URL("../fixtures/dhcp/", import.meta.url));
  const captured = readdirSync(directory).flatMap((file) =>
    readFileSync(`${directory}${file}`, "utf8")
      .split("\n")
      .flatMap((line) => (line.startsWith(">") ? [Buffer.from(line.split(" ")[1] ?? "", "hex")] : [])),
  );
  return [...captured, ...made];
}

/** Slow enough that offers and leases run out. */
const MS_PER_PACKET = 50;

/** A fuzzer that goes on where it stopped; an exception names the seed and the packet. */
export function engineFuzz(seed?: number) {
  const random = mutator(seed);
  const packets = corpus();
  // The addresses that the recorded clients were given are in it: 110.
  const space = { ...CONFIG.space, pool: { first: "10.77.0.50", last: "10.77.0.159" } };
  const config = { ...CONFIG, space };
  const state = dhcpState(config);
  const stages = proxyState();
  const counts = { packets: 0, parsed: 0, replies: 0, records: 0, refused: 0 };

  const perform = (actions: readonly DhcpAction[]): void => {
    for (const action of actions) {
      if (action.kind === "record") {
        counts.records++;
        journalLine(action.lease, { monotonic: 0, wall: 0 });
      } else if (action.kind === "send") {
        counts.replies++;
        try {
          const bytes = encodeDhcp(action.message, { maxBytes: action.maxBytes });
          if (bytes.length > 1500 || !parseDhcp(bytes).ok) throw new Error("the reply is not sound");
          if (!action.to.address.startsWith("10.77.0.") && action.to.address !== "255.255.255.255") {
            throw new Error(`a reply to ${action.to.address}`);
          }
        } catch (error) {
          // An echoed client id or relay information may be as long as the stranger likes.
          if (!(error instanceof PxeError) || error.code !== "PXE_DHCP_TOO_LARGE") throw error;
          counts.refused++;
        }
      }
    }
  };
  return {
    seed: random.seed,
    counts: counts as FuzzCounts,
    /** What a server's memory holds, by number. */
    held: () => {
      const { leases, complaints, untaken } = state;
      return [leases.size, state.stages.size, complaints.size, untaken.size, stages.stages.size] as const;
    },
    run(count: number): void {
      for (let left = count; left > 0; left--) {
        let bytes = random.mutate(packets[random.below(packets.length)] ?? new Uint8Array());
        // Each time another card, now and then: strangers have as many as they like.
        if (bytes.length > 34 && random.below(4) === 0) {
          bytes = Uint8Array.from(bytes);
          for (let at = 28; at < 34; at++) bytes[at] = random.below(256);
        }
        const now = counts.packets++ * MS_PER_PACKET;
        try {
          const parsed = parseDhcp(bytes);
          if (!parsed.ok) continue;
          counts.parsed++;
          perform(stepDhcp(config, state, parsed.value, now));
          const from = { address: random.below(2) === 0 ? "0.0.0.0" : "10.77.0.50", port: 68 };
          const port = random.below(2) === 0 ? "dhcp" : "boot";
          perform(stepProxy(config, stages, { message: parsed.value, port, from }, now));
        } catch (error) {
          throw new Error(
            `FUZZ_SEED=${random.seed} packet ${counts.packets}: ${Buffer.from(bytes).toString("hex")}`,
            {
              cause: error,
            },
          );
        }
      }
    },
  };
}
