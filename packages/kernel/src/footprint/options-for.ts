import { listFeatures } from "../feature.ts";
import {
  COMMAND_RULES,
  FILE_SYSTEM_RULES,
  NAMESPACE_RULES,
  PATH_RULES,
  SOCKET_RULES,
} from "./argument-rules.ts";
import type { ArgumentRule } from "./argument-rules.ts";
import { SYSCALL_RULES } from "./syscall-rules.ts";

/** A system call that a program makes, or may make. */
export interface KernelUse {
  /** Its name; `foreign` for one of another table than the machine's own. */
  readonly call: string;
  /** The argument that matters, as the tracer of `@justenough/qemu` has it: a path, a type, numbers in hexadecimal; `#!` of a script. */
  readonly detail: string;
  /** Who makes it: the name of a program, or the path of a file. */
  readonly by: string;
  /** `seen`: in a run; `possible`: its code or its imports have it. */
  readonly evidence: "seen" | "possible";
  /** The number of the error with which it ended; 0 or undefined: none. */
  readonly errno?: number | undefined;
}

/** A symbol that a program needs, and why. */
export interface OptionNeed {
  readonly symbol: string;
  /** A feature that asks for it, the smallest; undefined where there is none. */
  readonly feature: string | undefined;
  /** `seen`: a run used it; `tried`: a run did without; `possible`: code has it that no run has reached. */
  readonly evidence: "seen" | "tried" | "possible";
  /** In words: `epoll_create1, called by redis-server`. */
  readonly reasons: readonly string[];
}

// What is on with something else, and cannot be asked for (fs/Kconfig, kernel/trace/Kconfig).
const FOLLOWS: Readonly<Record<string, string>> = { MEMFD_CREATE: "TMPFS", TRACING: "FTRACE" };

const BY_CALL = new Map(
  SYSCALL_RULES.flatMap(({ calls, symbol }) => calls.map((call) => [call, symbol] as const)),
);

const OPENS = new Set(
  "open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat chdir statfs inotify_add_watch".split(
    " ",
  ),
);

const STRENGTH = ["possible", "tried", "seen"] as const;

/** The errors that mean that what an argument names is not there: ENOENT, ENXIO, ENODEV, EPROTONOSUPPORT, EAFNOSUPPORT. */
const NOT_THERE = [2, 6, 19, 93, 97];
const ENOSYS = 38;

/** A symbol that one call asks for, and the errors with which a kernel says that it has none of it. */
interface Want {
  readonly symbol: string;
  readonly what: string;
  readonly absent: readonly number[];
}

/**
 * The symbols that what programs do needs of the kernel, each with its reasons; what every kernel can do is not among
 * them. Strongest evidence first.
 *
 * @example
 * ```ts
 * import { optionsFor } from "@justenough/kernel";
 * const uses = [{ call: "epoll_create1", detail: "", by: "redis-server", evidence: "seen" }] as const;
 * for (const { symbol, feature, reasons } of optionsFor(uses))
 *   console.log(symbol, feature, reasons); // EPOLL base [ "epoll_create1, called by redis-server" ]
 * ```
 */
export function optionsFor(uses: readonly KernelUse[]): OptionNeed[] {
  const needs = new Map<
    string,
    { evidence: OptionNeed["evidence"]; reasons: Map<string, OptionNeed["evidence"]> }
  >();
  for (const use of uses) {
    for (const { symbol, what, absent } of wantedBy(use)) {
      const failed = absent.includes(use.errno ?? 0);
      const evidence = use.evidence === "possible" ? "possible" : failed ? "tried" : "seen";
      const does = use.evidence === "possible" ? `in ${use.by}` : `called by ${use.by}`;
      const reason = `${what}, ${does}${failed ? ", which got an error" : ""}`;
      const name = FOLLOWS[symbol] ?? symbol;
      const need = needs.get(name) ?? { evidence, reasons: new Map() };
      if (STRENGTH.indexOf(evidence) > STRENGTH.indexOf(need.evidence)) need.evidence = evidence;
      need.reasons.set(reason, evidence);
      needs.set(name, need);
    }
  }
  const list = Array.from(needs, ([symbol, { evidence, reasons }]): OptionNeed => ({
    symbol,
    feature: featureFor(symbol),
    evidence,
    // Weaker ones say nothing more.
    reasons: [...reasons].filter(([, one]) => one === evidence).map(([reason]) => reason),
  }));
  return list.toSorted(
    (a, b) => STRENGTH.indexOf(b.evidence) - STRENGTH.indexOf(a.evidence) || (a.symbol < b.symbol ? -1 : 1),
  );
}

