import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { aptDownload, aptPackage } from "../../packages/kernel/src/internal/apt.ts";

const exec = promisify(execFile);

/** The files of a package of another architecture (by Debian's name), as a user would take them: unpacked, not installed. */
export async function unpackForeign(name: string, debian: string, directory: string): Promise<string> {
  const found = await aptPackage(name, {}, debian);
  if (found === undefined) throw new Error(`apt has no ${name} of ${debian}`);
  const place = join(directory, name);
  await exec("dpkg-deb", ["-x", await aptDownload(found, {}), place]);
  return place;
}

/** Where systemd-boot-efi has its stub of arm64. */
export const ARM64_STUB = "usr/lib/systemd/boot/efi/linuxaa64.efi.stub";
