import type { BootRecord, BootStepRecord } from "./boot-record.ts";

/** A pause in a boot, who made it, and what helps. */
export interface Wait {
  /** The steps that it lies between, such as "lease -> script". */
  readonly between: string;
  readonly milliseconds: number;
  readonly who: "client" | "server" | "network";
  /** The name of a wait that is known. */
  readonly name?: "spanning-tree" | "ipxe-proxy" | "ipxe-ipv6" | "efi-offers" | "ipxe-start" | "system-start";
  readonly why?: string;
  readonly cure?: string;
}

/** Shorter pauses are nothing to wonder about. */
const NOTED_MS = 20;

type Known = Pick<Wait, "name" | "why" | "cure">;

const KNOWN: Readonly<Record<NonNullable<Wait["name"]>, Omit<Known, "name">>> = {
  "spanning-tree": {
    why: "it had asked for this long before its first request came through; most likely the switch's port was closed by spanning tree",
    cure: 'make the port an edge port ("portfast") on the switch',
  },
  "ipxe-proxy": {
    why: "iPXE waits two seconds for a proxyDHCP offer",
    cure: "in authoritative mode it is told not to",
  },
  "ipxe-ipv6": {
    why: "iPXE waits for an IPv6 router: 16 s before its version of 2020-10, 4 s since",
    cure: "announce a router (--ra), or use a newer iPXE",
  },
  "efi-offers": { why: "UEFI firmware collects offers for three to four seconds" },
  "ipxe-start": { why: "the boot program starts; iPXE shows its banner for two seconds" },
  "system-start": { why: "the system starts" },
};

function known(name: NonNullable<Wait["name"]>): Known {
  return { name, ...KNOWN[name] };
}

function judge(
  before: BootStepRecord,
  after: BootStepRecord,
  milliseconds: number,
  ipxe: boolean,
  efi: boolean,
): Pick<Wait, "who"> & Known {
  const pair = `${before.step} ${after.step}`;
  if (pair === "discover offer" || pair === "script plan") return { who: "server" };
  if (after.step === "system" || after.step === "booted") return { who: "client", ...known("system-start") };
  if (before.step === "loader" && after.step === "discover") return { who: "client", ...known("ipxe-start") };
  if (before.step === "offer" && (after.step === "lease" || after.step === "script")) {
    if (ipxe && milliseconds >= 1500 && milliseconds < 3500) return { who: "client", ...known("ipxe-proxy") };
    if (!ipxe && efi && milliseconds >= 2000) return { who: "client", ...known("efi-offers") };
  }
  if (ipxe && milliseconds >= 3500 && after.step === "script") {
    return { who: "client", ...known("ipxe-ipv6") };
  }
  return { who: "client" };
}

/**
 * The pauses of a boot. What the server is to blame for is what a client waited while it had asked and got no
 * answer; everything between an answer and the client's next question is the client's.
 *
 * @example
 * ```ts
 * import { waitsOf } from "@justenough/pxe";
 * console.log(waitsOf({ id: "1", mac: "52:54:00:12:34:56", began: 0, outcome: "running", deafMs: 30_000, steps: [] }));
 * ```
 */
export function waitsOf(boot: BootRecord): readonly Wait[] {
  const waits: Wait[] = [];
  if (boot.deafMs !== undefined) {
    const between = "power-on -> discover";
    waits.push({ between, milliseconds: boot.deafMs, who: "network", ...known("spanning-tree") });
  }
  const efi = boot.platform?.startsWith("efi") === true;
  let ipxe = false;
  // A plan is made while the script is fetched, and uploads are no part of the boot.
  const steps = boot.steps
    .filter(({ step }) => step !== "plan" && step !== "upload" && step !== "result")
    .toSorted((a, b) => a.began - b.began);
  let before: BootStepRecord | undefined;
  for (const step of steps) {
    const between = before && `${before.step} -> ${step.step}`;
    if (before && between !== undefined) {
      const milliseconds = step.began - before.ended;
      if (milliseconds >= NOTED_MS) {
        waits.push({ between, milliseconds, ...judge(before, step, milliseconds, ipxe, efi) });
      }
    }
    if (step.serverMs !== undefined && step.serverMs >= 1) {
      waits.push({ between: `in ${step.step}`, milliseconds: Math.round(step.serverMs), who: "server" });
    }
    ipxe = step.ipxe ?? ipxe;
    if (!before || step.ended >= before.ended) before = step;
  }
  return waits;
}

/** How long the server let the client wait, all in all. */
export function serverWait(boot: BootRecord): number {
  return waitsOf(boot)
    .filter(({ who }) => who === "server")
    .reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}
