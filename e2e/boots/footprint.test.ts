import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Footprint } from "@justenough/appliance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "footprint-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function footprint(...args: string[]): Promise<Footprint> {
  const run = await appliance(["footprint", ...args, "--json"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.left).toEqual([]);
  return JSON.parse(run.stdout) as Footprint;
}

function symbols({ needs }: Footprint, ...evidence: string[]): string[] {
  return needs.filter((need) => evidence.includes(need.evidence)).map(({ symbol }) => symbol);
}

const PROGRAM = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  eventfd(0, 0);
  timerfd_create(CLOCK_MONOTONIC, 0);
  inotify_init();
  socket(AF_UNIX, SOCK_STREAM, 0);
  socket(AF_TIPC, SOCK_STREAM, 0); /* a module, which is not there */
  msgget(IPC_PRIVATE, 0600);
  mkdir("/mnt", 0755);
  mount("none", "/mnt", "tmpfs", 0, "");
  open("/proc/sys/kernel/pid_max", O_RDONLY);
  open("/sys/kernel/mm/no-such-thing", O_RDONLY);
  if (fork() == 0) { unshare(CLONE_NEWUTS | CLONE_NEWPID); _exit(0); }
  wait(NULL);
  if (argc > 99) memfd_create("never", 0);
  return 3;
}
`;

test("what a program does is found, with its reasons; what it has and never does is told apart", async () => {
  await writeFile(join(directory, "does.c"), PROGRAM);
  await writeFile(
    join(directory, "appliance.yaml"),
    "name: does\nrun: /bin/does\nprograms: [{ compile: does.c, flags: [-O1] }]\n" +
      // A program with libraries needs them too.
      "kernel: { features: [ipc] }\n",
  );
  const found = await footprint(directory);
  expect(found.run?.complete).toBe(true);
  expect(symbols(found, "seen")).toEqual(
    expect.arrayContaining([
      ...["EVENTFD", "INOTIFY_USER", "NET", "PID_NS", "PROC_SYSCTL", "SYSVIPC", "TIMERFD", "TMPFS"],
      ...["UNIX", "UTS_NS"],
    ]),
  );
  expect(symbols(found, "seen")).not.toContain("EPOLL");
  expect(symbols(found, "tried")).toEqual(["SYSFS", "TIPC"]);
  const need = (symbol: string): unknown => found.needs.find((one) => one.symbol === symbol);
  expect(need("EVENTFD")).toEqual({
    symbol: "EVENTFD",
    feature: "base",
    evidence: "seen",
    reasons: ["eventfd2, called by does"],
    asked: "base",
  });
  expect(need("SYSVIPC")).toMatchObject({ asked: "ipc" });
  expect(need("UTS_NS")).toMatchObject({
    feature: "namespaces",
    reasons: ["unshare with CLONE_NEWUTS, called by does"],
  });
  expect(need("UTS_NS")).not.toHaveProperty("asked");
  expect(found.unused.map(({ symbol }) => symbol)).toEqual(
    expect.arrayContaining(["EPOLL", "SIGNALFD", "POSIX_MQUEUE"]),
  );
});

test("hello needs next to nothing", async () => {
  const found = await footprint("examples/hello");
  expect(found.run?.complete).toBe(true);
  expect(symbols(found, "seen")).toEqual(["FUTEX", "PROC_FS", "RSEQ"]);
  expect(found.needs.every(({ asked }) => asked !== undefined)).toBe(true);
});

test("redis needs what it is known to need, and is stopped when it has been watched", async () => {
  const found = await footprint("examples/redis", "--watch", "4s");
  expect(found.run?.complete).toBe(true);
  expect(symbols(found, "seen")).toEqual(
    expect.arrayContaining(["ADVISE_SYSCALLS", "EPOLL", "FUTEX", "INET", "NET", "PROC_FS", "PROC_SYSCTL"]),
  );
  expect(symbols(found, "seen", "possible")).toEqual(
    expect.arrayContaining([
      ...[
        "FILE_LOCKING",
        "INOTIFY_USER",
        "MULTIUSER",
        "POSIX_TIMERS",
        "SIGNALFD",
        "TIMERFD",
        "TMPFS",
        "UNIX",
      ],
    ]),
  );
});
