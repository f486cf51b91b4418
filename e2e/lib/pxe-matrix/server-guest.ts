/** A machine whose only program is our server: Node with its libraries and this repository's sources in an initramfs. */
import { copyFile, cp, mkdir, realpath, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { buildInitramfs } from "@justenough/initramfs";
import { distroKernel } from "@justenough/kernel";
import type { MachineSpec } from "@justenough/qemu";
import type { MatrixGuest } from "./guest.ts";

/** Where the server's machine has a file of the guest. */
export const bundlePath = (path: string): string => `/bundle/${basename(path)}`;
const STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/** The packages that the server needs, laid out as Node finds them. */
async function layOutPackages(place: string): Promise<void> {
  const modules = join(place, "node_modules");
  await mkdir(join(modules, "@justenough"), { recursive: true });
  for (const name of ["pxe", "cpio", "uki"]) {
    const target = join(place, "packages", name);
    await mkdir(target, { recursive: true });
    await copyFile(join(root, "packages", name, "package.json"), join(target, "package.json"));
    await cp(join(root, "packages", name, "src"), join(target, "src"), { recursive: true });
    // Node strips no types below node_modules, but follows links out of it.
    await symlink(`../../packages/${name}`, join(modules, "@justenough", name));
  }
  for (const name of ["yaml", "zod"]) {
    const installed = await realpath(join(root, "packages/pxe/node_modules", name));
    await cp(installed, join(modules, name), { recursive: true });
  }
}

/** The machine that serves a guest with the policy in `policy`, on its network card eth0. */
export async function serverMachine(guest: MatrixGuest, policy: string): Promise<MachineSpec> {
  const kernel = await distroKernel();
  const place = join(guest.directory, "server");
  const image = join(guest.directory, "server.cpio");
  await rm(place, { recursive: true, force: true });
  await layOutPackages(place);
  const bundle = [guest.kernel, ...guest.initrd].map((source) => ({ source, target: bundlePath(source) }));
  await buildInitramfs({
    programs: [{ source: process.execPath, target: "/bin/node" }],
    files: [
      { source: place, target: "/je" },
      { source: STUB, target: STUB },
      { content: policy, target: "/bundle/policy.json" },
      ...bundle,
    ],
    modules: { directory: kernel.modules ?? "", names: ["virtio_pci", "virtio_net"] },
    init: {
      kind: "generated",
      args: [
        ..."/bin/node /je/packages/pxe/src/cli.ts --interface eth0 --mode authoritative --force --json".split(
          " ",
        ),
        ..."--policy /bundle/policy.json --state /tmp --lease-file /tmp/leases".split(" "),
      ],
      network: "static",
      address: "10.77.0.1/24",
      tty: "raw",
    },
    // It is unpacked by an emulated processor.
    compression: "none",
    output: image,
    arch: "x86_64",
  });
  return { kernel: kernel.image, initrd: [image], cmdline: "console=ttyS0 quiet", memory: 1024 };
}
