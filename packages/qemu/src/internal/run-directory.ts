import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RunDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A private directory (mode 0700 by mkdtemp) for the files of one run. */
export async function createRunDirectory(): Promise<RunDirectory> {
  const path = await mkdtemp(join(tmpdir(), "justenough-qemu-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
