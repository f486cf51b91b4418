import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareGuest, type Guest } from "./support/guest.ts";
import { decodeApng, decodePng } from "./support/png.ts";
import { processesWith, until } from "./support/processes.ts";

let guest: Guest;
let scratch: string;
beforeAll(async () => {
  guest = await prepareGuest();
  scratch = await mkdtemp(join(tmpdir(), "qemu-cli-test-"));
}, 180_000);
afterAll(async () => {
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
});

const cli = new URL("../src/cli.ts", import.meta.url).pathname;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  args: readonly string[],
  options: {
    path?: string;
    cacheDir?: string;
    interrupt?: (stdout: string) => boolean;
    told?: (stderr: string) => void;
  } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      ...(options.path === undefined ? {} : { PATH: options.path }),
      ...(options.cacheDir === undefined ? {} : { XDG_CACHE_HOME: options.cacheDir }),
    };
    const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
    let [stdout, stderr, sent] = ["", "", false];
    child.stdout.on("data", (bytes: Uint8Array) => {
      stdout += Buffer.from(bytes).toString("utf8");
      if (sent || options.interrupt?.(stdout) !== true) return;
      sent = true;
      child.kill("SIGINT");
    });
    child.stderr.on("data", (bytes: Uint8Array) => {
      stderr += Buffer.from(bytes).toString("utf8");
      options.told?.(stderr);
    });
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}

const boot = (task: string): string[] => [
  "--kernel",
  guest.kernel,
  "--initrd",
  guest.initrd,
  "--append",
  `console=tty0 console=ttyS0 do=${task}`,
];

describe("without a boot", () => {
  test("help, version, usage errors", async () => {
    const [help, version, misspelt, stray, memory, nothing, pattern, readiness, terminal] = await Promise.all(
      [
        run(["--help"]),
        run(["--version"]),
        run(["--kernle", "x"]),
        run(["bzImage", "--kernel", "bzImage"]),
        run(["--kernel", "x", "--memory", "lots"]),
        run([]),
        run(["k", "--ready", "("]),
        run(["k", "--ready-timeout", "5"]),
        run(["k", "-i", "--", "sh"]),
      ],
    );
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.stdout).toContain("--port-forward H:G");
    const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(version).toEqual({ status: 0, stderr: "", stdout: `${manifest.version}\n` });
    expect(misspelt).toEqual({
      status: 2,
      stdout: "",
      stderr: 'error: Unknown flag "--kernle"\nhint: Did you mean "--kernel"?\n',
    });
    expect(stray.status).toBe(2);
    expect(memory).toMatchObject({ status: 2, stderr: expect.stringContaining('Memory "lots"') });
    expect(nothing.status).toBe(2);
    expect(pattern).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"(" is no regular expression'),
    });
    expect(readiness).toMatchObject({ status: 2, stderr: expect.stringContaining("Add --ready") });
    expect(terminal).toMatchObject({ status: 2, stderr: expect.stringContaining("--interactive") });
  });

  test("a dry run prints the line, a missing QEMU is one error, and no stack", async () => {
    const [dry, recorded, noCard, missing] = await Promise.all([
      run(["--kernel", "bzImage", "--accel", "tcg", "--port-forward", "8080:80", "--dry-run"]),
      run(["--kernel", "k", "--accel", "tcg", "--port-forward", "0:80", "--pcap", "a,b.pcap", "--dry-run"]),
      run(["--kernel", "k", "--pcap", "a.pcap"]),
      run(["--kernel", cli], { path: "/nonexistent" }),
    ]);
    expect(dry).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringMatching(/^qemu-system-x86_64 .*hostfwd=tcp:127\.0\.0\.1:8080-:80.*\n$/),
    });
    expect(recorded.stdout).toContain(" -object filter-dump,id=pcap0,netdev=net0,file=a,,b.pcap");
    expect(noCard).toEqual({
      status: 2,
      stdout: "",
      stderr:
        "error: --pcap records a machine with one network card, and this one has 0\nhint: Give --port-forward or --tap\n",
    });
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(
      /^error: Cannot find QEMU: .*\nhint: Install it: apt-get install qemu-system-x86 .*\n$/,
    );
  });

  test("positional arguments and devices", async () => {
    const devices = [
      "--disk",
      "a,,b.img,nvme,read-only",
      "--share",
      "/srv/data,rw",
      "--cdrom",
      "c.iso",
      "--net",
      "user",
    ];
    const [dry, word, net, none] = await Promise.all([
      run([
        "bzImage",
        "one.cpio",
        "two.cpio",
        ...devices,
        "--gdb",
        "1234",
        "--accel",
        "tcg",
        "--dry-run",
        "--json",
      ]),
      run(["bzImage", "--disk", "a,fast"]),
      run(["bzImage", "--net", "bridge"]),
      run(["bzImage", "--net", "none", "--port-forward", "1:1"]),
    ]);
    expect(dry).toMatchObject({ status: 0, stderr: "" });
    const { args, prepare } = JSON.parse(dry.stdout) as { args: string[]; prepare: { pieces: string[] } };
    expect(prepare.pieces).toEqual(["one.cpio", "two.cpio"]);
    expect(args.slice(args.indexOf("-kernel")).join(" ")).toMatchInlineSnapshot(
      `"-kernel bzImage -initrd initrd.joined -action reboot=shutdown -serial mon:stdio -S -device ahci,id=sata -drive if=none,id=disk0,format=raw,readonly=on,file=a,,b.img -device nvme,drive=disk0,serial=disk0 -drive if=none,id=cdrom,format=raw,readonly=on,file=c.iso -device ide-cd,bus=sata.0,drive=cdrom -fsdev local,id=share0,security_model=none,multidevs=remap,path=/srv/data -device virtio-9p-pci,fsdev=share0,mount_tag=data -device virtio-rng-pci -netdev user,id=net0 -device virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,romfile= -gdb tcp:127.0.0.1:1234"`,
    );
    expect(word).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: Unknown word "fast"\nhint: Give --disk/),
    });
    expect(net).toMatchObject({ status: 2, stderr: expect.stringContaining("Choose user or none") });
    expect(none.status).toBe(2);
  });

  test("the architecture of the machine", async () => {
    const [dry, unknown, probe] = await Promise.all([
      run(["--arch", "arm64", "--kernel", "Image", "--dry-run"]),
      run(["--arch", "mips", "--kernel", "Image"]),
      run(["--arch", "riscv64", "--probe"]),
    ]);
    expect(dry).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^qemu-system-aarch64 .*-machine virt -accel tcg -cpu cortex-a72 /),
    });
    expect(unknown).toMatchObject({
      status: 2,
      stderr: 'error: "mips" is no architecture\nhint: Choose x86_64, arm64 or riscv64\n',
    });
    expect(probe).toMatchObject({ status: 1, stdout: expect.stringMatching(/^not usable \(foreign\): /) });
  });

  test("the probe's verdict", async () => {
    const { status, stdout } = await run(["--probe", "--json"]);
    const verdict = JSON.parse(stdout) as { usable: boolean };
    expect(status).toBe(verdict.usable ? 0 : 1);
  });
});

