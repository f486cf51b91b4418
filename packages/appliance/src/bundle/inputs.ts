import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, sha256, sha256File } from "../internal/canonical.ts";
import { replaceFile } from "../internal/replace-file.ts";
import { readBundle, type Bundle } from "./bundle.ts";

/** A file of this machine that went into a bundle, as it was then. */
export interface InputFile {
  readonly path: string;
  /** -1: there was no such file, and its appearing would matter. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

/** What a key led to the last time. */
interface KeyRecord {
  readonly bundle: string;
  readonly inputs: readonly InputFile[];
}

/** The key of a build: all that is known before anything is built. */
export function buildKey(parts: unknown): string {
  return sha256(canonicalJson(parts)).slice(0, 32);
}

/**
 * The bundle that was built for a key, if every file that went into it is still what it was. Size and time of
 * change are looked at first; only a file that differs there is read.
 */
export async function findBundle(cacheDir: string, key: string): Promise<Bundle | undefined> {
  const path = keyPath(cacheDir, key);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as KeyRecord;
  const now: InputFile[] = [];
  for (const input of record.inputs) {
    const seen = await lookAt(input.path, input);
    if (seen.sha256 !== input.sha256) return undefined;
    now.push(seen);
  }
  const bundle = await readBundle(bundleDirectory(cacheDir, record.bundle));
  // Touched but equal: note the new time, so that the next look is quick again.
  if (bundle && canonicalJson(now) !== canonicalJson(record.inputs))
    await rememberBundle(cacheDir, key, record.bundle, now);
  return bundle;
}

/** Notes which bundle a key led to, and through which files. */
export async function rememberBundle(
  cacheDir: string,
  key: string,
  bundle: string,
  inputs: readonly InputFile[],
): Promise<void> {
  const record: KeyRecord = { bundle, inputs };
  await replaceFile(keyPath(cacheDir, key), `${JSON.stringify(record, undefined, 1)}\n`);
}

/** A file's state; content is hashed unless size and time are those of `before`. */
export async function lookAt(path: string, before?: InputFile): Promise<InputFile> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return { path, size: -1, mtimeMs: 0, sha256: "" };
  const { size, mtimeMs } = info;
  if (before?.size === size && before.mtimeMs === mtimeMs) return before;
  return { path, size, mtimeMs, sha256: await sha256File(path) };
}

export function bundleDirectory(cacheDir: string, id: string): string {
  return join(cacheDir, "appliance", "bundles", id);
}

function keyPath(cacheDir: string, key: string): string {
  return join(cacheDir, "appliance", "keys", `${key}.json`);
}
