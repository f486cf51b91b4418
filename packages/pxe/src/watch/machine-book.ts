import type { PxeEvent, PxeEventBody } from "../events.ts";
import type { MachineFacts } from "../policy/facts.ts";
import { factsOf, knownFacts } from "../policy/facts.ts";
import { LOCAL_DISK } from "../policy/plan.ts";
import type { BootRecord } from "./boot-record.ts";
import { beginsBoot, noteEvent } from "./note-event.ts";
import type { Observation } from "./observe.ts";

/** Machines remembered, boots of each, and addresses; the longest silent is forgotten first. */
const MOST_MACHINES = 4096;
const MOST_BOOTS = 20;
/** After the last file: no call will come any more. After anything else: it is stuck. */
const QUIET_MS = 20_000;
const STUCK_MS = 120_000;
/** Seconds of asking in vain that are worth a word. */
const DEAF_SECONDS = 8;

/** Something that kept a machine from being served. */
export interface Trouble {
  readonly code:
    | "not-allowed"
    | "not-pxe"
    | "other-server"
    | "no-boot-program"
    | "pool-exhausted"
    | "nak"
    | "loop"
    | "tftp"
    | "http"
    | "timed-out";
  readonly at: number;
  readonly times: number;
  readonly detail: string;
}

/** What is known of one machine. */
export interface MachineRecord {
  readonly mac: string;
  readonly facts: MachineFacts;
  readonly address?: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The last first; at most twenty. */
  readonly boots: readonly BootRecord[];
  readonly troubles: readonly Trouble[];
  /** For how long it had asked in vain before it was first heard; of the boot that comes. */
  readonly deafMs?: number | undefined;
}

/** What this server has seen, kept in memory. */
export interface MachineBook {
  /** The machine behind an address: by its lease, or by what it said of itself when nothing better is known. */
  macOf(address: string): string | undefined;
  /** Where DHCP is somebody else's, a machine tells who it is. */
  claim(address: string, facts: Partial<MachineFacts> & { readonly mac: string }, at: number): void;
  observe(observation: Observation, at: number): void;
  note(event: PxeEvent): void;
  /** The boots that have ended since the last call, each once. */
  ended(at: number): readonly BootRecord[];
  get(mac: string): MachineRecord | undefined;
  all(): readonly MachineRecord[];
}

const TROUBLES: Readonly<Partial<Record<string, Trouble["code"]>>> = {
  "binary-missing": "no-boot-program",
  "pool-exhausted": "pool-exhausted",
  loop: "loop",
  "boot-timeout": "timed-out",
};

function troubleOf(event: PxeEvent): Pick<Trouble, "code" | "detail"> | undefined {
  if (event.kind === "nak") return { code: "nak", detail: `${event.address}: ${event.reason}` };
  if (event.kind === "tftp" && (event.outcome === "failed" || event.outcome === "refused")) {
    return { code: "tftp", detail: `${event.file}: ${event.detail ?? event.outcome}` };
  }
  if (event.kind === "http" && event.status >= 500) {
    return { code: "http", detail: `${event.path}: ${event.detail ?? `status ${event.status}`}` };
  }
  const code = event.kind === "warning" ? TROUBLES[event.code] : undefined;
  return code && event.kind === "warning" ? { code, detail: event.message } : undefined;
}

function macIn(event: PxeEventBody): string | undefined {
  return "mac" in event ? event.mac : undefined;
}

