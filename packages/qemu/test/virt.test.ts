import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeResult, launch, type LaunchOptions, type MachineSpec, type Vm } from "../src/index.ts";
import { buildBareMetalGuest, type BareMetalGuest } from "./support/bare-metal.ts";
import { decodePng } from "./support/png.ts";
import { processesWith } from "./support/processes.ts";

describe.each(["arm64", "riscv64"] as const)("a machine of %s", (arch) => {
  let guest: BareMetalGuest;
  let scratch: string;
  const running: Vm[] = [];
  beforeAll(async () => {
    guest = await buildBareMetalGuest(arch);
    scratch = await mkdtemp(join(tmpdir(), "qemu-virt-test-"));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((vm) => vm.kill()));
  });
  afterAll(async () => {
    await guest.remove();
    await rm(scratch, { recursive: true, force: true });
  });

  async function start(task: string, spec: MachineSpec = {}, options: LaunchOptions = {}): Promise<Vm> {
    const vm = await launch(
      { arch, kernel: guest.kernel, cmdline: `do=${task}`, memory: "128M", ...spec },
      { deadlines: { total: 60_000 }, ...options },
    );
    running.push(vm);
    return vm;
  }

  test("hands over command line and initramfs, is talked to on two ports, and powers off", async () => {
    const parts = [Buffer.from("one"), Buffer.from("two")];
    const vm = await start("serve", { initrd: parts, ports: ["first", "second"], pvpanic: true });
    await vm.port("first").write("hello\n");
    await vm.port("first").expect("first: hello\n");
    await vm.port("second").write("world\n");
    const end = await vm.wait();
    expect(end).toMatchObject({ kind: "poweroff", phase: "output" });
    expect(vm.console.text()).toContain("arguments: do=serve\ninitrd: one.two.\nend\n");
    expect(vm.port("first").text()).toBe("first: hello\n");
    expect(vm.port("second").text()).toBe("second: world\n");
    expect(await processesWith(guest.kernel)).toEqual([]);
  });

  test("is emulated where the host is of another architecture, and says so", async () => {
    const vm = await start("off");
    const end = await vm.wait();
    expect(end).toMatchObject({ kind: "poweroff", accel: "tcg" });
    expect(end.kvm).toMatchObject({ usable: false, shape: "foreign", reason: expect.stringContaining(arch) });
    await expect(start("off", { accel: "kvm" })).rejects.toMatchObject({ code: "QEMU_KVM_UNUSABLE" });
  });

  test("a reset, a panic by pvpanic, and a guest that hangs", async () => {
    const [reset, panic, hang] = await Promise.all([
      start("reboot"),
      start("panic", { pvpanic: true }),
      start("hang", {}, { deadlines: { idle: 3000 } }),
    ]);
    expect(await reset.wait()).toMatchObject({ kind: "reboot" });
    expect(await panic.wait()).toMatchObject({ kind: "panic", source: "pvpanic" });
    expect(panic.console.text()).not.toContain("end");
    expect(await hang.wait()).toMatchObject({ kind: "timeout", deadline: "idle" });
  });

  test("not a byte is missing when it powers off right after a flood", async () => {
    const vm = await start("flood");
    expect((await vm.wait()).kind).toBe("poweroff");
    expect(vm.console.text().match(/\n(?:0123456789){7}(?=\n)/g)).toHaveLength(1000);
  });

  test("pictures of its screen, also when QEMU ends with the guest", async () => {
    const vm = await start("hang", { vga: true });
    await vm.screen.png(join(scratch, "screen.png"));
    const { width, height } = decodePng(await readFile(join(scratch, "screen.png")));
    expect([width, height]).toEqual([640, 480]);
    await expect(vm.screen.text()).rejects.toMatchObject({ code: "QEMU_NO_TEXT" });
    const last = vm.screen.pngAtEnd(join(scratch, "end.png"));
    await vm.kill();
    await last;
    expect(decodePng(await readFile(join(scratch, "end.png"))).width).toBe(640);

    const off = await start("off", { vga: true });
    const film = await off.screen.film(join(scratch, "film"));
    await off.wait();
    await film.stop();
    // Too late: an answer at once, not a wait for an end that has been.
    await expect(off.screen.pngAtEnd(join(scratch, "late.png"))).rejects.toMatchObject({
      code: "QEMU_NO_SCREEN",
      message: "QEMU ended before its last picture could be taken",
    });
  });
});

test("a silent console of arm64 is told with the name that Linux has for it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "qemu-silent-"));
  try {
    await writeFile(join(directory, "zeros"), new Uint8Array(64));
    const vm = await launch(
      { arch: "arm64", kernel: join(directory, "zeros"), memory: "64M" },
      { deadlines: { firstOutput: 500 } },
    );
    const end = await vm.wait();
    expect(end).toMatchObject({ kind: "no-console", arch: "arm64" });
    expect(describeResult(end).hint).toBe(
      "The kernel needs CONFIG_SERIAL_AMBA_PL011_CONSOLE=y, CONFIG_PRINTK=y and, on its command line, console=ttyAMA0",
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a machine of riscv64 without its firmware says which package has it", async () => {
  const guest = await buildBareMetalGuest("riscv64");
  try {
    await expect(
      launch({ arch: "riscv64", kernel: guest.kernel, firmware: "opensbi-that-is-missing.bin" }),
    ).rejects.toMatchObject({
      code: "QEMU_START_FAILED",
      message: expect.stringContaining("opensbi-that-is-missing.bin"),
      hint: "Install it: apt-get install opensbi (Debian, Ubuntu)",
    });
  } finally {
    await guest.remove();
  }
});
