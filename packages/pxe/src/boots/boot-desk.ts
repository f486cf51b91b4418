import { randomBytes } from "node:crypto";
import { httpUrl, SCRIPT_FILE, type BootSite, type BootStep } from "../boot-policy.ts";
import type { PxeBundle } from "../bundle-files.ts";
import type { BootClient } from "../client.ts";
import type { PxeEventBody } from "../events.ts";
import { sameSecret } from "../http/answer.ts";
import { ipxeAsk } from "../ipxe-script.ts";
import { choosePlan, tellsApart } from "../policy/choose-plan.ts";
import { factsOf, factsOfQuery, knownFacts, type MachineFacts } from "../policy/facts.ts";
import { describeTarget, type BootPlan } from "../policy/plan.ts";
import type { PolicyHolder } from "../policy/policy-holder.ts";
import type { FileRequest, VirtualFile } from "../virtual-files.ts";
import type { MachineBook } from "../watch/machine-book.ts";
import { openJournal, readEntries, type Journal } from "./journal.ts";
import { planWriter, type PlanWriter, type ScriptReader } from "./plan-script.ts";
import {
  EMPTY_QUEUE,
  stepQueue,
  type Attempt,
  type MachineQueue,
  type QueueAction,
  type QueuedPlan,
  type QueueEvent,
} from "./queue.ts";

/** What the desk needs of its server. */
export interface BootDeskParts {
  readonly policy: PolicyHolder;
  readonly book: MachineBook;
  /** The names that are served; bundles of plans and parameters are added. */
  readonly files: Map<string, VirtualFile>;
  readonly site: BootSite;
  /** The server's own bundle, which has names already. */
  readonly own: PxeBundle | undefined;
  /** The journal's file; none keeps queues in memory. */
  readonly journal: string | undefined;
  /** Every boot gets a token, not only those of queues. */
  readonly tracked: boolean;
  readonly emit: (event: PxeEventBody) => void;
  readonly now?: (() => number) | undefined;
}

/** What a machine is to boot, and for whom its boot program is told so. */
export interface Decision {
  readonly plan: BootPlan;
  readonly reader: ScriptReader;
}

