import { uuidForms, type ArchName, type FirmwareName, type MachineFacts } from "./facts.ts";
import { matchesGlob } from "./glob.ts";
import type { BootPlan, BootTarget, Params } from "./plan.ts";

/** A rule: all selectors that are there must fit, each with one of its patterns. */
export interface PolicyRule {
  readonly name?: string | undefined;
  readonly mac?: readonly string[] | undefined;
  readonly uuid?: readonly string[] | undefined;
  readonly serial?: readonly string[] | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly arch?: readonly ArchName[] | undefined;
  readonly firmware?: readonly FirmwareName[] | undefined;
  readonly boot: BootTarget;
  readonly cmdline?: string | undefined;
  readonly params?: Params | undefined;
}

/** What is written of one machine. */
export interface PolicyMachine {
  readonly mac: string;
  readonly name?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly cmdline?: string | undefined;
  readonly params?: Params | undefined;
}

/** Which machine boots what. */
export interface Policy {
  readonly machines: ReadonlyMap<string, PolicyMachine>;
  readonly rules: readonly PolicyRule[];
}

/** The outcome for one machine. */
export type PolicyDecision =
  | { readonly kind: "plan"; readonly rule: number; readonly plan: BootPlan }
  /** No rule fits. */
  | { readonly kind: "none" }
  /** It depends on a fact that is not known yet: on `needs`, of rule `rule`. */
  | { readonly kind: "open"; readonly rule: number; readonly needs: "uuid" | "serial" | "arch" | "firmware" };

type Fit = "yes" | "no" | Extract<PolicyDecision, { kind: "open" }>["needs"];

function fits(rule: PolicyRule, facts: MachineFacts, machine: PolicyMachine | undefined): Fit {
  const any = (patterns: readonly string[], texts: readonly string[]): boolean =>
    patterns.some((pattern) => texts.some((text) => matchesGlob(pattern, text)));
  if (rule.mac && !any(rule.mac, [facts.mac])) return "no";
  if (rule.tag && !any(rule.tag, machine?.tags ?? [])) return "no";
  let open: Fit = "yes";
  for (const key of ["arch", "firmware", "uuid", "serial"] as const) {
    const patterns = rule[key];
    if (!patterns) continue;
    const fact = facts[key];
    // A selector that cannot fit decides, whatever is still unknown of the others.
    if (fact === undefined) open = open === "yes" ? key : open;
    else if (!any(patterns, key === "uuid" ? uuidForms(fact) : [fact])) return "no";
  }
  return open;
}

const joined = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join(" ");

/**
 * The plan for a machine: that of the first rule whose selectors all fit. With `final` false a fact that is
 * not known leaves the decision open; with true it fits no selector. Pure, and the same for the same facts.
 *
 * @example
 * ```ts
 * import { choosePlan, parsePolicy } from "@justenough/pxe";
 * const policy = await parsePolicy("rules:\n  - { mac: '52:54:*', boot: disk }\n  - { boot: none }\n");
 * console.log(choosePlan(policy, { mac: "52:54:00:12:34:56" }, { final: true }));
 * ```
 */
export function choosePlan(
  policy: Policy,
  facts: MachineFacts,
  options: { readonly final: boolean },
): PolicyDecision {
  const machine = policy.machines.get(facts.mac);
  for (const [index, rule] of policy.rules.entries()) {
    const fit = fits(rule, facts, machine);
    if (fit === "no" || (fit !== "yes" && options.final)) continue;
    if (fit !== "yes") return { kind: "open", rule: index, needs: fit };
    const plan: BootPlan = {
      target: rule.boot,
      cmdline: joined(rule.cmdline, machine?.cmdline),
      params: { ...rule.params, ...machine?.params },
    };
    return { kind: "plan", rule: index, plan };
  }
  return { kind: "none" };
}

/** Whether the policy tells machines apart at all; if not, nobody has to say who they are. */
export function tellsApart(policy: Policy): boolean {
  return (
    policy.machines.size > 0 ||
    policy.rules.some(({ mac, uuid, serial, tag, arch, firmware }) =>
      [mac, uuid, serial, tag, arch, firmware].some((selector) => selector !== undefined),
    )
  );
}

/** The policy of a server for one bundle. */
export function policyOf(target: BootTarget): Policy {
  return { machines: new Map(), rules: [{ boot: target }] };
}
