import { access } from "node:fs/promises";
import { join } from "node:path";
import { UkiError } from "./errors.ts";
import type { PeMachine } from "./pe-machine.ts";

/** The names that systemd gives its stubs, by the UEFI specification's short names of machines. */
const NAMES: Readonly<Partial<Record<PeMachine, { name: string; debian: string }>>> = {
  ia32: { name: "linuxia32.efi.stub", debian: "i386" },
  x64: { name: "linuxx64.efi.stub", debian: "amd64" },
  arm32: { name: "linuxarm.efi.stub", debian: "armhf" },
  arm64: { name: "linuxaa64.efi.stub", debian: "arm64" },
  riscv64: { name: "linuxriscv64.efi.stub", debian: "riscv64" },
  loongarch64: { name: "linuxloongarch64.efi.stub", debian: "loong64" },
};

/** Where all distributions put them (systemd-stub(7)). */
const DIRECTORY = "/usr/lib/systemd/boot/efi";
const HOST: Readonly<Record<string, PeMachine>> = {
  x64: "x64",
  arm64: "arm64",
  riscv64: "riscv64",
  loong64: "loongarch64",
};

/**
 * Finds systemd's stub for a machine among the files of this distribution. None is shipped with this package. That
 * of a foreign machine is in the same package of that architecture; give its path as `stub` when it is elsewhere.
 *
 * @throws UkiError `UKI_STUB_MISSING`, which names the package
 * @example
 * ```ts no-run
 * import { findStub } from "@justenough/uki";
 * console.log(await findStub("x64")); // /usr/lib/systemd/boot/efi/linuxx64.efi.stub
 * ```
 */
export async function findStub(
  machine: PeMachine,
  options: { readonly directory?: string } = {},
): Promise<string> {
  const stub = NAMES[machine];
  if (stub === undefined) {
    throw new UkiError("UKI_STUB_MISSING", `systemd has no stub for the machine type "${machine}"`);
  }
  const path = join(options.directory ?? DIRECTORY, stub.name);
  const found = await access(path).then(
    () => true,
    () => false,
  );
  if (found) return path;
  const hint =
    HOST[process.arch] === machine
      ? "Install it: apt-get install systemd-boot-efi (Debian, Ubuntu), or give a stub by its path"
      : `Unpack Debian's package systemd-boot-efi of ${stub.debian} (dpkg-deb -x), and give the stub by its path`;
  throw new UkiError("UKI_STUB_MISSING", `There is no systemd-stub for ${machine} at "${path}"`, { hint });
}
