import type { BootPlan } from "../policy/plan.ts";

/** A plan that waits to be booted once. */
export interface QueuedPlan {
  readonly run: string;
  readonly plan: BootPlan;
  /** Milliseconds from the script to the machine's call. */
  readonly timeoutMs: number;
  /** After a time-out: the next plan (or the policy), or the local disk until the queue is changed. */
  readonly fallback: "next" | "disk";
}

/** One try to boot a machine, from the script to what it sends back. */
export interface Attempt {
  readonly run: string;
  /** What the machine shows to prove that it is the one that was booted. */
  readonly token: string;
  readonly source: "queue" | "policy";
  readonly plan: BootPlan;
  readonly since: number;
  /** When a queued plan is given up. */
  readonly deadline?: number | undefined;
  /** `started`: the script went out. `booted`: the machine called. `over`: its token is worth nothing any more. */
  readonly state: "started" | "booted" | "over";
}

/** All that is to be remembered of one machine. */
export interface MachineQueue {
  readonly plans: readonly QueuedPlan[];
  readonly attempt?: Attempt | undefined;
  /** It gets its local disk until its queue is changed. */
  readonly held: boolean;
}

export const EMPTY_QUEUE: MachineQueue = { plans: [], held: false };

/** What happens to a machine's queue; times in milliseconds since 1970. */
export type QueueEvent =
  | { readonly kind: "replace"; readonly plans: readonly QueuedPlan[] }
  /** The machine asks for its script. `fresh` are a run and token to use if a new attempt begins. */
  | {
      readonly kind: "script";
      readonly fresh: { readonly run: string; readonly token: string };
      /** The policy's plan, when its boots are tracked too. */
      readonly otherwise: BootPlan | undefined;
    }
  | { readonly kind: "booted" | "done"; readonly token: string }
  | { readonly kind: "tick" };

/** What came of it. */
export type QueueAction =
  | { readonly kind: "boot"; readonly attempt: Attempt }
  | { readonly kind: "disk" }
  /** The queue has nothing to say: the policy decides. */
  | { readonly kind: "policy" }
  | { readonly kind: "accepted"; readonly attempt: Attempt }
  | { readonly kind: "refused" }
  | { readonly kind: "timed-out"; readonly attempt: Attempt };

/** The outcome of a step. */
export interface QueueOutcome {
  readonly queue: MachineQueue;
  readonly actions: readonly QueueAction[];
}

/** A machine without a queue that asks again this soon has lost the answer: it gets the same attempt. */
const REPEAT_MS = 30_000;

function expire(queue: MachineQueue, now: number): QueueOutcome {
  const { attempt } = queue;
  if (attempt?.state !== "started" || attempt.deadline === undefined || now < attempt.deadline) {
    return { queue, actions: [] };
  }
  const [head, ...rest] = queue.plans;
  const held = head?.fallback === "disk";
  const next = { plans: rest, attempt: { ...attempt, state: "over" as const }, held };
  return { queue: next, actions: [{ kind: "timed-out", attempt }] };
}

function onScript(
  queue: MachineQueue,
  event: Extract<QueueEvent, { kind: "script" }>,
  now: number,
): QueueOutcome {
  const { attempt, plans, held } = queue;
  if (held) return { queue, actions: [{ kind: "disk" }] };
  const [head] = plans;
  const open = attempt?.state === "started";
  if (open && attempt.source === "queue") return { queue, actions: [{ kind: "boot", attempt }] };
  if (head) {
    if (head.plan.target.kind !== "bundle") {
      // A disk or nothing cannot call back: the script itself uses such a plan up.
      const over = attempt && { ...attempt, state: "over" as const };
      return { queue: { plans: plans.slice(1), attempt: over, held }, actions: [{ kind: "disk" }] };
    }
    const begun: Attempt = {
      run: head.run,
      token: event.fresh.token,
      source: "queue",
      plan: head.plan,
      since: now,
      deadline: now + head.timeoutMs,
      state: "started",
    };
    return { queue: { ...queue, attempt: begun }, actions: [{ kind: "boot", attempt: begun }] };
  }
  if (event.otherwise?.target.kind !== "bundle") {
    const over = attempt && { ...attempt, state: "over" as const };
    const changed = attempt !== undefined && attempt.state !== "over";
    return { queue: changed ? { ...queue, attempt: over } : queue, actions: [{ kind: "policy" }] };
  }
  const repeated = open && now - attempt.since < REPEAT_MS;
  const begun: Attempt = {
    ...(repeated ? attempt : { ...event.fresh, since: now, source: "policy", state: "started" }),
    // The policy may have changed in between.
    plan: event.otherwise,
  };
  return { queue: { ...queue, attempt: begun }, actions: [{ kind: "boot", attempt: begun }] };
}

/**
 * One step of a machine's queue: pure. The plan at its head is used up by the booted machine's call, not by
 * the fetch of its script: a machine that loses power or its way in between boots the same plan again, with
 * the same token, until the plan's time is over.
 */
export function stepQueue(queue: MachineQueue, event: QueueEvent, now: number): QueueOutcome {
  const expired = expire(queue, now);
  const current = expired.queue;
  const also = (outcome: QueueOutcome): QueueOutcome => ({
    queue: outcome.queue,
    actions: [...expired.actions, ...outcome.actions],
  });
  switch (event.kind) {
    case "tick":
      return expired;
    case "replace": {
      // A machine that is just booting the old head may still call, but uses up nothing of the new queue.
      const { attempt } = current;
      const kept =
        attempt?.state === "started"
          ? { ...attempt, source: "policy" as const, since: 0, deadline: undefined }
          : attempt;
      return also({ queue: { plans: event.plans, attempt: kept, held: false }, actions: [] });
    }
    case "script":
      return also(onScript(current, event, now));
    default: {
      const { attempt } = current;
      const open = attempt?.token === event.token && attempt.state !== "over";
      const fits = open && (event.kind === "done" || attempt.state === "started");
      if (!fits) return also({ queue: current, actions: [{ kind: "refused" }] });
      const used = attempt.source === "queue" && attempt.state === "started";
      const next: MachineQueue = {
        ...current,
        plans: used ? current.plans.slice(1) : current.plans,
        attempt: { ...attempt, state: event.kind === "booted" ? "booted" : "over" },
      };
      return also({ queue: next, actions: [{ kind: "accepted", attempt }] });
    }
  }
}
