import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keptDirectory } from "../../kconfig/test/reference/cache.ts";
import { kernelTree } from "../../kconfig/test/reference/kernel-tree.ts";
import { formatCondition, readKbuild } from "../src/index.ts";
import type { Mention } from "../src/index.ts";
import {
  COMMAND_RULES,
  FILE_SYSTEM_RULES,
  NAMESPACE_RULES,
  PATH_RULES,
  SOCKET_RULES,
} from "../src/footprint/argument-rules.ts";
import { SYSCALL_RULES } from "../src/footprint/syscall-rules.ts";

/** In sys_ni.c, and not an option's on x86_64, arm64 and riscv64 with virtual memory. */
const NO_OPTION: readonly (readonly [RegExp, string])[] = [
  [/_time32$|32$|^ipc$|^old_|^socketcall$|^recv$|^send$|^fadvise64_64$/, "of machines with 32 bits"],
  [/16$|^vm86|^uselib$|^sgetmask$|^ssetmask$/, "of old programs"],
  [/^(?:clone3$|pciconfig_|s390_|rtas$|spu_|subpage_prot$)/, "of other architectures"],
  [
    /^(?:mremap|mprotect|msync|mlock2?|munlock|mlockall|munlockall|mincore|remap_file_pages|process_mrelease|mseal)$/,
    "of every kernel with virtual memory",
  ],
  [/^pkey_|^map_shadow_stack$|^uretprobe$/, "the processor decides, programs do without"],
  [/^io_uring_register$/, "in another file than the others of io_uring since 6.8"],
  [/^(?:copy_file_range|execveat)$/, "conditional no more"],
  [/^lookup_dcookie$|^nfsservctl$|^sysctl$|^bdflush$/, "gone"],
];

// The files that the rules name, and the list of what may be missing; Makefiles are in the tree of kconfig's tests.
function sources(series: "6.1" | "6.12", files: readonly string[]): string {
  const name = `linux-source-${series}`;
  const version = execFileSync("apt-cache", ["show", "--no-all-versions", name], { encoding: "utf8" });
  return keptDirectory(
    `footprint-${series}`,
    [/^Version: (.*)$/m.exec(version)?.[1] ?? "", ...files],
    (target) => {
      execFileSync("apt-get", ["-o", "APT::Sandbox::User=root", "download", name], {
        cwd: target,
        stdio: ["ignore", "ignore", "inherit"],
      });
      const script =
        `dpkg-deb --fsys-tarfile *.deb | tar xO --wildcards './usr/src/linux-source-*.tar.xz' | ` +
        `tar xJ --strip-components=1 --wildcards ${files.map((file) => `'*/${file}'`).join(" ")}; rm *.deb`;
      execFileSync("bash", ["-c", script], { cwd: target, stdio: ["ignore", "ignore", "ignore"] });
    },
  );
}

/** The conditions of the preprocessor around a place in a file, outermost first. */
function guards(text: string, place: number): string[] {
  const open: string[] = [];
  for (const line of text.slice(0, place).split("\n")) {
    const directive = /^#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)/.exec(line);
    if (directive === null) continue;
    const [, word = "", rest = ""] = directive;
    if (word === "endif") open.pop();
    else if (word === "else" || word === "elif")
      open.push(`not ${open.pop() ?? ""}${word === "elif" ? rest : ""}`);
    else open.push(`${word === "ifndef" ? "not " : ""}${rest.trim()}`);
  }
  return open;
}

const ARGUMENTS = [
  ...SOCKET_RULES,
  ...FILE_SYSTEM_RULES,
  ...PATH_RULES,
  ...NAMESPACE_RULES,
  ...COMMAND_RULES,
];
const FILES = [...new Set([...SYSCALL_RULES, ...ARGUMENTS].map(({ source }) => source))];

