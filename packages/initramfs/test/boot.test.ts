import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildInitramfs, type ChannelFrame, summarizeReport } from "../src/index.ts";
import { boot } from "./support/boot.ts";
import { makeTar } from "./support/make-tar.ts";
import { cloudKernel, type CloudKernel } from "./support/cloud-kernel.ts";

const TALKER = `
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static int flood(void) {
  for (int i = 0; i < 25000; i++) printf("line %d\\n", i);
  fflush(stdout);
  _exit(7);
}
int main(int argc, char **argv) {
  char line[80];
  if (argc > 1) return flood();
  /* For a moment nobody has the terminal open. */
  for (int fd = 0; fd < 3; fd++) close(fd);
  usleep(100000);
  dup(dup(open("/dev/tty", O_RDWR)));
  printf("hello from %s, terminal %d\\n", argv[0], isatty(1));
  fflush(stdout);
  while (fgets(line, sizeof line, stdin))
    if (strcmp(line, "quit\\n") == 0) return flood();
  return 1;
}
`;
/** More than a socket and the kernel's buffers hold: when the program ends, the last of it waits for a slow reader. */
const FLOOD = Array.from({ length: 25_000 }, (_, index) => `line ${index}\n`).join("");

/** As root it becomes nobody and starts itself anew; then it tells what it may do. */
const CAPPED = `
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char line[80];
  if (getuid() == 0) {
    if (setgid(65534) || setuid(65534)) return 1;
    execl("/bin/capped", "capped", NULL);
    return 1;
  }
  FILE *status = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, status))
    if (strncmp(line, "CapEff:", 7) == 0) fputs(line, stdout);
  return 0;
}
`;

let directory: string;
let kernel: CloudKernel;
let image: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-boot-"));
  kernel = cloudKernel();
  writeFileSync(join(directory, "talker.c"), TALKER);
  execFileSync("cc", ["-static", "-O1", "-o", join(directory, "talker"), join(directory, "talker.c")]);
  image = join(directory, "image.zst");
  await buildInitramfs({
    programs: [
      ...["bash", "cat", "sleep", "uname"].map((source) => ({ source })),
      { source: join(directory, "talker"), target: "/bin/talker" },
    ],
    files: [{ target: "/usr/bin/broken", content: "#!/no/such/shell\n", mode: 0o755 }],
    modules: { directory: kernel.modules, names: ["dummy", "virtio_net", "virtio-pci"] },
    init: {
      kind: "generated",
      args: ["talker"],
      hostname: "baked",
      env: { COLOR: "red", KEPT: "yes" },
      channel: "/dev/ttyS1",
      bundle: "b0b",
    },
    compression: "zstd",
    output: image,
    arch: "x86_64",
  });
}, 180_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function frame<T extends ChannelFrame["type"]>(
  frames: readonly ChannelFrame[],
  type: T,
): Extract<ChannelFrame, { type: T }> | undefined {
  return frames.find((frame): frame is Extract<ChannelFrame, { type: T }> => frame.type === type);
}

const types = (frames: readonly ChannelFrame[]): string[] =>
  frames.map(({ type }) => type).filter((type) => type !== "file" && type !== "note");

