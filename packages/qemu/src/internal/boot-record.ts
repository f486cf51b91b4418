import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheRoot } from "./cache-root.ts";

/**
 * The file for what was found out about this host and is good until it boots again; undefined where boots have no name.
 *
 * @param key - All that the finding depends on beside the boot.
 */
export async function bootRecord(
  cacheDir: string | undefined,
  name: string,
  key: readonly unknown[],
): Promise<string | undefined> {
  let bootId: string;
  try {
    bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return undefined;
  }
  const digest = createHash("sha256")
    .update(JSON.stringify([1, bootId, ...key]))
    .digest("hex");
  return join(cacheRoot(cacheDir), "qemu", `${name}-${digest.slice(0, 32)}.json`);
}

/** The value that was kept, if `isValid` says that it is one. */
export async function readRecord<T>(file: string, isValid: (value: T) => boolean): Promise<T | undefined> {
  try {
    const value = JSON.parse(await readFile(file, "utf8")) as T;
    return isValid(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What can't be kept is only found out again. */
export async function writeRecord(file: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const part = `${file}.${process.pid}.part`;
    await writeFile(part, JSON.stringify(value));
    await rename(part, file);
  } catch {
    return;
  }
}
