import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileGuestProgram } from "../../src/agent/program.ts";
import { readTrace, tracerSegment, type Trace } from "../../src/index.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tracer-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// ptrace(2) is this machine's too; in a guest: e2e/boots/footprint.test.ts.
async function trace(...argv: string[]): Promise<Trace & { readonly status: number; readonly out: string }> {
  const file = join(directory, "trace");
  await writeFile(file, "");
  const tracer = await compileGuestProgram("tracer");
  const { status, out } = await promisify(execFile)(tracer, [file, ...argv]).then(
    ({ stdout }) => ({ status: 0, out: stdout }),
    (error: { code: number; stdout: string }) => ({ status: error.code, out: error.stdout }),
  );
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield await readFile(file);
  }
  return { ...(await readTrace(bytes())), status, out };
}

/** Numbers of the system calls that strace sees. */
async function strace(...argv: string[]): Promise<Set<string>> {
  const file = join(directory, "strace");
  await promisify(execFile)("strace", ["-f", "-o", file, ...argv]).catch(() => undefined);
  const text = await readFile(file, "utf8");
  return new Set([...text.matchAll(/^\d+ +(?:<\.\.\. )?(\w+)[( ]/gm)].map(([, name]) => name ?? ""));
}

const PROGRAM = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static void on_signal(int n) { (void)n; write(1, "signal\\n", 7); }
static void *thread(void *p) { epoll_create1(0); return p; }
int main(void) {
  pthread_t one;
  pthread_create(&one, NULL, thread, NULL);
  pthread_join(one, NULL);
  signal(SIGUSR1, on_signal);
  raise(SIGUSR1);
  open("/proc/sys/vm/overcommit_memory", O_RDONLY);
  open("/dev/no-such-device", O_RDONLY);
  int tun = open("/dev/null", O_RDWR);
  ioctl(tun, 0x5401);
  socket(AF_UNIX, SOCK_STREAM, 0);
  socket(77, SOCK_STREAM, 0);
  mount("x", "/no/such/place", "tmpfs", 0, "");
  if (fork() == 0) { unshare(CLONE_NEWUTS); execl("/bin/sh", "sh", "-c", "kill -9 $$", NULL); }
  wait(NULL);
  for (int i = 0; i < 2000; i++) getppid();
  puts("done");
  return 7;
}
`;

test("tells each kind of call once, of threads and children too, and leaves the program as it is", async () => {
  const source = join(directory, "program.c");
  const program = join(directory, "program");
  await writeFile(source, PROGRAM);
  await promisify(execFile)("cc", ["-O0", "-o", program, source, "-lpthread"]);
  const { calls, complete, status, out } = await trace(program);
  expect({ complete, status, out }).toEqual({ complete: true, status: 7, out: "signal\ndone\n" });
  const seen = calls.map(({ number, errno, detail }) => `${number} ${errno} ${detail}`);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(
    expect.arrayContaining([
      "291 0 ", // epoll_create1, in a thread
      "257 0 /proc/sys/vm/overcommit_memory",
      "257 2 /dev/no-such-device",
      "16 25 /dev/null 5401", // ENOTTY
      "41 0 1 1 0", // AF_UNIX
      "41 97 4d 1 0", // EAFNOSUPPORT
      expect.stringMatching(/^165 \d+ tmpfs$/),
      "59 0 /bin/sh",
      "110 0 ", // getppid, two thousand times
    ]),
  );
  expect(calls.find(({ detail }) => detail === "/bin/sh")?.program).toBe("sh");
  expect(calls.every(({ foreign }) => !foreign)).toBe(true);
});

test("sees what strace sees", { timeout: 30_000 }, async () => {
  const names = new Map(
    [
      ...(await readFile("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "utf8")).matchAll(
        /^#define __NR_(\w+) (\d+)$/gm,
      ),
    ].map(([, name = "", number]) => [Number(number), name]),
  );
  for (const argv of [
    ["/bin/ls", "-l", "/dev"],
    ["/bin/sh", "-c", "echo a | cat; sleep 0 & wait"],
  ]) {
    const { calls, complete } = await trace(...argv);
    expect(complete).toBe(true);
    const ours = new Set(calls.map(({ number }) => names.get(number) ?? String(number)));
    expect([...ours].toSorted()).toEqual([...(await strace(...argv))].toSorted());
  }
});

test("a program that is not there, and a trace that was cut off", async () => {
  expect((await trace("no-such-program")).status).toBe(127);
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("call\t1\t0\tsh\t\r\ncall\t2");
  }
  expect(await readTrace(cut())).toEqual({
    calls: [{ number: 1, foreign: false, errno: 0, program: "sh", detail: "" }],
    complete: false,
  });
});

test.each(["x86_64", "arm64", "riscv64"] as const)("compiles for %s", async (arch) => {
  const segment = await tracerSegment({ arch, cacheDir: join(directory, "cache") });
  expect(segment.length).toBeGreaterThan(4000);
});
