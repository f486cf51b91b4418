import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { run } from "./process.ts";

/** A text, and what is known of its signature. */
export interface CheckedText {
  /** With a good signature only what is signed: a clear-signed file may have anything before and behind that. */
  readonly text: string;
  readonly signature: string;
}

/**
 * Checks a clear-signed text with gpgv. A keyring that is named must have the key. Without one gpgv's own, of keys that
 * the user trusts to sign software (gpgv(1), trustedkeys.kbx), is asked, and an unknown key only told.
 *
 * @throws KernelError KERNEL_CHECKSUM for a bad signature, KERNEL_TOOL_MISSING.
 */
export async function checkSignature(
  name: string,
  text: string,
  keyring: string | undefined,
  context: KernelContext,
): Promise<CheckedText> {
  const ring = keyring === undefined ? await ownKeyring() : resolve(keyring);
  if (ring === undefined) return { text, signature: "not checked: no keyring" };
  if (!text.startsWith("-----BEGIN PGP SIGNED MESSAGE-----")) {
    if (keyring === undefined) return { text, signature: "not checked: there is none" };
    throw badSignature(name, "it has none", ring);
  }
  const directory = await mkdtemp(join(tmpdir(), "kernel-signature-"));
  try {
    const signed = join(directory, "signed");
    const output = join(directory, "text");
    await writeFile(signed, text);
    const args = ["--status-fd", "1", "--keyring", ring, "--output", output, signed];
    const finished = await run({ file: "gpgv", args }, { signal: context.signal });
    if (finished.exitCode === 127) {
      if (keyring === undefined) return { text, signature: "not checked: there is no program gpgv" };
      throw new KernelError("KERNEL_TOOL_MISSING", `Cannot check "${name}": there is no program "gpgv"`, {
        hint: "apt-get install gpgv",
      });
    }
    const key = /^\[GNUPG:\] VALIDSIG (\w+)/m.exec(finished.stdout)?.[1];
    if (finished.exitCode === 0 && key !== undefined) {
      return { text: await readFile(output, "utf8"), signature: `good, by the key ${key}` };
    }
    const unknown = /^\[GNUPG:\] NO_PUBKEY (\w+)/m.exec(finished.stdout)?.[1];
    if (unknown !== undefined && keyring === undefined) {
      return { text, signature: `not checked: the key ${unknown} is not in "${ring}"` };
    }
    throw badSignature(
      name,
      unknown === undefined ? finished.stderr : `the key ${unknown} is not in it`,
      ring,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function ownKeyring(): Promise<string | undefined> {
  const home = process.env["GNUPGHOME"] ?? join(process.env["HOME"] ?? homedir(), ".gnupg");
  for (const name of ["trustedkeys.kbx", "trustedkeys.gpg"]) {
    const path = join(home, name);
    if ((await stat(path).catch(() => undefined))?.isFile() === true) return path;
  }
  return undefined;
}

function badSignature(name: string, why: string, ring: string): KernelError {
  const reason = why.split("\n").map((line) => line.replace(/^gpgv: /, "").trim());
  return new KernelError(
    "KERNEL_CHECKSUM",
    `The signature of "${name}" is not good by the keyring "${ring}": ${reason.join("; ")}`,
    {
      hint: "Do not trust this mirror, or bring the keyring up to date: kernel.org/signature.html tells the keys",
    },
  );
}