/** Decides what machines boot, and keeps what is still to be booted. */
export interface BootDesk extends AsyncDisposable {
  /** What the policy says before a script is asked for; undefined leaves it to the script. */
  rule(client: BootClient): BootStep | undefined;
  /** Whether only an iPXE can tell what decides about this machine, such as its serial number. */
  needsIpxe(client: BootClient): boolean;
  /**
   * What whoever asks boots; the journal is written before it is handed out. With `final` false there is no
   * decision as long as the machine can be asked to say more.
   */
  decide(request: FileRequest, final: true): Promise<Decision>;
  decide(request: FileRequest, final: boolean): Promise<Decision | undefined>;
  readonly write: PlanWriter;
  /** The iPXE script for whoever asks. */
  script(request: FileRequest): Promise<string>;
  queue(mac: string): MachineQueue;
  queued(): number;
  replaceQueue(mac: string, plans: readonly QueuedPlan[]): Promise<void>;
  /** A machine calls: true when the token is the one of its boot and was not used before. */
  call(kind: "booted" | "done", mac: string, token: string): Promise<Attempt | undefined>;
  /** The attempt that may send files to a run. */
  uploader(run: string, token: string): { readonly mac: string; readonly attempt: Attempt } | undefined;
  /** Give up plans whose time is over. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const secret = (): string => randomBytes(16).toString("hex");

/** Machines whose boots are remembered here, as elsewhere; more only when plans wait for them. */
const MOST_MACHINES = 4096;

interface Entry {
  readonly mac: string;
  readonly queue: MachineQueue;
}

/** Nothing of it need be remembered. */
function isEmpty({ plans, held, attempt }: MachineQueue): boolean {
  return plans.length === 0 && !held && (attempt === undefined || attempt.state === "over");
}

function freshRun(mac: string, now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  return `${time}-${mac.replaceAll(":", "")}-${randomBytes(3).toString("hex")}`;
}

/** Open the desk; queues of an earlier run of the server are taken up again. */
export async function openBootDesk(parts: BootDeskParts): Promise<BootDesk> {
  const { policy, book, files, site, own, journal: file, tracked, emit } = parts;
  const now = parts.now ?? Date.now;
  /** The longest unchanged first. */
  const queues = new Map<string, MachineQueue>();
  // A run belongs to one machine at a time.
  const runs = new Map<string, string>();
  const put = (mac: string, queue: MachineQueue): void => {
    const before = queues.get(mac)?.attempt?.run;
    if (before !== undefined && runs.get(before) === mac) runs.delete(before);
    queues.delete(mac);
    if (!isEmpty(queue)) queues.set(mac, queue);
    if (queue.attempt && queue.attempt.state !== "over") runs.set(queue.attempt.run, mac);
  };
  /** What is kept in the file, unless we know better. */
  const adopt = (entries: readonly unknown[]): void => {
    const known = new Set(queues.keys());
    for (const { mac, queue } of entries as readonly Entry[]) if (!known.has(mac)) put(mac, queue);
  };
  const live = (): Entry[] => [...queues].map(([mac, queue]) => ({ mac, queue }));
  let opening: Promise<Journal<Entry>> | undefined;
  const opened = (path: string): Promise<Journal<Entry>> =>
    (opening ??= openJournal(path, { live, adopt }).catch((error: unknown) => {
      // The next one who has something to write tries again.
      opening = undefined;
      throw error;
    }));
  if (file !== undefined) {
    adopt(await readEntries(file));
    const waits = queues.size > 0;
    queues.clear();
    runs.clear();
    // Where every boot is written down, a directory that cannot be written is better known now; and of two servers
    // only one may boot what is queued.
    if (tracked || waits) await opened(file);
  }

  /** The state is on the disk before anybody hears of it. */
  const save = async (mac: string, queue: MachineQueue): Promise<void> => {
    if (file !== undefined) await (await opened(file)).append({ mac, queue });
  };
  /** Anybody can say that it is one machine after the other: boots that only the policy decided are forgotten. */
  const trim = async (): Promise<void> => {
    if (queues.size <= MOST_MACHINES) return;
    for (const [mac, { plans, held }] of queues) {
      if (plans.length > 0 || held) continue;
      put(mac, EMPTY_QUEUE);
      return save(mac, EMPTY_QUEUE);
    }
  };

  const step = async (mac: string, event: QueueEvent): Promise<readonly QueueAction[]> => {
    const before = queues.get(mac) ?? EMPTY_QUEUE;
    const { queue, actions } = stepQueue(before, event, now());
    if (queue !== before) {
      put(mac, queue);
      try {
        await save(mac, queue);
      } catch (error) {
        // Whoever asked is told that it failed: then it is as if it had not asked. Time goes on all the same.
        const current = queues.get(mac);
        if (event.kind !== "tick" && (current ?? queue) === queue) put(mac, before);
        throw error;
      }
      await trim();
    }
    for (const action of actions) {
      if (action.kind !== "timed-out") continue;
      const seconds = Math.round((now() - action.attempt.since) / 1000);
      const message = `${mac} has not called ${seconds} s after its script (run ${action.attempt.run})`;
      const hint = "its plan is given up; the console of the machine tells more";
      emit({ kind: "warning", code: "boot-timeout", message, hint, mac });
    }
    return actions;
  };

  const write = planWriter({ files, site, own });
  const isOpen = (client: BootClient): boolean => {
    const facts = { ...book.get(client.mac)?.facts, ...knownFacts(factsOf(client)) };
    return choosePlan(policy.current(), facts, { final: false }).kind === "open";
  };

  async function decide(request: FileRequest, final: true): Promise<Decision>;
  async function decide(request: FileRequest, final: boolean): Promise<Decision | undefined>;
  async function decide(request: FileRequest, final: boolean): Promise<Decision | undefined> {
    const { via, client, query } = request;
    const said = query === undefined ? {} : factsOfQuery(query);
    if (said.mac !== undefined) book.claim(client, { ...said, mac: said.mac }, now());
    const mac = book.macOf(client);
    const asked = final || query?.has("mac") === true || via === "tftp";
    const current = policy.current();
    if (mac === undefined) {
      // Nobody has to say who it is when it makes no difference.
      if (!asked && (tellsApart(current) || tracked || queues.size > 0)) return undefined;
      const decision = choosePlan(current, { mac: "" }, { final: true });
      return { plan: decision.kind === "plan" ? decision.plan : NOTHING, reader: { mac: undefined, via } };
    }
    const known = book.get(mac)?.facts;
    const facts: MachineFacts = { ...known, ...said, mac };
    if (!asked && choosePlan(current, facts, { final: false }).kind === "open") return undefined;
    const decision = choosePlan(current, facts, { final: true });
    const otherwise = decision.kind === "plan" ? decision.plan : NOTHING;
    const fresh = { run: freshRun(mac, now()), token: secret() };
    const event = { kind: "script", fresh, otherwise: tracked ? otherwise : undefined } as const;
    for (const action of await step(mac, event)) {
      if (action.kind === "boot") {
        const { attempt } = action;
        const rule = attempt.source === "policy" && decision.kind === "plan" ? { rule: decision.rule } : {};
        emit({ kind: "plan", mac, plan: describeTarget(attempt.plan.target), run: attempt.run, ...rule });
        return { plan: attempt.plan, reader: { mac, via, attempt } };
      }
      if (action.kind === "disk") {
        emit({ kind: "plan", mac, plan: describeTarget({ kind: "disk" }) });
        return { plan: DISK, reader: { mac, via } };
      }
    }
    if (tellsApart(current)) {
      const rule = decision.kind === "plan" ? { rule: decision.rule } : {};
      emit({ kind: "plan", mac, plan: describeTarget(otherwise.target), ...rule });
    }
    return { plan: otherwise, reader: { mac, via } };
  }

  const script = async (request: FileRequest): Promise<string> => {
    const decision = await decide(request, false);
    return decision ? write.ipxe(decision.plan, decision.reader) : ipxeAsk(httpUrl(site, SCRIPT_FILE));
  };

  const close = async (): Promise<void> => {
    const journal = await opening?.catch(() => undefined);
    await journal?.close();
  };
  return {
    decide,
    write,
    script,
    close,
    // A plan that waits is the same whatever the machine says.
    needsIpxe: (client) => (queues.get(client.mac)?.plans.length ?? 0) === 0 && isOpen(client),
    [Symbol.asyncDispose]: close,
    rule(client) {
      const queue = queues.get(client.mac);
      const ipxe = client.ipxe !== undefined;
      if (queue?.held === true) return ipxe ? undefined : LOCAL;
      if (queue && queue.plans.length > 0) return undefined;
      const facts = { ...book.get(client.mac)?.facts, ...knownFacts(factsOf(client)) };
      const decision = choosePlan(policy.current(), facts, { final: false });
      if (decision.kind === "open") return undefined;
      if (decision.kind === "none") return ruled("no rule of the policy fits it");
      const { kind } = decision.plan.target;
      if (kind === "none") return ruled(`rule ${decision.rule + 1} of the policy says so`);
      return kind === "disk" && !ipxe ? LOCAL : undefined;
    },
    queue: (mac) => queues.get(mac) ?? EMPTY_QUEUE,
    queued: () => [...queues.values()].reduce((sum, { plans }) => sum + plans.length, 0),
    async replaceQueue(mac, plans) {
      await step(mac, { kind: "replace", plans });
      emit({ kind: "queue", mac, plans: plans.length });
    },
    async call(kind, mac, token) {
      const attempt = queues.get(mac)?.attempt;
      if (!attempt || !sameSecret(token, attempt.token)) return undefined;
      const actions = await step(mac, { kind, token });
      return actions.find((action) => action.kind === "accepted")?.attempt;
    },
    uploader(run, token) {
      const mac = runs.get(run);
      const attempt = mac === undefined ? undefined : queues.get(mac)?.attempt;
      if (mac === undefined || attempt?.run !== run || attempt.state === "over") return undefined;
      return sameSecret(token, attempt.token) ? { mac, attempt } : undefined;
    },
    async tick() {
      for (const mac of [...queues.keys()]) await step(mac, { kind: "tick" });
    },
  };
}

const NOTHING: BootPlan = { target: { kind: "none" }, cmdline: "", params: {} };
const DISK: BootPlan = { ...NOTHING, target: { kind: "disk" } };
const ruled = (reason: string): BootStep => ({ stage: "none", reason, by: "policy" });
const LOCAL = ruled("it is to boot from its local disk");
