import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PxeError } from "../errors.ts";
import type { PxeEventBody } from "../events.ts";
import type { Policy } from "./choose-plan.ts";
import { syncDirectory } from "../internal/sync-directory.ts";
import { parsePolicy, readPolicy } from "./read-policy.ts";

/** How often the file is looked at. Editors replace files in many ways; a look each second sees them all. */
const LOOK_MS = 1000;

/** The policy in force. */
export interface PolicyHolder {
  current(): Policy;
  /** The text that it was read from; undefined for one bundle of the command line. */
  text(): string | undefined;
  /** The file's directory, which relative paths are relative to. */
  readonly directory: string;
  /** Put another one in force, and into the file; `PXE_POLICY_INVALID` leaves the old one. */
  replace(text: string): Promise<void>;
  /** Look at the file now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** A policy that never changes. */
export function fixedPolicy(policy: Policy): PolicyHolder {
  return {
    current: () => policy,
    text: () => undefined,
    directory: process.cwd(),
    replace: () =>
      Promise.reject(
        new PxeError("PXE_POLICY_INVALID", "This server serves one bundle and has no policy to change", {
          hint: "start it with --policy FILE",
        }),
      ),
    look: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** What tells a changed file from the one that was read. */
async function stamp(file: string): Promise<string> {
  const info = await stat(file, { bigint: true }).catch(() => undefined);
  return info ? `${info.ino} ${info.size} ${info.mtimeNs}` : "gone";
}

/**
 * Replace a file's text: at no moment is there half of it, and whoever could not read the old one cannot read the
 * new one, which may hold parameters that are nobody's business.
 */
async function writeText(file: string, text: string): Promise<void> {
  const real = await realpath(file);
  const { mode } = await stat(real);
  const beside = `${real}.new`;
  await rm(beside, { force: true });
  const handle = await open(beside, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.chmod(mode & 0o777);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, real);
  await syncDirectory(dirname(real));
}

/** Read a policy file, and again when it changes; a broken edit is told once and changes nothing. */
export async function watchPolicy(file: string, emit: (event: PxeEventBody) => void): Promise<PolicyHolder> {
  const directory = dirname(resolve(file));
  let seen = await stamp(file);
  let { text, policy } = await readPolicy(file);
  let told = "";
  let busy: Promise<void> = Promise.resolve();

  const reread = async (): Promise<void> => {
    const now = await stamp(file);
    if (now === seen) return;
    seen = now;
    try {
      const next = await readPolicy(file);
      told = "";
      // The same text again: nothing new.
      if (next.text === text) return;
      ({ text, policy } = next);
      emit({ kind: "policy", file, rules: policy.rules.length });
    } catch (error) {
      const { message } = error as Error;
      if (message === told) return;
      told = message;
      const hint = "the policy in force is kept";
      emit({ kind: "warning", code: "policy-invalid", message, hint });
    }
  };
  /** One after the other: a write by us is no change that the watcher has to read. */
  const serial = (work: () => Promise<void>): Promise<void> => {
    const next = busy.then(work, work);
    busy = next.catch(() => undefined);
    return next;
  };
  const timer = setInterval(() => void serial(reread), LOOK_MS);
  timer.unref();

  return {
    current: () => policy,
    text: () => text,
    directory,
    replace: (wanted) =>
      serial(async () => {
        const next = await parsePolicy(wanted, { file: "the policy that was sent", directory });
        await writeText(file, wanted);
        [text, policy, told] = [await readFile(file, "utf8"), next, ""];
        seen = await stamp(file);
        emit({ kind: "policy", file, rules: next.rules.length });
      }),
    look: () => serial(reread),
    async close() {
      clearInterval(timer);
      await busy;
    },
  };
}