describe.concurrent("/init in a real machine", () => {
  test("runs a dynamic program with modules and DHCP, and reports", { timeout: 90_000 }, async () => {
    const script = String.raw`
      read -r name < /proc/sys/kernel/hostname; echo "$name $COLOR $KEPT $PWD"
      cat /etc/resolv.conf; uname -r
      read -r around < /sys/kernel/debug/fault_around_bytes; echo "around $around"
      (sleep 0.2 & ) # an orphan for /init to reap
      [[ -c /dev/null && -d /dev/pts && -w /tmp && -w /dev/shm && -e /sys/kernel && -t 1 ]] && echo mounted
      : < /dev/tty && echo controlling
      exec 3<>/dev/tcp/127.0.0.1/9 || echo refused
      printf 'a\r\nb\nc\td\001\377'
      exec talker flood`;
    const { frames, program, console, exitCode } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: {
        args: ["bash", "-c", script],
        hostname: "box",
        env: { COLOR: "blue" },
        settings: [{ path: "/sys/kernel/debug/fault_around_bytes", value: "4096" }],
        cwd: "/tmp",
        network: "dhcp",
        tty: "raw",
        report: 400,
      },
    });
    expect(exitCode, console).toBe(0);
    expect(program.subarray(-FLOOD.length).toString()).toBe(FLOOD);
    const all = program.subarray(0, -FLOOD.length);
    const [head, exact] = [all.subarray(0, -10), all.subarray(-10)];
    expect(exact).toEqual(Buffer.from("a\r\nb\nc\td\x01\xff", "latin1"));
    const lines = head.toString().split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "box blue yes /tmp",
        "nameserver 10.0.2.3",
        kernel.release,
        "around 4096",
        "mounted",
        "controlling",
      ]),
    );
    expect(lines.at(-2)).toBe("refused");
    expect(types(frames)).toEqual(["init", "net", "start", "exit", "report-end", "end"]);
    expect(frame(frames, "init")).toMatchObject({
      release: kernel.release,
      machine: "x86_64",
      bundle: "b0b",
    });
    expect(frame(frames, "net")).toMatchObject({
      address: "10.0.2.15/24",
      gateway: "10.0.2.2",
      method: "dhcp",
      // dummy0 was there first, but is no card.
      interface: "eth0",
    });
    expect(frame(frames, "exit")).toMatchObject({ status: 7 });
    expect(frames.filter(({ type }) => type === "damaged")).toEqual([]);

    const report = summarizeReport(frames);
    expect(report.release).toBe(kernel.release);
    expect(report.modules).toEqual(expect.arrayContaining(["virtio_net", "net_failover", "failover"]));
    expect(report.processes.kernel).toBeGreaterThan(10);
    expect(report.processes.user).toBe(0);
    expect(report.memory?.totalKiB).toBeGreaterThan(150_000);
    expect(report.memory?.usedKiB).toBeGreaterThan(1000);
    expect(report.memory?.usedKiB).toBeLessThan(report.memory?.totalKiB ?? 0);
    expect(report.idle?.seconds).toBeGreaterThan(0.39);
    expect(report.idle?.interruptsPerSecond).toBeGreaterThan(0);
    expect(report.idle?.bySource[0]?.source).toMatch(/^[A-Z0-9]+ ./);
    const { init = 0, start = 0, exit = 0 } = report.times;
    expect(init < start && start < exit, JSON.stringify(report.times)).toBe(true);
  });

  test("copies a static program's terminal, and measures while it runs", { timeout: 90_000 }, async () => {
    const { frames, program, exitCode, console } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: {
        tee: "/dev/tty0",
        stdin: "console",
        network: "static",
        address: "192.0.2.7/28",
        tty: "raw",
      },
      onFrame(frame, lines) {
        if (frame.type === "start") lines.channel.write("report 200\n");
        if (frame.type === "report-end") lines.console.write("quit\n");
      },
    });
    expect(exitCode, console).toBe(0);
    expect(program.toString()).toBe(`hello from talker, terminal 1\n${FLOOD}`);
    expect(types(frames)).toEqual(["init", "net", "start", "report-end", "exit", "end"]);
    expect(frame(frames, "net")).toMatchObject({ address: "192.0.2.7/28", gateway: "", method: "static" });
    expect(frame(frames, "exit")).toMatchObject({ status: 7 });
    expect(summarizeReport(frames).processes.names).toEqual(["talker"]);
  });

  test("lets a shell control its jobs from the console", { timeout: 90_000 }, async () => {
    const { frames, program, exitCode, console } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: { args: ["bash", "--norc", "--noediting"], stdin: "console", tty: "raw", env: { PS1: "> " } },
      dialog: [
        ["> ", "talker\n"],
        ["terminal 1\n", "\x03"],
        ["> ", "echo $?; talker\n"],
        ["terminal 1\n", "\x1a"],
        ["> ", "fg\n\x04"],
        ["> ", "echo $?; exec cat\n"],
        // No shell is left that could continue what ^Z would stop.
        ["1\n", "still\n"],
        ["still\n", "\x1athere\n"],
        ["there\n", "\x03"],
      ],
    });
    expect(exitCode, console).toBe(0);
    expect(program.toString().split(/\n+/)).toEqual([
      "> hello from talker, terminal 1",
      "> 130",
      "hello from talker, terminal 1",
      expect.stringMatching(/^\[1\]\+ +Stopped +talker$/),
      "> talker",
      "> 1",
      "still",
      "there",
      "",
    ]);
    expect(frame(frames, "exit")).toMatchObject({ signal: 2 });
  });

  test("says what cannot be run", { timeout: 90_000 }, async () => {
    const { frames, program, exitCode, console } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: { args: ["no-such-program"] },
    });
    expect(exitCode, console).toBe(0);
    expect(program.length).toBe(0);
    expect(console).toContain('init: cannot run "no-such-program": no such file');
    expect(types(frames)).toEqual(["init", "fail", "exit", "end"]);
    expect(frame(frames, "fail")).toMatchObject({ what: "no-such-program", errno: 2 });
    expect(frame(frames, "exit")).toMatchObject({ status: 127 });
  });

  test("gives programs their file capabilities back", { timeout: 90_000 }, async () => {
    writeFileSync(join(directory, "capped.c"), CAPPED);
    execFileSync("cc", ["-static", "-O1", "-o", join(directory, "capped"), join(directory, "capped.c")]);
    // cap_net_raw, permitted and effective: struct vfs_cap_data of include/uapi/linux/capability.h.
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const data = readFileSync(join(directory, "capped"));
    const entry = {
      name: "bin/capped",
      data,
      mode: 0o755,
      pax: { "SCHILY.xattr.security.capability": capability },
    };
    writeFileSync(
      join(directory, "layer.tar"),
      makeTar([entry, { name: "bin/again", type: "1", linkname: "bin/capped" }]),
    );
    const output = join(directory, "capped.gz");
    const { diagnostics } = await buildInitramfs({
      layers: [{ kind: "tar", source: join(directory, "layer.tar") }],
      restoreCapabilities: true,
      programs: [],
      init: { kind: "generated", args: ["capped"], channel: "/dev/ttyS1" },
      compression: "gzip",
      output,
      arch: "x86_64",
    });
    expect(diagnostics).toEqual([]);
    const { frames, program, console } = await boot({
      kernel: kernel.image,
      image: output,
      directory,
      job: { tty: "raw" },
    });
    expect(program.toString(), console).toBe("CapEff:\t0000000000002000\n");
    expect(types(frames)).toEqual(["init", "start", "exit", "end"]);
  });

  test("names a missing interpreter", { timeout: 90_000 }, async () => {
    const { frames, console } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: { args: ["broken"], settings: [{ path: "/proc/sys/no/such", value: "1" }] },
    });
    expect(console).toContain('init: cannot write "1" to /proc/sys/no/such: no such file');
    expect(console).toContain('init: cannot run "broken": its interpreter "/no/such/shell" is missing');
    expect(types(frames)).toEqual(["init", "fail", "fail", "exit", "end"]);
    expect(frame(frames, "exit")).toMatchObject({ status: 127 });
  });

  test("switches off when the host says so", { timeout: 90_000 }, async () => {
    const { frames, exitCode } = await boot({
      kernel: kernel.image,
      image,
      directory,
      job: { args: ["sleep", "1000"] },
      onFrame(frame, lines) {
        if (frame.type === "start") lines.channel.write("poweroff\n");
      },
    });
    expect(exitCode).toBe(0);
    expect(types(frames)).toEqual(["init", "start", "exit", "end"]);
    expect(frame(frames, "exit")).toMatchObject({ signal: 15 });
  });
});
