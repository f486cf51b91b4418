/** A queue, a call, a result, parameters and the local disk, on a real machine: see lab/policy-boot.ts. */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PxeEvent } from "../src/index.ts";
import { cloudKernel } from "./lab/guest.ts";
import { NETWORK_MODULES, networkModules } from "./lab/guest-modules.ts";
import { runInLab } from "./lab/run-in-lab.ts";

const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
echo "LAB init"
for module in ${NETWORK_MODULES.join(" ")}; do $b insmod /modules/$module.ko; done
for word in $($b cat /proc/cmdline); do case $word in je.*) eval "\${word#je.}";; esac; done
echo "LAB note [$($b cat /params/note)] $($b stat -c '%a %u' /params/note)"
$b ip link set eth0 up
$b ip address add $($b cat /params/address) dev eth0
$b wget -q -O - --post-data=up "$server/v1/machines/$machine/booted?token=$token" && echo "LAB called"
$b wget -q -O - --post-data=up "$server/v1/machines/$machine/booted?token=$token" || echo "LAB refused"
$b sha256sum /init >/proof
$b wget -q -O - --post-file=/proof "$server/v1/runs/$run/files/proof?token=$token"
$b wget -q -O - --post-data=status=0 "$server/v1/runs/$run/done?token=$token" && echo "LAB done"
$b poweroff -f
`;

/** A boot sector that prints a line on the serial port: 16 bits, BIOS interrupt 14h. */
function bootSector(text: string): Buffer {
  const code = Buffer.from([
    0x31,
    0xc0,
    0x8e,
    0xd8, // xor ax,ax; mov ds,ax
    0xbe,
    0x14,
    0x7c, // mov si,0x7c14
    0xac, // lodsb
    0x84,
    0xc0, // test al,al
    0x74,
    0xfe, // jz itself
    0xb4,
    0x01,
    0x31,
    0xd2, // mov ah,1; xor dx,dx
    0xcd,
    0x14, // int 14h
    0xeb,
    0xf3, // jmp to lodsb
  ]);
  const sector = Buffer.alloc(512);
  code.copy(sector);
  sector.write(`${text}\r\n\0`, 0x14, "latin1");
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

let work = "";
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "pxe-policy-lab-"));
  const root = join(work, "root");
  for (const name of ["bin", "proc", "dev", "modules"]) await mkdir(join(root, name), { recursive: true });
  await cp("/bin/busybox", join(root, "bin/busybox"));
  await symlink("busybox", join(root, "bin/sh"));
  await cp(await networkModules(), join(root, "modules"), { recursive: true });
  await writeFile(join(root, "init"), INIT, { mode: 0o755 });
  await mkdir(join(work, "bundle"));
  await cp(await cloudKernel(), join(work, "bundle/kernel"));
  // Compressed, of any length: what follows it in memory begins at any byte.
  execFileSync("sh", [
    "-c",
    `cd "$1" && find . | cpio --quiet -o -H newc | gzip -1 > "$2"`,
    "sh",
    root,
    join(work, "bundle/initramfs"),
  ]);
  await writeFile(join(work, "bundle/cmdline"), "console=ttyS0 panic=-1 quiet\n");
  await writeFile(join(work, "disk"), Buffer.concat([bootSector("DISK BOOTED"), Buffer.alloc(1 << 20)]));
}, 120_000);
afterAll(() => rm(work, { recursive: true, force: true }));

/** The lines that the README gives for dnsmasq. */
async function readmeLines(): Promise<string> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const lines = /```conf\n# dnsmasq\n([^]*?)```/.exec(readme)?.[1];
  if (lines === undefined) throw new Error("the README has no lines for dnsmasq");
  return lines;
}

test(
  "a machine boots its queue's plan once, calls, sends a result, and then its disk",
  { timeout: 120_000 },
  async () => {
    const script = fileURLToPath(new URL("lab/policy-boot.ts", import.meta.url));
    const run = await runInLab(script, [join(work, "bundle"), work, await readmeLines()], {
      timeoutSeconds: 100,
    });
    expect(run.status, run.stderr + run.stdout).toBe(0);
    const report = JSON.parse(run.stdout) as Record<"first" | "second" | "result", string> & {
      events: PxeEvent[];
      timeline: string[];
      explained: string[];
    };
    expect(report.first).toContain("LAB note [of the queue] 400 0");
    for (const word of ["called", "refused", "done"]) expect(report.first).toContain(`LAB ${word}`);
    const sum = execFileSync("sha256sum", [join(work, "root/init")])
      .toString()
      .slice(0, 64);
    expect(report.result).toBe(`${sum}  /init\n`);
    // The rule: the disk, by the machine's own iPXE.
    expect(report.second).toContain("DISK BOOTED");
    const mac = "52:54:00:12:34:56";
    const plans = report.events.filter((event) => event.kind === "plan");
    expect(plans).toMatchObject([
      { mac, plan: "bundle", run: "first" },
      { mac, plan: "the local disk", rule: 0 },
    ]);
    for (const kind of ["script", "kernel", "initrd", "booted", "upload", "result"]) {
      expect(report.events).toContainEqual(expect.objectContaining({ kind, mac }));
    }
    const [disk = "", queue = ""] = report.timeline;
    console.log(`${queue}\n${disk}`);
    expect(queue).toMatch(/^boot of 52:54:00:12:34:56 is done: /);
    expect(queue).toMatch(/kernel +13\.\d MiB .*MiB\/s by http/);
    expect(report.explained.join(" ")).toContain("Rule 1 of the policy sends it to the local disk.");
  },
);
