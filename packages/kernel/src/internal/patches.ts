import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { decompressorOf } from "./compression.ts";
import { gitOrThrow } from "./git.ts";
import { runOrThrow } from "./process.ts";

/** One patch of a series, read. */
export interface Patch {
  /** The file's name; of a mailbox also which mail, and its subject. */
  readonly name: string;
  /** How many components of the names in it are left out: patch(1)'s -p. */
  readonly strip: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads patches in the order in which they are applied: files (also compressed ones), mailboxes, and directories, with
 * quilt's `series` or else all `*.patch` and `*.diff` sorted by name.
 *
 * @throws KernelError KERNEL_SOURCE for what is missing or holds no patch.
 */
export async function readPatches(paths: readonly string[], context: KernelContext): Promise<Patch[]> {
  const patches: Patch[] = [];
  for (const given of paths) {
    const path = resolve(given);
    const facts = await stat(path).catch((error: unknown) => {
      throw new KernelError("KERNEL_SOURCE", `Cannot read the patch "${given}"`, { cause: error });
    });
    const files = facts.isDirectory() ? await seriesOf(path) : [{ path, strip: 1 }];
    const before = patches.length;
    for (const file of files) patches.push(...(await readFileOfPatches(file.path, file.strip, context)));
    if (patches.length === before) {
      throw new KernelError(
        "KERNEL_SOURCE",
        `"${given}" holds no patch: neither "diff --git" nor "---" and "+++" lines`,
      );
    }
  }
  return patches;
}

/** What names the patches by content: their bytes, order and strip levels, not their names. */
export function patchesId(patches: readonly Patch[]): string {
  const hash = createHash("sha256");
  for (const { strip, bytes } of patches) hash.update(`${strip} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex").slice(0, 16);
}

// quilt(1): a line has a name and perhaps -pN; # begins a comment.
async function seriesOf(directory: string): Promise<{ path: string; strip: number }[]> {
  const series = await readFile(join(directory, "series"), "utf8").catch(() => undefined);
  const entries =
    series === undefined
      ? (await readdir(directory))
          .filter((name) => /\.(patch|diff)(\.(xz|gz|zst|bz2))?$/.test(name))
          .sort()
          .map((name) => ({ path: join(directory, name), strip: 1 }))
      : series.split("\n").flatMap((line) => {
          const [name = "", ...options] = line
            .replace(/(^|\s)#.*$/, "")
            .trim()
            .split(/\s+/);
          const strip = /-p(\d+)/.exec(options.join(" "))?.[1];
          return name === "" ? [] : [{ path: join(directory, name), strip: Number(strip ?? 1) }];
        });
  if (entries.length > 0) return entries;
  throw new KernelError("KERNEL_SOURCE", `The directory "${directory}" holds no patches`, {
    hint: 'It needs a file "series" in quilt\'s form, or files that end in .patch or .diff',
  });
}

// A cover letter, in a mailbox or beside what git-format-patch wrote, has none.
async function readFileOfPatches(path: string, strip: number, context: KernelContext): Promise<Patch[]> {
  const directory = await mkdtemp(join(tmpdir(), "kernel-patches-"));
  try {
    const plain = await decompressed(path, directory, context);
    const bytes = await readFile(plain).catch((error: unknown) => {
      throw new KernelError("KERNEL_SOURCE", `Cannot read the patch "${path}"`, { cause: error });
    });
    const name = basename(path);
    return bytes.subarray(0, 5).equals(Buffer.from("From "))
      ? await mailsOf(plain, name, strip, directory, context)
      : [{ name, strip, bytes }].filter((patch) => isPatch(patch.bytes));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function decompressed(path: string, directory: string, context: KernelContext): Promise<string> {
  const tool = await decompressorOf(path).catch(() => undefined);
  if (tool === undefined) return path;
  const plain = join(directory, "plain");
  const args = ["-c", `exec ${tool.program} -dc <"$1" >"$2"`, "sh", path, plain];
  await runOrThrow({ file: "sh", args }, { what: `decompress the patch "${path}"`, signal: context.signal });
  return plain;
}

// git decodes mails as git-am does: quoted-printable, base64, other character sets.
async function mailsOf(
  mailbox: string,
  name: string,
  strip: number,
  directory: string,
  context: KernelContext,
): Promise<Patch[]> {
  const what = `read the mailbox "${name}"`;
  const count = Number(await gitOrThrow(what, {}, ["mailsplit", `-o${directory}`, mailbox], context));
  const patches: Patch[] = [];
  for (let mail = 1; mail <= count; mail++) {
    const file = join(directory, String(mail).padStart(4, "0"));
    const diff = join(directory, `${mail}.diff`);
    const script = 'exec git mailinfo -b "$1" "$2" <"$3"';
    const args = ["-c", script, "sh", join(directory, "message"), diff, file];
    const info = await runOrThrow({ file: "sh", args }, { what, signal: context.signal });
    const subject = /^Subject: (.*)$/m.exec(info.stdout)?.[1] ?? "";
    const bytes = await readFile(diff);
    if (isPatch(bytes))
      patches.push({ name: count === 1 ? name : `${name}, mail ${mail}: ${subject}`, strip, bytes });
  }
  return patches;
}

function isPatch(bytes: Uint8Array): boolean {
  return /^(diff --git |--- .*\r?\n\+\+\+ )/m.test(Buffer.from(bytes).toString("latin1"));
}
