import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const INIT = `#include <unistd.h>
#include <sys/reboot.h>
int main(void) { write(1, "INIT\\n", 5); reboot(RB_POWER_OFF); reboot(RB_AUTOBOOT); for (;;) pause(); }
`;

/** An initramfs whose /init prints INIT and powers off. */
export async function makeInitramfs(path: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "qemu-bench-init-"));
  try {
    await writeFile(join(scratch, "init.c"), INIT);
    execFileSync("gcc", ["-Os", "-static", "-o", join(scratch, "init"), join(scratch, "init.c")]);
    const none = Buffer.alloc(0);
    await writeFile(
      path,
      Buffer.concat([
        entry("dev", 0o40755, 0, none),
        // /dev/console: character device 5:1
        entry("dev/console", 0o20600, 1, none),
        entry("init", 0o100755, 0, await readFile(join(scratch, "init"))),
        entry("TRAILER!!!", 0, 0, none),
      ]),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function entry(name: string, mode: number, device: number, data: Buffer): Buffer {
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, device === 0 ? 0 : 5, device, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
  const pad = (length: number): Buffer => Buffer.alloc(-length & 3);
  return Buffer.concat([Buffer.from(head), pad(head.length), data, pad(data.length)]);
}
