import { loadKconfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { callsOfFunction, knownOptions, optionsFor } from "../src/index.ts";
import type { KernelUse } from "../src/index.ts";
import { kconfigOf } from "./support/kconfig-resolver.ts";

const seen = (call: string, detail = "", errno = 0): KernelUse => ({
  call,
  detail,
  errno,
  by: "prog",
  evidence: "seen",
});

const symbols = (...uses: KernelUse[]): string[] => optionsFor(uses).map(({ symbol }) => symbol);

test.each([
  ["openat", "/proc/self/maps", ["PROC_FS"]],
  ["openat", "/proc/123/smaps", ["PROC_PAGE_MONITOR"]],
  ["openat", "/proc/self/smaps_rollup", ["PROC_PAGE_MONITOR"]],
  ["readlink", "/proc/thread-self/ns/net", ["NET_NS"]],
  ["openat", "/proc/self/task/9/io", ["TASK_IO_ACCOUNTING"]],
  ["openat", "/proc/sys/vm/overcommit_memory", ["PROC_SYSCTL"]],
  ["openat", "/proc/sysx", ["PROC_FS"]],
  ["stat", "/sys/kernel/tracing/trace", ["FTRACE"]],
  ["openat", "/dev/shm/segment", ["TMPFS"]],
  ["openat", "/dev/rtc0", ["RTC_CLASS"]],
  ["openat", "/dev/loop-control", ["BLK_DEV_LOOP"]],
  ["openat", "/dev/null", []],
  ["ioctl", "/dev/net/tun 400454ca", ["TUN"]],
  ["ioctl", "/dev/tty 5401", ["TTY"]],
  ["socket", "1 1 0", ["NET", "UNIX"]],
  ["socket", "a 80002 11", ["IPV6", "NET"]],
  ["socket", "10 3 0", ["NET"]],
  ["mount", "overlay", ["OVERLAY_FS"]],
  ["clone", "60000000", ["NET_NS", "PID_NS"]],
  ["clone", "3d0f00", []],
  ["unshare", "10000000", ["USER_NS"]],
  ["fcntl", "6", ["FILE_LOCKING"]],
  ["fcntl", "3", []],
  ["prctl", "16", ["SECCOMP"]],
  ["memfd_create", "0", ["TMPFS"]],
  ["memfd_create", "5", ["HUGETLBFS", "TMPFS"]],
  ["unshare", "no number", []],
  ["epoll_wait", "", ["EPOLL"]],
  ["execve", "#!/bin/sh", ["BINFMT_SCRIPT"]],
  ["execve", "/bin/sh", []],
  ["read", "", []],
])("%s %s needs %j", (call, detail, wanted) => {
  expect(symbols(seen(call, detail))).toEqual(wanted);
});

test("what was not there is tried, what code has is possible, and what a run used goes before both", () => {
  expect(optionsFor([seen("socket", "a 1 0", 97), seen("io_uring_setup", "", 38)])).toEqual([
    // A kernel with sockets says which ones it does not have.
    { symbol: "NET", feature: "net", evidence: "seen", reasons: ["socket, called by prog"] },
    {
      symbol: "IO_URING",
      feature: "async-io",
      evidence: "tried",
      reasons: ["io_uring_setup, called by prog, which got an error"],
    },
    {
      symbol: "IPV6",
      feature: "ipv6",
      evidence: "tried",
      reasons: ["a socket of family INET6, called by prog, which got an error"],
    },
  ]);
  const [epoll, aio] = optionsFor([
    { call: "io_setup", detail: "", by: "/usr/lib/libaio.so.1", evidence: "possible" },
    { call: "epoll_ctl", detail: "", by: "/bin/prog", evidence: "possible" },
    // ENOENT is an answer.
    seen("epoll_ctl", "", 2),
  ]);
  expect(epoll).toEqual({
    symbol: "EPOLL",
    feature: "base",
    evidence: "seen",
    reasons: ["epoll_ctl, called by prog"],
  });
  expect(aio).toMatchObject({
    symbol: "AIO",
    evidence: "possible",
    reasons: ["io_setup, in /usr/lib/libaio.so.1"],
  });
});

test("functions of the C library stand for their calls", () => {
  const known = new Set(["epoll_create1", "open", "openat", "poll", "futex", "eventfd2", "socket"]);
  expect(callsOfFunction("epoll_create1", known)).toEqual([{ call: "epoll_create1", detail: "" }]);
  expect(callsOfFunction("open64", known)).toEqual([{ call: "open", detail: "" }]);
  expect(callsOfFunction("__poll_chk", known)).toEqual([{ call: "poll", detail: "" }]);
  expect(callsOfFunction("eventfd", known)).toEqual([{ call: "eventfd2", detail: "" }]);
  expect(callsOfFunction("shm_open", known)).toEqual([{ call: "openat", detail: "/dev/shm" }]);
  expect(callsOfFunction("strlen", known)).toEqual([]);
});

test.each(["6.1", "6.12"] as const)(
  "each symbol can be asked for in Linux %s",
  { timeout: 60_000 },
  async (series) => {
    const { srctree, nodeHost } = kconfigOf(series, "x86_64", "features");
    using host = nodeHost();
    const tree = await loadKconfig({ srctree, host });
    const missing = [...knownOptions()].filter((name) => tree.symbol(name) === undefined);
    // In 6.1 cachestat(2) does not exist yet.
    expect(missing).toEqual(series === "6.1" ? ["CACHESTAT_SYSCALL"] : []);
  },
);
