import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { aptDownload, aptPackage } from "../../../packages/kernel/src/internal/apt.ts";

const exec = promisify(execFile);

/** systemd's stub of another architecture: from Debian's package, as a user would take it. */
export async function foreignStub(debian: string, name: string, directory: string): Promise<string> {
  const found = await aptPackage("systemd-boot-efi", {}, debian);
  if (found === undefined) throw new Error(`apt has no systemd-boot-efi of ${debian}`);
  await exec("dpkg-deb", ["-x", await aptDownload(found, {}), directory]);
  return join(directory, "usr/lib/systemd/boot/efi", name);
}
