import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distroKernel } from "@justenough/kernel";
import { agentSegment, launch, serialDevices } from "@justenough/qemu";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Virtio's drivers, which Debian has built into its kernel of riscv64 alone. */
const MODULES = [
  "virtio/virtio_ring",
  "virtio/virtio",
  "virtio/virtio_pci_legacy_dev",
  "virtio/virtio_pci_modern_dev",
  "virtio/virtio_pci",
  "char/virtio_console",
];

// As init, it loads modules and becomes the agent; else it writes to both streams and ends as it is told.
const PROGRAM = String.raw`
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (getpid() == 1) {
		for (char name[] = "/modules/0.ko"; access(name, F_OK) == 0; name[9]++)
			syscall(SYS_finit_module, open(name, O_RDONLY), "", 0);
		execl("/agent", "/agent", (char *)0);
	}
	for (int i = 0; i < atoi(argv[1]); i++)
		putchar('o'), fputc('e', stderr);
	fflush(stdout);
	raise(atoi(argv[3]));
	return atoi(argv[2]);
}
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "e2e-agent-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// The serial port is a PCI card on these. x86_64 is packages/qemu/test/agent/guest.test.ts.
test.each([
  ["arm64", "aarch64-linux-gnu-gcc", "serial"],
  ["arm64", "aarch64-linux-gnu-gcc", "virtio"],
  ["riscv64", "riscv64-linux-gnu-gcc", "serial"],
  ["riscv64", "riscv64-linux-gnu-gcc", "virtio"],
] as const)("programs in a guest of %s (%s), over its %s port", async (arch, compiler, channel) => {
  const kernel = await distroKernel({ arch });
  const name = `${arch}-${channel}`;
  const root = join(directory, name);
  await mkdir(join(root, "modules"), { recursive: true });
  await writeFile(join(directory, "init.c"), PROGRAM);
  await execa(compiler, ["-static", "-Os", "-o", join(root, "init"), join(directory, "init.c")]);
  for (const [index, module] of channel === "serial" || arch === "riscv64" ? [] : MODULES.entries()) {
    const bytes = await readFile(join(kernel.modules ?? "", "kernel/drivers", `${module}.ko`));
    await writeFile(join(root, `modules/${index}.ko`), bytes);
  }
  const initrd = join(directory, `${name}.cpio`);
  await execa("sh", ["-c", `find . | cpio -o -H newc --quiet > "$0"`, initrd], { cwd: root });

  await using vm = await launch(
    {
      arch,
      kernel: kernel.image,
      initrd: [initrd, await agentSegment({ arch })],
      cmdline: `console=${serialDevices(arch).console}`,
      ports: ["agent"],
      virtioPorts: channel === "virtio" ? ["agent"] : [],
    },
    { deadlines: { total: 300_000 } },
  );
  const agent = await vm.agent({ timeout: 300_000 });
  expect(agent.channel).toBe(channel);
  for (const [bytes, status, signal] of [
    [0, 0, 0],
    [5, 255, 0],
    [3000, 7, 15],
  ] as const) {
    const result = await agent.exec(["/init", ...[bytes, status, signal].map(String)]);
    expect(signal === 0 ? result.code : result.signal).toBe(signal === 0 ? status : "SIGTERM");
    expect(Buffer.from(result.stdout).toString()).toBe("o".repeat(bytes));
    expect(Buffer.from(result.stderr).toString()).toBe("e".repeat(bytes));
  }
  await agent.reseed(new Uint8Array(32), new Date());
  await agent.poweroff();
  expect((await vm.wait()).kind).toBe("poweroff");
});