describe("a boot", () => {
  test("streams the console, takes pictures, and exits 0 on power-off", async () => {
    const film = join(scratch, "film.png");
    const args = [
      ...boot("off"),
      "--film",
      film,
      "--film-fps",
      "5",
      "--screenshot",
      join(scratch, "last.png"),
      "--timeline",
      join(scratch, "boot.txt"),
    ];
    const { status, stdout, stderr } = await run([...args, "--timeout", "60"]);
    expect(stdout).toContain("guest: do=off");
    expect(stdout).toContain("reboot: Power down");
    const { frames } = decodeApng(await readFile(film));
    expect(stderr).toContain(`${frames.length} pictures in ${film}\n`);
    const timeline = await readFile(join(scratch, "boot.txt"), "utf8");
    expect(timeline).toMatch(/^ +0\.000 s {2}kernel\n( +[\d.]+ s .*\n)+\nlongest silences\n/);
    expect(status).toBe(0);
    // The machine stood still for both.
    const last = decodePng(await readFile(join(scratch, "last.png")));
    expect(frames.at(-1)?.picture.rgb.equals(last.rgb)).toBe(true);
  }, 90_000);

  test("waits for a debugger, and says how to call it", async () => {
    const socket = join(scratch, "gdb.sock");
    let calls = 0;
    const { status, stderr } = await run(["--disk", cli, "--gdb", socket, "--timeout", "60"], {
      told: (text) => {
        if (!text.includes("the guest waits for a debugger: ") || calls++ > 0) return;
        const gdb = connect(socket);
        // gdb's "kill".
        gdb.once("data", () => gdb.write("+$k#6b")).on("error", () => undefined);
        gdb.write("$?#3f");
      },
    });
    expect(stderr).toContain(`vmlinux -ex 'target remote ${socket}'\n`);
    expect(status).toBe(1);
  }, 90_000);

  test("a panic is 1, a time-out 124, Ctrl-C 130 and nothing left", async () => {
    const [panic, late, interrupted] = await Promise.all([
      run([...boot("exit"), "--json", "--timeout", "60"]),
      run([...boot("hang"), "--ready", "login:", "--ready-timeout", "1"]),
      run([...boot("hang"), "--timeout", "60"], { interrupt: (stdout) => stdout.includes("Linux version") }),
    ]);
    expect(panic.status).toBe(1);
    expect(JSON.parse(panic.stdout)).toMatchObject({ kind: "panic" });
    expect(panic.stderr).toContain("guest: do=exit");
    expect(late.status).toBe(124);
    expect(late.stderr).toMatch(/error: The guest (was not ready|printed nothing) within 1\.00 s/);
    expect(interrupted.status).toBe(130);
    expect(await until(async () => (await processesWith(guest.initrd)).length === 0, 1000)).toBe(true);
  }, 90_000);

  test("a program in the guest has our output, our exit status, and a copy of a booted guest when that is asked for", async () => {
    const cacheDir = await mkdtemp(join(scratch, "cache-"));
    const program = (...words: string[]): string[] => [guest.kernel, guest.initrd, ...words];
    const sh = ["--", "/bin/busybox", "sh", "-c"];
    const run1 = await run(program("--snapshot", ...sh, "echo out; echo err >&2; exit 7"), { cacheDir });
    expect(run1).toMatchObject({ status: 7, stdout: "out\n", stderr: expect.stringMatching(/(^|\n)err\n$/) });
    const run2 = await run(program("--snapshot", "--json", ...sh, "kill -9 $$"), { cacheDir });
    expect(run2.status).toBe(137);
    expect(JSON.parse(run2.stdout)).toMatchObject({
      kind: "poweroff",
      clone: expect.stringMatching(/^[0-9a-f]{32}$/),
      program: { signal: "SIGKILL" },
    });
    const lost = await run(program("--append", "console=ttyS0 rdinit=/none", "--", "/bin/true"), {
      cacheDir,
    });
    expect(lost).toMatchObject({ status: 1, stdout: "" });
    expect(lost.stderr).toContain("error: The kernel panicked");
  }, 90_000);

  test("of a program's machine film, last picture, timeline and console are kept too", async () => {
    const files = ["program.png", "program-last.png", "program.svg", "program.log"];
    const [film, last, timeline, log] = files.map((name) => join(scratch, name)) as [
      string,
      string,
      string,
      string,
    ];
    const records = [
      ["--film", film, "--screenshot", last, "--timeline", timeline, "--console-log", log],
      ["--net", "user", "--port-forward", "0:80", "--append", "console=tty0 console=ttyS0"],
    ].flat();
    const program = ["--", "/bin/busybox", "sh", "-c", "echo out; kill -40 $$"];
    const { status, stdout, stderr } = await run([guest.kernel, guest.initrd, ...records, ...program]);
    // A signal without a name is one, too.
    expect([status, stdout]).toEqual([168, "out\n"]);
    expect(stderr).toMatch(/^tcp port \d+ of this host leads to port 80 of the guest$/m);
    const { frames } = decodeApng(await readFile(film));
    expect(stderr).toContain(`${frames.length} pictures in ${film}\n`);
    expect(decodePng(await readFile(last)).width).toBeGreaterThan(100);
    expect(await readFile(timeline, "utf8")).toContain("/init, ");
    expect(await readFile(log, "utf8")).toContain("Run /agent as init process");
  }, 90_000);

  test("nobody reads a program's output any more: it ends, without a stack", async () => {
    const words = [guest.kernel, guest.initrd, "--", "/bin/busybox", "sh", "-c"];
    const loop = "while echo y; do /bin/busybox sleep 0.1; done";
    const child = spawn(process.execPath, [cli, ...words, loop], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (bytes: Uint8Array) => (stderr += Buffer.from(bytes).toString("utf8")));
    child.stdout.once("data", () => child.stdout.destroy());
    const [status] = (await once(child, "close")) as [number];
    expect([status, stderr]).toEqual([1, "error: write EPIPE\n"]);
  }, 90_000);
});
