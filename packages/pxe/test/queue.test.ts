import { describe, expect, test } from "vitest";
import {
  EMPTY_QUEUE,
  stepQueue,
  type BootPlan,
  type MachineQueue,
  type QueueAction,
  type QueuedPlan,
  type QueueEvent,
} from "../src/index.ts";

const bundle = (name: string): BootPlan => ({
  target: { kind: "bundle", bundle: { kernel: name, initrd: [], cmdline: "" } },
  cmdline: "",
  params: {},
});
const DISK: BootPlan = { target: { kind: "disk" }, cmdline: "", params: {} };
const queued = (run: string, change: Partial<QueuedPlan> = {}): QueuedPlan => ({
  run,
  plan: bundle(run),
  timeoutMs: 1000,
  fallback: "next",
  ...change,
});

/** A machine's queue with a clock and tokens that count. */
function machine(...plans: QueuedPlan[]) {
  let queue: MachineQueue = { ...EMPTY_QUEUE, plans };
  let tokens = 0;
  const send = (event: QueueEvent, at: number): readonly QueueAction[] => {
    // What a crash would leave on the disk is all that the next step knows.
    const outcome = stepQueue(JSON.parse(JSON.stringify(queue)) as MachineQueue, event, at);
    ({ queue } = outcome);
    return outcome.actions;
  };
  return {
    send,
    script: (at: number, otherwise?: BootPlan) =>
      send({ kind: "script", fresh: { run: `p${++tokens}`, token: `t${tokens}` }, otherwise }, at),
    booted: (token: string, at: number) => send({ kind: "booted", token }, at).map(({ kind }) => kind),
    done: (token: string, at: number) => send({ kind: "done", token }, at).map(({ kind }) => kind),
    plans: () => queue.plans.map(({ run }) => run),
    queue: () => queue,
  };
}

const boots = (actions: readonly QueueAction[]) =>
  actions.map((action) =>
    action.kind === "boot" ? `${action.attempt.run} ${action.attempt.token}` : action.kind,
  );

describe("boot once", () => {
  test("the call uses a plan up, not the script", () => {
    const one = machine(queued("a"), queued("b"));
    expect(boots(one.script(0))).toEqual(["a t1"]);
    // Power lost: the same plan with the same token.
    expect(boots(one.script(500))).toEqual(["a t1"]);
    expect(one.plans()).toEqual(["a", "b"]);
    expect(one.booted("t1", 600)).toEqual(["accepted"]);
    expect(one.plans()).toEqual(["b"]);
    expect(boots(one.script(700))).toEqual(["b t3"]);
  });
  test("a token is good once, for its own boot", () => {
    const one = machine(queued("a"), queued("b"));
    one.script(0);
    expect(one.booted("wrong", 1)).toEqual(["refused"]);
    expect(one.booted("t1", 1)).toEqual(["accepted"]);
    expect(one.booted("t1", 2)).toEqual(["refused"]);
    expect(one.done("t1", 3)).toEqual(["accepted"]);
    expect(one.done("t1", 4)).toEqual(["refused"]);
    expect(one.plans()).toEqual(["b"]);
  });
  test("the next boot closes the run before", () => {
    const one = machine(queued("a"));
    one.script(0);
    one.booted("t1", 1);
    expect(boots(one.script(2))).toEqual(["policy"]);
    expect(one.done("t1", 3)).toEqual(["refused"]);
  });
  test("a result without a call counts as one", () => {
    const one = machine(queued("a"));
    one.script(0);
    expect(one.done("t1", 1)).toEqual(["accepted"]);
    expect(one.plans()).toEqual([]);
  });
});

describe("a plan whose time is over", () => {
  test("the next one comes", () => {
    const one = machine(queued("a"), queued("b"));
    one.script(0);
    expect(one.send({ kind: "tick" }, 999)).toEqual([]);
    expect(one.send({ kind: "tick" }, 1000)).toMatchObject([{ kind: "timed-out", attempt: { run: "a" } }]);
    expect(one.booted("t1", 1001)).toEqual(["refused"]);
    expect(boots(one.script(1002))).toEqual(["b t2"]);
  });
  test("a late call is too late also when nobody looked at the clock", () => {
    const one = machine(queued("a"));
    one.script(0);
    expect(one.booted("t1", 1000)).toEqual(["timed-out", "refused"]);
  });
  test("or the local disk, until the queue is changed", () => {
    const one = machine(queued("a", { fallback: "disk" }), queued("b"));
    one.script(0);
    expect(boots(one.script(2000))).toEqual(["timed-out", "disk"]);
    expect(boots(one.script(9000))).toEqual(["disk"]);
    one.send({ kind: "replace", plans: [queued("c")] }, 9001);
    expect(boots(one.script(9002))).toEqual(["c t4"]);
  });
});

describe("beside the policy", () => {
  test("nothing queued, nothing tracked", () => {
    const one = machine();
    expect(boots(one.script(0))).toEqual(["policy"]);
    expect(one.queue()).toEqual(EMPTY_QUEUE);
  });
  test("tracked boots of the policy get a run; a repeated fetch within half a minute gets the same", () => {
    const one = machine();
    expect(boots(one.script(0, bundle("x")))).toEqual(["p1 t1"]);
    expect(one.script(10, bundle("y"))).toMatchObject([{ attempt: { run: "p1", plan: bundle("y") } }]);
    expect(boots(one.script(40_000, bundle("x")))).toEqual(["p3 t3"]);
    expect(one.booted("t1", 40_001)).toEqual(["refused"]);
    expect(one.booted("t3", 40_002)).toEqual(["accepted"]);
    expect(boots(one.script(40_003, DISK))).toEqual(["policy"]);
  });
  test("a plan for the disk is used up by its script", () => {
    const one = machine(queued("a", { plan: DISK }), queued("b"));
    expect(boots(one.script(0))).toEqual(["disk"]);
    expect(boots(one.script(1))).toEqual(["b t2"]);
  });
  test("a machine that boots what was queued before uses up nothing of the new queue", () => {
    const one = machine(queued("a"));
    one.script(0);
    one.send({ kind: "replace", plans: [queued("b")] }, 1);
    expect(one.booted("t1", 2)).toEqual(["accepted"]);
    expect(one.plans()).toEqual(["b"]);
  });
});

test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
  "seed %i: no plan is booted twice, and none goes without a call or a time-out",
  (seed) => {
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const one = machine(...Array.from({ length: 30 }, (_, index) => queued(`run${index}`)));
    const gone = new Map<string, string>();
    let now = 0;
    let token = "";
    for (let round = 0; round < 2000 && one.plans().length > 0; round++) {
      now += below(500);
      const before = one.plans();
      const kind = below(5) === 0 ? "done" : "booted";
      const actions =
        below(2) === 0 ? one.script(now) : one.send({ kind, token: below(4) === 0 ? "guess" : token }, now);
      for (const action of actions) {
        if (action.kind === "boot") ({ token } = action.attempt);
        if (action.kind !== "accepted" && action.kind !== "timed-out") continue;
        const { run, state } = action.attempt;
        if (state !== "started") continue;
        expect(gone.has(run), run).toBe(false);
        gone.set(run, action.kind);
      }
      const left = new Set(one.plans());
      for (const run of before) if (!left.has(run)) expect(gone.has(run), run).toBe(true);
    }
    expect(one.plans()).toEqual([]);
    expect(gone.size).toBe(30);
    expect([...gone.values()]).toContain("accepted");
  },
);
