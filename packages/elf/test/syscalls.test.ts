import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findSyscalls, openElf, readImports, readSection, readSections, syscallNames } from "../src/index.ts";
import { readX86 } from "../src/internal/x86-instruction.ts";

const byValue = (a: bigint, b: bigint): number => Number(a - b);

interface Reference {
  readonly sites: ReadonlyMap<bigint, number | undefined>;
}

// A disassembly, in which the number is looked for by whole instructions and within one function.
function disassemble(objdump: string, file: string, enter: string, load: RegExp, write: RegExp): Reference {
  const text = execFileSync(objdump, ["-d", "--no-show-raw-insn", file], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  const sites = new Map<bigint, number | undefined>();
  let before: string[] = [];
  for (const line of text.split("\n")) {
    const [, address, instruction] = /^\s*([0-9a-f]+):\t(.*)$/.exec(line) ?? [];
    if (address === undefined || instruction === undefined) {
      before = [];
      continue;
    }
    if (instruction.trim() === enter)
      sites.set(BigInt(`0x${address}`), numberIn(before.slice(-14), load, write));
    before.push(instruction.trim().replace(/\s+/g, " "));
  }
  return { sites };
}

function numberIn(before: readonly string[], load: RegExp, write: RegExp): number | undefined {
  for (const instruction of before.toReversed()) {
    const constant = load.exec(instruction);
    if (constant !== null) return Number(constant[1] ?? 0);
    if (write.test(instruction)) return undefined;
  }
  return undefined;
}

const LIBC = "/lib/x86_64-linux-gnu/libc.so.6";
const X86 = [
  "syscall",
  /^(?:mov \$(0x[0-9a-f]+),%eax|xor %eax,%eax)$/,
  /(?:,%[er]ax|^pop %rax|^ret.*|^call.*)$/,
] as const;

test.each([
  ["objdump", LIBC, ...X86],
  ["objdump", "/bin/busybox", ...X86],
  [
    "aarch64-linux-gnu-objdump",
    "/usr/aarch64-linux-gnu/lib/libc.so.6",
    "svc\t#0x0",
    /^mov [xw]8, #(0x[0-9a-f]+)/,
    /^\w+ [xw]8,|^ret$|^b [0-9a-f]/,
  ],
] as const)(
  "%s finds in %s the same system calls",
  { timeout: 60_000 },
  (objdump, file, enter, load, write) => {
    const { sites } = disassemble(objdump, file, enter, load, write);
    const found = new Map(
      findSyscalls(openElf(readFileSync(file))).map((site) => [site.address, site.number]),
    );
    expect(sites.size).toBeGreaterThan(250);
    expect([...found.keys()].toSorted(byValue)).toEqual([...sites.keys()].toSorted(byValue));
    const wrong = [...sites].filter(
      ([address, number]) => number !== undefined && found.get(address) !== number,
    );
    expect(wrong).toEqual([]);
    // A number where a whole disassembly sees none would be a guess.
    const guessed = [...sites].filter(
      ([address, number]) => number === undefined && found.get(address) !== undefined,
    );
    expect(guessed.length / sites.size, guessed.join(" ")).toBeLessThan(0.02);
    const unknown = [...found.values()].filter((number) => number === undefined);
    expect(unknown.length / found.size).toBeLessThan(0.12);
  },
);

test("instructions begin where objdump has them begin", { timeout: 120_000 }, () => {
  for (const file of [LIBC, "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"]) {
    const elf = openElf(readFileSync(file));
    const text = readSections(elf).find(({ name }) => name === ".text");
    const bytes = readSection(elf, ".text") ?? new Uint8Array();
    const listing = execFileSync("objdump", ["-d", "--no-show-raw-insn", "-j", ".text", file], {
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    const wanted = [...listing.matchAll(/^\s*([0-9a-f]+):\t/gm)].map(([, address]) => `0x${address}`);
    const start = text?.address ?? 0n;
    const ours = new Set<number>();
    for (let at = 0; at < bytes.length; at += readX86(bytes, at).length) ours.add(at);
    const missing = wanted.filter((address) => !ours.has(Number(BigInt(address) - start)));
    expect(wanted.length).toBeGreaterThan(200_000);
    // Tables between functions are no instructions for either.
    expect(missing.length / wanted.length, missing.slice(0, 20).join(" ")).toBeLessThan(0.001);
  }
});

test("the numbers in libc's own wrappers are those of their names", () => {
  const names = syscallNames("x86_64");
  const sites = findSyscalls(openElf(readFileSync(LIBC)));
  const symbols = execFileSync("readelf", ["-W", "--dyn-syms", LIBC], { encoding: "utf8" });
  let checked = 0;
  for (const name of [
    "epoll_create1",
    "inotify_init1",
    "timerfd_create",
    "eventfd",
    "signalfd",
    "memfd_create",
  ]) {
    const [, start, size] = new RegExp(`: ([0-9a-f]+)\\s+(\\d+) FUNC .* ${name}@@`).exec(symbols) ?? [];
    if (start === undefined) continue;
    const from = BigInt(`0x${start}`);
    const within = sites.filter(({ address }) => address >= from && address < from + BigInt(Number(size)));
    expect(within.map(({ number }) => names?.get(number ?? -1)).join(" "), name).toContain(name);
    checked += 1;
  }
  expect(checked).toBe(6);
});

test("imports are the undefined functions that readelf lists", () => {
  for (const file of [process.execPath, "/bin/bash", "/bin/ls", LIBC]) {
    const listed = execFileSync("readelf", ["-W", "--dyn-syms", file], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const names = [...listed.matchAll(/ (?:FUNC|NOTYPE) .* UND (\S+?)(?:@\S+)?(?: \(\d+\))?$/gm)].map(
      ([, name]) => name,
    );
    expect(readImports(openElf(readFileSync(file))), file).toEqual(names);
    expect(names.length).toBeGreaterThan(0);
  }
});

test("a static program has no imports, and other machines are refused", () => {
  expect(readImports(openElf(readFileSync("/bin/busybox")))).toEqual([]);
  const arm = readFileSync("/bin/busybox");
  arm.writeUInt16LE(8, 18);
  expect(() => findSyscalls(openElf(arm))).toThrow(expect.objectContaining({ code: "ELF_UNSUPPORTED" }));
});

test("names have the numbers of the kernel's headers", () => {
  const headers = [
    ["x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"],
    ["aarch64", "/usr/include/asm-generic/unistd.h"],
  ] as const;
  for (const [machine, file] of headers) {
    const defined = [...readFileSync(file, "utf8").matchAll(/^#define __NR_(\w+) (\d+)$/gm)];
    const names = syscallNames(machine);
    expect(defined.length).toBeGreaterThan(280);
    for (const [, name = "", number] of defined) {
      // The generic header has those of machines with 32 bits too.
      if (/64$|^(?:sync_file_range2|arch_specific_syscall|syscalls)$/.test(name)) continue;
      expect(names?.get(Number(number)), name).toBe(name);
    }
  }
});
