import type { PolicyDecision } from "../policy/choose-plan.ts";
import { describeTarget } from "../policy/plan.ts";
import type { MachineRecord, Trouble } from "./machine-book.ts";
import { waitsOf } from "./waits.ts";

/** What is known when somebody asks why. */
export interface ExplainInput {
  readonly mac: string;
  readonly record: MachineRecord | undefined;
  readonly decision: PolicyDecision;
  readonly mode: string;
  readonly address: string;
  readonly interface: string;
  /** Plans that wait for it, and whether it is held at its local disk. */
  readonly queued: number;
  readonly held: boolean;
  readonly now: number;
}

/** Why a machine was or was not served: the last word first. */
export interface Explanation {
  readonly mac: string;
  readonly served: boolean;
  readonly sentences: readonly string[];
}

function ago(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function tell(trouble: Trouble, input: ExplainInput): string {
  const { code, detail, times, at } = trouble;
  const when = `${ago(input.now - at)}${times > 1 ? `, ${times} times in all` : ""}`;
  const texts: Readonly<Record<Trouble["code"], string>> = {
    "not-allowed": `It asked by DHCP, but it is not on the list of machines that are answered (${when}). Add --allow ${input.mac}.`,
    "not-pxe": `It asked for an address without asking for boot files (${when}): a system does so, not firmware that boots from the network. Put the network first in its firmware's boot order.`,
    "other-server": `It took the offer of another DHCP server, ${detail} (${when}). Take that server off this network, or use --mode proxy beside it.`,
    "no-boot-program": `There was no boot program for it: ${detail} (${when}). Install the distribution's package "ipxe".`,
    "pool-exhausted": `No address was left for it (${when}). Widen --pool.`,
    nak: `Its wish for an address was refused: ${detail} (${when}). It asks anew after that.`,
    loop: `${detail} (${when}). It was sent in a circle: its iPXE comes back instead of starting Linux.`,
    tftp: `A TFTP transfer did not succeed: ${detail} (${when}). Look for a firewall that blocks UDP ports above 1024, and for other traffic that loses packets.`,
    http: `This server could not read a file for it: ${detail} (${when}). Look whether the bundle is still there.`,
    "timed-out": `${detail} (${when}). Its console tells more.`,
  };
  return texts[code];
}

function tellPolicy({ decision, queued, held }: ExplainInput): string[] {
  if (held) return ["It is held at its local disk since a plan timed out; changing its queue ends that."];
  if (queued > 0)
    return [`Its queue holds ${queued === 1 ? "a plan" : `${queued} plans`}; the policy waits.`];
  if (decision.kind === "none") return ["No rule of the policy fits it: it is not booted."];
  const rule = `Rule ${decision.rule + 1} of the policy`;
  if (decision.kind === "open") {
    return [`${rule} decides by its ${decision.needs}, which is known once its iPXE asks for the script.`];
  }
  const { target } = decision.plan;
  if (target.kind === "none") return [`${rule} says that it is not booted.`];
  return [`${rule} sends it to ${describeTarget(target)}.`];
}

function tellBoot(record: MachineRecord, now: number): string[] {
  const [boot] = record.boots;
  if (!boot) return [];
  const last = boot.steps.at(-1);
  const came = last ? `, the last step was "${last.step}"` : "";
  const when = ago(now - boot.began);
  const said = {
    running: `A boot is under way since ${when}${came}.`,
    loaded: `It fetched everything ${when}; whether its system came up nobody has told (POST /v1/booted).`,
    booted: `It booted ${when} and called back.`,
    done: `It booted ${when}, and its run is done.`,
    disk: `It was sent to its local disk ${when}.`,
    stopped: `Its boot of ${when} went no further${came}.`,
  }[boot.outcome];
  const next: Readonly<Partial<Record<string, string>>> = {
    discover: "It was not offered anything, or its requests are heard but the answers are not.",
    offer: "It did not take the offer: another server's came first, or the answer does not reach it.",
    lease: "It has its address but never asked for a file: look for a firewall on this machine (TFTP, HTTP).",
    loader: "The boot program was sent but never asked again: it does not run on this machine.",
    plan: "It has its script but did not fetch the kernel.",
    script: "It has its script but did not fetch the kernel.",
  };
  const hint = boot.outcome === "stopped" ? next[last?.step ?? ""] : undefined;
  const waits = waitsOf(boot)
    .filter(({ name, milliseconds }) => name !== undefined && milliseconds >= 1000)
    .map(
      ({ milliseconds, why, cure }) =>
        `It waited ${(milliseconds / 1000).toFixed(1)} s: ${why ?? ""}${cure === undefined ? "" : `. Cure: ${cure}`}.`,
    );
  return [said, ...(hint === undefined ? [] : [hint]), ...waits];
}

/**
 * Say in words why a machine was or was not served: pure.
 *
 * @example
 * ```ts
 * import { explainMachine } from "@justenough/pxe";
 * const { sentences } = explainMachine({
 *   mac: "52:54:00:12:34:56", record: undefined, decision: { kind: "none" }, mode: "proxy",
 *   address: "10.77.0.1", interface: "eth1", queued: 0, held: false, now: 0,
 * });
 * console.log(sentences[0]);
 * ```
 */
export function explainMachine(input: ExplainInput): Explanation {
  const { mac, record, mode, now } = input;
  if (!record) {
    const where =
      mode !== "authoritative" && mode !== "proxy"
        ? `This server does not hear DHCP (mode ${mode}), so it learns of a machine when its iPXE asks for the script and says who it is.`
        : `Look whether it is plugged into the network of ${input.interface} (${input.address}), whether the network comes first in its firmware's boot order, and whether a switch's spanning tree keeps its port closed for the first 30 s.`;
    const sentences = [
      `${mac} has never been seen since this server was started.`,
      where,
      ...tellPolicy(input),
    ];
    return { mac, served: false, sentences };
  }
  const [boot] = record.boots;
  const served = boot !== undefined && boot.outcome !== "stopped" && boot.outcome !== "disk";
  const began = boot?.began ?? 0;
  // What went wrong before a boot that succeeded is no reason any more.
  const troubles = record.troubles.filter(({ at }) => !served || at >= began);
  return {
    mac,
    served,
    sentences: [
      `${mac} was last heard of ${ago(now - record.lastSeen)}${record.address === undefined ? "" : `, at ${record.address}`}.`,
      ...tellBoot(record, now),
      ...troubles.map((trouble) => tell(trouble, input)),
      ...tellPolicy(input),
    ],
  };
}
