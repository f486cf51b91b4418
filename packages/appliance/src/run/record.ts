import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BootReport } from "@justenough/initramfs";
import { defaultStateDir } from "../internal/paths.ts";
import { replaceFile } from "../internal/replace-file.ts";

/** How a run ended. */
export type RunEnd =
  /** The program ended by itself and the guest said so to the last word. */
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "signalled"; readonly signal: number }
  /** The program could not be started. */
  | { readonly kind: "not-started"; readonly what: string; readonly status: number }
  /** An appliance with its own /init switched itself off. */
  | { readonly kind: "powered-off" }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly hint?: string | undefined;
      readonly timedOut: boolean;
    };

/** What is kept of a run. Times in milliseconds since the machine was switched on. */
export interface RunRecord {
  readonly format: 1;
  /** Also the name of its directory; sorts by time. */
  readonly id: string;
  readonly spec: string;
  readonly name: string;
  readonly bundle: string;
  /** Whether this was the distribution's kernel. */
  readonly distro: boolean;
  readonly started: string;
  readonly argv: readonly string[];
  readonly machine: {
    readonly accel: "kvm" | "tcg";
    readonly qemu: string;
    readonly memory: number;
    readonly cpus: number;
  };
  readonly forwards: readonly { readonly host: number; readonly guest: number }[];
  readonly times: {
    readonly init?: number | undefined;
    readonly start?: number | undefined;
    readonly exit?: number | undefined;
    readonly end?: number | undefined;
  };
  readonly end?: RunEnd | undefined;
  /** What the guest did without. */
  readonly notes: readonly string[];
  /** What was asked for and did not work: a network, a module, the program itself. */
  readonly failures: readonly string[];
  readonly report?: BootReport | undefined;
  /** The whole console. */
  readonly log: string;
}

export function runsDir(): string {
  return join(defaultStateDir(), "appliance", "runs");
}

/** Makes the directory of a new run. */
export async function newRunDirectory(
  name: string,
  now: Date = new Date(),
): Promise<{ id: string; directory: string }> {
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace(".", "-");
  const id = `${stamp}-${name}-${process.pid}`;
  const directory = join(runsDir(), id);
  await mkdir(directory, { recursive: true });
  return { id, directory };
}

export async function writeRecord(directory: string, record: RunRecord): Promise<void> {
  await replaceFile(join(directory, "record.json"), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** All records that can be read, newest first. */
export async function listRecords(): Promise<RunRecord[]> {
  const names = await readdir(runsDir()).catch(() => []);
  const records: RunRecord[] = [];
  for (const name of names.toSorted().toReversed()) {
    const text = await readFile(join(runsDir(), name, "record.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    try {
      const record = JSON.parse(text) as RunRecord;
      if (record.format === 1) records.push(record);
    } catch {
      // A record that cannot be read is as good as none.
    }
  }
  return records;
}

/** Keeps the newest runs only: logs of old ones are of no use and fill the disk. */
export async function pruneRuns(keep = 50): Promise<void> {
  const names = await readdir(runsDir()).catch(() => []);
  for (const name of names.toSorted().slice(0, -keep)) {
    await rm(join(runsDir(), name), { recursive: true, force: true });
  }
}
