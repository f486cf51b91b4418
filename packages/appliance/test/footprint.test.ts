import { readFileSync } from "node:fs";
import { parseConfig } from "@justenough/kconfig";
import { optionsFor } from "@justenough/kernel";
import { expect, test } from "vitest";
import { askedFor } from "../src/footprint/footprint.ts";
import { renderFootprint } from "../src/footprint/render.ts";
import { readUses } from "../src/footprint/static-uses.ts";
import { parseSpec } from "../src/spec/load.ts";
import type { ResolvedSpec } from "../src/spec/resolved.ts";

test("a static program's code tells its calls, a dynamic one's imports", () => {
  const busybox = readUses(readFileSync("/bin/busybox"), "/bin/busybox");
  expect(optionsFor(busybox.uses).map(({ symbol }) => symbol)).toEqual(
    expect.arrayContaining(["FUTEX", "MULTIUSER", "NET", "SWAP", "SYSVIPC"]),
  );
  expect(busybox.unresolved).toEqual([{ file: "/bin/busybox", sites: expect.any(Number) as number }]);
  const bash = readUses(readFileSync("/bin/bash"), "/bin/bash");
  expect(bash.uses).toContainEqual({
    call: "getgroups",
    detail: "",
    by: "/bin/bash",
    evidence: "possible",
  });
  expect(bash.unresolved).toEqual([]);
});

test("a script needs the kernel's support for it, and code for another machine is not guessed at", () => {
  const script = readUses(Buffer.from("#!/bin/sh\nexit\n"), "/bin/script");
  expect(optionsFor(script.uses)).toEqual([
    {
      symbol: "BINFMT_SCRIPT",
      feature: "base",
      evidence: "possible",
      reasons: ["a script for an interpreter, in /bin/script"],
    },
  ]);
  expect(readUses(Buffer.from("text"), "text")).toEqual({ uses: [], unresolved: [] });
  const other = Buffer.from(readFileSync("/bin/busybox"));
  other.writeUInt16LE(8, 18); // MIPS
  expect(readUses(other, "other")).toEqual({ uses: [], unresolved: [{ file: "other", sites: 0 }] });
});

test("what a defconfig and presets have on is asked for", () => {
  const spec = (kernel: string): ResolvedSpec =>
    parseSpec(`name: a\nrun: sh\narch: x86_64\nkernel: { ${kernel} }\n`).spec;
  const { values } = parseConfig("CONFIG_FUTEX=y\nCONFIG_NET=y\nCONFIG_HZ=100\nCONFIG_AIO=y\n");
  const own = spec("defconfig: minimal.defconfig, presets: [audit=on], features: [ipc], config: { AIO: n }");
  const asked = askedFor(own, { values });
  expect(["FUTEX", "NET", "AUDIT", "SYSVIPC", "AIO", "HZ", "EPOLL"].map((one) => asked.get(one))).toEqual([
    "kernel.defconfig",
    "net",
    "audit=on",
    "ipc",
    undefined,
    undefined,
    undefined,
  ]);
  expect(askedFor(spec("source: distro, presets: [audit=on]"), undefined).has("AUDIT")).toBe(false);
});

test("a footprint as text says what there is, what lacks and what is not used", () => {
  const text = renderFootprint({
    name: "cache",
    needs: [
      {
        symbol: "EPOLL",
        feature: "base",
        evidence: "seen",
        reasons: ["epoll_create1, called by cache", "epoll_ctl, called by cache"],
        asked: "base",
      },
      {
        symbol: "IPV6",
        feature: "ipv6",
        evidence: "seen",
        reasons: ["a socket of family INET6, called by cache"],
        asked: undefined,
      },
      {
        symbol: "KEYS",
        feature: undefined,
        evidence: "possible",
        reasons: ["keyctl, in /lib/libkeyutils.so.1"],
        asked: undefined,
      },
    ],
    unused: [{ symbol: "SIGNALFD", asked: "base" }],
    unresolved: [
      { file: "/lib/libx.so", sites: 2 },
      { file: "/lib/liby.so", sites: 0 },
    ],
    run: { calls: 40, complete: false, log: "/run/console.log" },
  });
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    What cache used of its kernel in a run (40 kinds of system calls)
      EPOLL  base              epoll_create1, called by cache, and 1 more
      IPV6   - (feature ipv6)  a socket of family INET6, called by cache
    The trace was cut off, so that something may be missing: /run/console.log
    What its code may use besides
      KEYS  -  keyctl, in /lib/libkeyutils.so.1
    The spec lacks of what was used
      kernel: { features: [ipv6] }
    The spec lacks of what may be used
      kernel: { config: { KEYS: y } }
    The spec has, and nothing was found to use
      SIGNALFD (base)
    System calls of which code does not show the number
      /lib/libx.so (2 places), /lib/liby.so
    "
  `);
});