/** Make an empty book. */
export function machineBook(): MachineBook {
  const machines = new Map<string, MachineRecord>();
  const cards = new Map<string, { mac: string; leased: boolean }>();
  /** Machines whose last boot is under way. */
  const running = new Set<string>();
  let finished: BootRecord[] = [];
  let boots = 0;

  const touch = (mac: string, at: number, change: (record: MachineRecord) => MachineRecord): void => {
    const before = machines.get(mac) ?? {
      mac,
      facts: { mac },
      firstSeen: at,
      lastSeen: at,
      boots: [],
      troubles: [],
    };
    machines.delete(mac);
    machines.set(mac, { ...change(before), lastSeen: at });
    const oldest = machines.size > MOST_MACHINES ? machines.keys().next().value : undefined;
    if (oldest !== undefined) machines.delete(oldest);
  };
  const bind = (address: string, mac: string, leased: boolean): void => {
    cards.delete(address);
    cards.set(address, { mac, leased });
    const oldest = cards.size > MOST_MACHINES ? cards.keys().next().value : undefined;
    if (oldest !== undefined) cards.delete(oldest);
  };
  const withTrouble = (
    record: MachineRecord,
    code: Trouble["code"],
    detail: string,
    at: number,
  ): MachineRecord => {
    const times = (record.troubles.find((trouble) => trouble.code === code)?.times ?? 0) + 1;
    const others = record.troubles.filter((trouble) => trouble.code !== code);
    return { ...record, troubles: [{ code, detail: detail.slice(0, 500), at, times }, ...others] };
  };
  const close = (boot: BootRecord): BootRecord => {
    const loaded = boot.steps.some(({ step }) => step === "kernel");
    const disk = boot.plan === LOCAL_DISK;
    const closed: BootRecord = { ...boot, outcome: loaded ? "loaded" : disk ? "disk" : "stopped" };
    finished.push(closed);
    return closed;
  };

  return {
    macOf: (address) => cards.get(address)?.mac,
    claim(address, facts, at) {
      const known = cards.get(address);
      const own = machines.get(facts.mac)?.address;
      // What DHCP has shown is not overridden by what a stranger says, of this address or of that machine.
      if (known?.leased === true && known.mac !== facts.mac) return;
      if (own !== undefined && own !== address && cards.get(own)?.leased === true) return;
      if (known?.leased !== true) bind(address, facts.mac, false);
      touch(facts.mac, at, (record) => ({ ...record, address, facts: { ...record.facts, ...facts } }));
    },
    observe({ client, type, seconds, otherServer, notAllowed }, at) {
      touch(client.mac, at, (before) => {
        const said = knownFacts(factsOf(client));
        let record = client.pxe ? { ...before, facts: { ...before.facts, ...said } } : before;
        if (notAllowed) return withTrouble(record, "not-allowed", "", at);
        if (!client.pxe && record.boots.length === 0) record = withTrouble(record, "not-pxe", "", at);
        const first = client.pxe && type === "discover" && record.boots[0]?.outcome !== "running";
        if (first) record = { ...record, deafMs: seconds >= DEAF_SECONDS ? seconds * 1000 : undefined };
        return otherServer === undefined ? record : withTrouble(record, "other-server", otherServer, at);
      });
    },
    note(event) {
      const mac = macIn(event);
      if (mac === undefined || event.kind === "boot") return;
      if (event.kind === "ack" || event.kind === "request") bind(event.address, mac, true);
      touch(mac, event.at, (before) => {
        const trouble = troubleOf(event);
        const record = trouble ? withTrouble(before, trouble.code, trouble.detail, event.at) : before;
        const address = event.kind === "ack" || event.kind === "request" ? { address: event.address } : {};
        let [current, ...others] = record.boots;
        if (beginsBoot(current, event)) {
          if (current) others = [current.outcome === "running" ? close(current) : current, ...others];
          const deaf = record.deafMs === undefined ? {} : { deafMs: record.deafMs };
          current = { id: `${++boots}`, mac, began: event.at, outcome: "running", steps: [], ...deaf };
          running.add(mac);
        }
        if (!current) return { ...record, ...address };
        const next = noteEvent(current, event);
        if (current.outcome === "running" && next.outcome !== "running") {
          running.delete(mac);
          finished.push(next);
        }
        return { ...record, ...address, boots: [next, ...others].slice(0, MOST_BOOTS) };
      });
    },
    ended(at) {
      for (const mac of running) {
        const record = machines.get(mac);
        const [current, ...others] = record?.boots ?? [];
        if (!record || current?.outcome !== "running") {
          running.delete(mac);
          continue;
        }
        const last = Math.max(current.began, ...current.steps.map(({ ended }) => ended));
        const loaded = current.steps.some(({ step }) => step === "kernel");
        const patience = loaded || current.plan === LOCAL_DISK ? QUIET_MS : STUCK_MS;
        if (at - last < patience) continue;
        running.delete(mac);
        machines.set(mac, { ...record, boots: [close(current), ...others] });
      }
      const out = finished;
      finished = [];
      return out;
    },
    get: (mac) => machines.get(mac),
    all: () => [...machines.values()],
  };
}