describe.each(["6.1", "6.12"] as const)("Linux %s", { timeout: 300_000 }, (series) => {
  const tree = sources(series, [...FILES, "kernel/sys_ni.c", "kernel/sched/build_utility.c"]);
  const read = (file: string): string => readFileSync(join(tree, file), "utf8");

  const kbuild = readKbuild(kernelTree(series).directory, "x86");
  // Conditions of the object, of what it is a part of, and of each directory on the way to it.
  const conditionsOf = async (source: string): Promise<readonly string[]> => {
    const { objects, directories } = await kbuild;
    const lines: Mention[] = [];
    const waiting = [source.replace(/\.c$/, ".o")];
    for (const object of waiting) {
      const mentions = objects.get(object) ?? [];
      lines.push(...mentions);
      waiting.push(
        ...mentions.flatMap(({ owner }) => owner ?? []).filter((owner) => !waiting.includes(owner)),
      );
      const steps = object.split("/").slice(0, -1);
      const above = steps.map((_, index) => steps.slice(0, index + 1).join("/"));
      lines.push(...above.flatMap((directory) => directories.get(directory) ?? []));
    }
    const built = lines.flatMap(({ builtin, module }) => [formatCondition(builtin), formatCondition(module)]);
    return source.startsWith("kernel/sched/") ? [...built, includeGuard(source)] : built;
  };
  const names = (conditions: readonly string[], symbol: string): boolean =>
    conditions.some((one) => new RegExp(`(?<!not .*)\\b(?:CONFIG_)?${symbol}\\b`).test(one));

  test("each rule's calls exist only with its symbol", async () => {
    const wrong: string[] = [];
    let checked = 0;
    for (const { symbol, calls, source } of SYSCALL_RULES) {
      // 6.1 has no such calls yet.
      if (!existsSync(join(tree, source))) {
        expect(["security/lsm_syscalls.c"], series).toContain(source);
        continue;
      }
      const text = read(source);
      const built = await conditionsOf(source);
      for (const call of calls) {
        const place = text.search(new RegExp(`\\bSYSCALL_DEFINE\\d\\(${call}\\b`));
        if (place < 0) {
          wrong.push(`${call} is not in ${source}`);
          continue;
        }
        const conditions = [...guards(text, place), ...built];
        const named = names(conditions, symbol);
        if (!named) wrong.push(`${call} in ${source} needs ${conditions.join(" | ")}, not ${symbol}`);
        checked += 1;
      }
    }
    expect(wrong.filter((line) => !isYounger(series, line))).toEqual([]);
    expect(checked).toBeGreaterThan(120);
  });

  test("what arguments name is there only with its symbol", async () => {
    const wrong: string[] = [];
    for (const { value, symbol, source, text } of ARGUMENTS) {
      const code = read(source);
      const places = [...code.matchAll(new RegExp(text.replaceAll(/[^\w]/g, String.raw`\$&`), "g"))].map(
        ({ index }) => index,
      );
      const built = await conditionsOf(source);
      const named = names(built, symbol) || places.some((place) => names(guards(code, place), symbol));
      if (places.length === 0) wrong.push(`${value}: ${source} has no ${text}`);
      else if (!named && symbol !== "TMPFS")
        wrong.push(`${value}: ${source} needs ${built.join(" | ")}, not ${symbol}`);
    }
    expect(wrong).toEqual([]);
  });

  test("every call that a kernel may lack is in a rule, or is none that an option decides", () => {
    const conditional = [...read("kernel/sys_ni.c").matchAll(/^COND_SYSCALL\((\w+)\);/gm)].map(
      ([, name]) => name ?? "",
    );
    expect(conditional.length).toBeGreaterThan(200);
    const known = new Set(SYSCALL_RULES.flatMap(({ calls }) => calls));
    const missing = conditional.filter(
      (name) => !known.has(name) && !NO_OPTION.some(([pattern]) => pattern.test(name)),
    );
    expect(missing).toEqual([]);
    // And the other way round: what has a rule can be missing.
    // 6.1 has stubs for timers, in a file that is built in their place (kernel/time/posix-stubs.c).
    const stubs = SYSCALL_RULES.filter(({ symbol }) => symbol === "POSIX_TIMERS" && series === "6.1");
    const elsewhere = new Set(stubs.flatMap(({ calls }) => calls));
    const never = [...known].filter((name) => !conditional.includes(name) && !elsewhere.has(name));
    expect(never.filter((name) => !isYounger(series, name))).toEqual([]);
  });

  function includeGuard(source: string): string {
    const text = read("kernel/sched/build_utility.c");
    const place = text.indexOf(`"${source.replace(/.*\//, "")}"`);
    return guards(text, place).join(" ");
  }
});

/** Calls that 6.1 does not have yet. */
function isYounger(series: string, line: string): boolean {
  return series === "6.1" && /^(?:futex_wake|futex_wait|futex_requeue|cachestat|lsm_\w+)\b/.test(line);
}
