import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeResult, launch, type LaunchOptions, type MachineSpec, type Vm } from "../src/index.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";
import { checkGlyphs } from "./support/glyphs.ts";
import { decodeApng, decodePng } from "./support/png.ts";
import { processesWith, until } from "./support/processes.ts";

let guest: Guest;
let scratch: string;
const running: Vm[] = [];

beforeAll(async () => {
  guest = await prepareGuest();
  scratch = await mkdtemp(join(tmpdir(), "qemu-boot-test-"));
}, 180_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((vm) => vm.kill()));
});

afterAll(async () => {
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
});

async function start(task: string, spec: MachineSpec = {}, options: LaunchOptions = {}): Promise<Vm> {
  const cmdline = `console=ttyS0 do=${task}`;
  const vm = await launch(
    { kernel: guest.kernel, initrd: [guest.initrd], cmdline, memory: "256M", ...spec },
    { deadlines: { total: 60_000 }, ...options },
  );
  running.push(vm);
  return vm;
}

describe("two machines at once", () => {
  test("one is talked to, filmed and powers off; the other floods its console and reboots", async () => {
    const [serving, flooding] = await Promise.all([
      start("serve", {
        // A second part, of an odd length, after the first: joined and aligned.
        initrd: [guest.initrd, new Uint8Array(3)],
        cmdline: "console=tty0 console=ttyS0 do=serve",
        vga: true,
        ports: ["channel"],
        forwards: [{ host: 0, guest: 80 }],
      }),
      start("flood", { preset: "lean" }, { consoleLog: join(scratch, "flood.log") }),
    ]);
    const film = await serving.screen.film(join(scratch, "film"), { fps: 10 });
    const animation = await serving.screen.film(join(scratch, "film.png"));
    const lastWords = serving.screen.textAtEnd();
    await serving.console.expect("guest: ready", { timeout: 40_000 });

    expect(serving.forwards[0]?.host).toBeGreaterThan(0);
    let reply = "";
    // The guest's nc starts in the background; until it listens the connection is closed at once.
    await until(async () => (reply = await readTcp(serving.forwards[0]?.host ?? 0)) !== "", 20_000);
    expect(reply).toBe("hello from the guest\n");

    // A machine that stands still goes on standing still.
    await serving.qmp.execute("stop");
    await serving.screen.png(join(scratch, "text.png"));
    const cells = await serving.screen.cells();
    expect(await serving.qmp.execute("query-status")).toMatchObject({ status: "paused" });
    const taken = animation.taken;
    await until(async () => animation.taken > taken + 1, 20_000);
    await serving.qmp.execute("cont");
    // The picture shows what the card's memory holds: one glyph for one character, all over the screen.
    const still = decodePng(await readFile(join(scratch, "text.png")));
    checkGlyphs(still, cells);
    expect(cells).toMatchObject({ columns: 80, rows: 25, cursor: { row: 23, column: 2 } });
    expect(cells.cells[23]?.[5]).toEqual({ char: "t", foreground: 14, background: 1 });
    expect(cells.cells[23]?.[20]).toEqual({ char: "e", foreground: 4, background: 0 });
    const [text, again] = await Promise.all([serving.screen.text(), serving.screen.text()]);
    expect(text).toBe(shownText(25));
    expect(again).toBe(text);

    await serving.port("channel").write("héllo, guest\n");
    const channel: number[] = [];
    for await (const bytes of serving.port("channel").readable) {
      channel.push(...bytes);
      if (channel.includes(10)) break;
    }
    expect(Buffer.from(channel)).toEqual(
      Buffer.concat([Buffer.from("you said <héllo, guest> "), Buffer.from([0, 255, 10])]),
    );
    await serving.console.write("42\n");
    await serving.console.expect(/console got <(\d+)>/, { timeout: 10_000 });

    const [off, rebooted] = await Promise.all([serving.wait(), flooding.wait()]);
    expect(off.kind).toBe("poweroff");
    expect(off.phase).toBe("init");
    expect(off.accel).toBe(off.kvm?.usable === true ? "kvm" : "tcg");
    expect(off.qemuVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(off.times.running).toBeLessThan(off.times.firstByte ?? 0);
    expect(off.times.firstByte).toBeLessThan(off.times.end);
    expect(off.tail.at(-1)).toContain("Power down");

    await film.stop();
    const names = (await readdir(film.path)).sort();
    expect(names.length).toBe(film.kept);
    expect(names.length).toBeGreaterThan(5);
    expect(names[0]).toMatch(/^frame-0001-\d{5}ms\.png$/);
    const pictures = await Promise.all(names.map((name) => readFile(join(film.path, name))));
    pictures.forEach((bytes, index) => expect(pictures[index - 1]?.equals(bytes)).not.toBe(true));
    // The last picture is the one after the guest's last word.
    const lastAt = Number(/-(\d+)ms/.exec(names.at(-1) ?? "")?.[1]);
    expect(lastAt).toBeGreaterThan(off.times.end - 1000);
    expect(await lastWords).toContain("reboot: Power down");

    // The animated picture is there already, and shows the same.
    const { frames, width, height } = decodeApng(await readFile(animation.path));
    expect([width, height, frames.length]).toEqual([720, 400, animation.kept]);
    expect(frames.some(({ picture }) => picture.rgb.equals(still.rgb))).toBe(true);
    expect(frames.at(-1)?.picture.rgb.equals(decodePng(pictures.at(-1) ?? new Uint8Array()).rgb)).toBe(true);
    const length = frames.reduce((sum, { delay }) => sum + delay, 0);
    expect(Math.abs(length - (off.times.end - off.times.running))).toBeLessThan(2000);
    expect((await stat(animation.path)).size).toBeLessThan(animation.kept * 10_000);

    expect(rebooted.kind).toBe("reboot");
    // 300 KiB that nobody read while they came: the guest was not held up, and not a byte is missing.
    const flood = flooding.console.text();
    expect(flood).toContain("guest: flooded");
    expect(flood.match(/x/g)?.length).toBeGreaterThanOrEqual(300 * 1024);
    expect(await readFile(join(scratch, "flood.log"))).toEqual(Buffer.from(flooding.console.bytes()));
  }, 90_000);
});

test("a graphic console is read by its kernel's own letters", async () => {
  const other = await prepareGuest("amd64");
  try {
    // 640 × 480; the log would have to be painted.
    const cmdline = "vga=0x311 console=ttyS0 quiet do=show";
    const vm = await start("show", { kernel: other.kernel, cmdline, vga: true, preset: "lean" });
    await vm.console.expect("guest: shown", { timeout: 60_000 });
    const { columns, rows, cells } = await vm.screen.cells();
    expect([columns, rows]).toEqual([80, 30]);
    expect(cells[28]?.[5]).toEqual({ char: "t", foreground: 14, background: 1 });
    expect(cells[28]?.[20]).toEqual({ char: "e", foreground: 4, background: 0 });
    // A full block and a blank in its colour are the same pixels.
    expect(await vm.screen.text()).toBe(shownText(rows).replace("█", " "));
  } finally {
    await other.remove();
  }
}, 300_000);

test("a panic is reported by pvpanic, with the kernel's words, and ends the machine at once", async () => {
  const vm = await start("crash", { pvpanic: true });
  const end = await vm.wait();
  expect(end).toMatchObject({ kind: "panic", source: "pvpanic", message: "sysrq triggered crash" });
  expect(end.tail.join("\n")).toContain("Kernel panic");
  expect(await processesWith(guest.initrd)).toEqual([]);
}, 60_000);

test("the end of /init is a panic by the console's text; the machine does not reset in between", async () => {
  const vm = await start("exit", { cmdline: "console=ttyS0 panic=-1 do=exit" });
  const lines: string[] = [];
  let at = 0;
  for await (const line of vm.console.lines()) {
    lines.push(line.text);
    expect(line.at).toBeGreaterThanOrEqual(at);
    ({ at } = line);
  }
  const end = await vm.wait();
  expect(end).toMatchObject({ kind: "panic", source: "console" });
  expect(describeResult(end).message).toMatch(
    /^The kernel panicked: Attempted to kill init! exitcode=0x00000300/,
  );
  expect(lines.filter((line) => line.includes("Linux version"))).toHaveLength(1);
}, 60_000);

test("a console that stays silent and a guest that hangs are told apart", async () => {
  const [silent, unseen, hanging] = await Promise.all([
    start("off", { cmdline: "console=null do=hang" }, { deadlines: { firstOutput: 4000 } }),
    start("exit", { cmdline: "console=tty0 do=exit", vga: true }, { deadlines: { firstOutput: 15_000 } }),
    start("hang", {}, { deadlines: { idle: 8000 } }),
  ]);
  const end = await silent.wait();
  expect(end).toMatchObject({
    kind: "no-console",
    deadline: "firstOutput",
    limit: 4000,
    phase: "silent",
    tail: [],
  });
  expect(describeResult(end).hint).toContain("console=ttyS0");
  expect(end.screen).toBeUndefined();
  // What the serial port does not tell the screen may.
  const onScreen = await unseen.wait();
  expect(onScreen).toMatchObject({ kind: "no-console", diagnoses: [{ id: "init-exited" }, {}] });
  expect(onScreen.screen?.text).toContain("Kernel panic - not syncing: Attempted to kill init!");
  expect(decodePng(onScreen.screen?.png ?? new Uint8Array(0)).width).toBe(720);
  const hung = await hanging.wait();
  expect(hung).toMatchObject({ kind: "timeout", deadline: "idle", limit: 8000, phase: "init" });
  expect(describeResult(hung).message).toMatch(
    /^The guest was silent for 8.00 s \(\/init started\)\. It is idle/,
  );
  // The kernel is unpacked on the host, and needs no BIOS.
  expect(hung.command).toMatch(
    / -bios \S+\/qboot\.rom -kernel \S+\/vmlinux\/vmlinuz-\S+-cloud-amd64-[0-9a-f]{16} /,
  );
  await expect(hanging.screen.textAtEnd()).rejects.toMatchObject({ code: "QEMU_NO_SCREEN" });
  await expect(hanging.screen.png(join(scratch, "none.png"))).rejects.toMatchObject({
    code: "QEMU_NO_SCREEN",
  });
}, 60_000);

test("the total deadline, an abort, and a picture at the end", async () => {
  const controller = new AbortController();
  const [late, aborted] = await Promise.all([
    start("hang", { vga: true }, { deadlines: { total: 1500 } }),
    start("hang", {}, { signal: controller.signal }),
  ]);
  const picture = late.screen.pngAtEnd(join(scratch, "end.png"));
  const film = await late.screen.film(join(scratch, "late.png"), { fps: 2 });
  controller.abort();
  expect(await aborted.wait()).toMatchObject({ kind: "killed", by: "abort" });
  await expect(aborted.qmp.execute("query-status")).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
  await expect(aborted.console.expect("never")).rejects.toMatchObject({ code: "QEMU_EXPECT_CLOSED" });
  const end = await late.wait();
  expect(["timeout", "no-console"]).toContain(end.kind);
  expect(end).toMatchObject({ deadline: "total", limit: 1500 });
  await picture;
  const shown = decodeApng(await readFile(film.path)).frames.at(-1)?.picture;
  expect(shown?.rgb).toEqual(decodePng(await readFile(join(scratch, "end.png"))).rgb);
  expect(await processesWith(guest.initrd)).toEqual([]);
}, 60_000);

/** What the guest's screen shows after its thousand lines, see the guest. */
function shownText(rows: number): string {
  const below = [
    "Pack my box with five dozen liquor jugs, 0123456789 times!",
    "┌─┬─┐ ╔═╦═╗ ░▒▓█ é ñ ß ½ π ≤ ÷ ·",
    "bright on blue and red",
    "",
  ];
  const numbers = Array.from({ length: rows - below.length }, (_, row) => String(1005 - rows + row));
  const lines = [...numbers, ...below];
  const put = (row: number, column: number, words: string): void => {
    lines[row] = (lines[row] ?? "").padEnd(column) + words;
  };
  put(2, 39, "addressed");
  put(24, 79, "x");
  return lines.join("\n").trimEnd();
}

function readTcp(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (bytes: Uint8Array) => {
      text += Buffer.from(bytes).toString("utf8");
      if (text.endsWith("\n")) socket.destroy();
    });
    socket.setTimeout(2000, () => socket.destroy());
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}