/** All symbols that {@link optionsFor} can tell of. */
export function knownOptions(): ReadonlySet<string> {
  const rules = [
    ...SYSCALL_RULES,
    ...SOCKET_RULES,
    ...FILE_SYSTEM_RULES,
    ...PATH_RULES,
    ...NAMESPACE_RULES,
    ...COMMAND_RULES,
  ];
  return new Set([...rules.map(({ symbol }) => FOLLOWS[symbol] ?? symbol), "BINFMT_SCRIPT"]);
}

function wantedBy({ call, detail }: KernelUse): Want[] {
  const found: Want[] = [];
  const want = (symbol: string, what: string, absent: readonly number[] = NOT_THERE): void => {
    found.push({ symbol, what, absent });
  };
  const own = BY_CALL.get(call);
  // Any other error is an answer: of epoll_ctl for a descriptor that it does not have, say.
  if (own !== undefined) want(own, call, [ENOSYS]);
  if (call === "execve" && detail.startsWith("#!")) want("BINFMT_SCRIPT", "a script for an interpreter");
  if (call === "foreign") want("IA32_EMULATION", "system calls of the 32-bit kind", [ENOSYS]);
  if (detail === "") return found;
  if (OPENS.has(call) || call === "ioctl") {
    const [path = ""] = detail.split(" ");
    const rule = pathRule(path);
    if (rule !== undefined) want(rule.symbol, `${path} (${call})`);
  }
  if (call === "socket" || call === "socketpair") {
    const family = String(Number.parseInt(detail, 16));
    const rule = SOCKET_RULES.find(({ value }) => value === family);
    if (rule !== undefined) want(rule.symbol, `a socket of family ${rule.text.slice(3)}`);
  }
  if (call === "mount" || call === "fsopen") {
    const rule = FILE_SYSTEM_RULES.find(({ value }) => value === detail);
    if (rule !== undefined) want(rule.symbol, `a file system of type ${detail}`);
  }
  if (["clone", "clone3", "unshare", "setns"].includes(call)) {
    for (const { value, symbol, text } of NAMESPACE_RULES) {
      if (hasFlag(detail, value)) want(symbol, `${call} with ${text}`);
    }
  }
  const command = COMMAND_RULES.find(
    ({ call: one, value }) =>
      one === call && (value === detail || (call === "memfd_create" && hasFlag(detail, value))),
  );
  if (command !== undefined) want(command.symbol, `${call} with 0x${detail}`);
  return found;
}

function hasFlag(flags: string, flag: string): boolean {
  return /^[0-9a-f]+$/i.test(flags) && (BigInt(`0x${flags}`) & BigInt(`0x${flag}`)) !== 0n;
}

/** The rule for a path; `/proc/12` and `/proc/thread-self` have what `/proc/self` has. */
function pathRule(path: string): ArgumentRule | undefined {
  const usual = path
    .replace(/^\/proc\/(?:\d+|thread-self)(?=\/|$)/, "/proc/self")
    .replace(/^\/proc\/self\/task\/\d+/, "/proc/self");
  let best: ArgumentRule | undefined;
  for (const rule of PATH_RULES) {
    // "/dev/rtc0" is an rtc too, "/sys/blockade" is no "/sys/block".
    const rest = usual.startsWith(rule.value) ? usual.slice(rule.value.length) : undefined;
    if (rest === undefined || !/^(?:$|\/|\d+$)/.test(rest)) continue;
    if (best === undefined || rule.value.length > best.value.length) best = rule;
  }
  return best;
}

let byFeature: ReadonlyMap<string, string> | undefined;

// base, which every appliance has, goes before all, then the feature of the symbol's name, then the one that asks for the
// least beside it.
function featureFor(symbol: string): string | undefined {
  if (byFeature === undefined) {
    const best = new Map<string, { readonly name: string; readonly rank: number }>();
    for (const { name, fragments } of listFeatures()) {
      const requests = fragments.flatMap((fragment) => fragment.requests);
      const size = name === "base" ? 0 : requests.length;
      for (const { symbol: asked, value } of requests) {
        const rank = name === asked.toLowerCase() ? Math.min(size, 1) : size;
        if (value.text === "y" && rank < (best.get(asked)?.rank ?? Infinity)) best.set(asked, { name, rank });
      }
    }
    byFeature = new Map(Array.from(best, ([asked, { name }]) => [asked, name]));
  }
  return byFeature.get(symbol);
}
