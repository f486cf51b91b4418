import { stat } from "node:fs/promises";
import { KernelError } from "../errors.ts";
import type { KernelSource } from "../source.ts";

/** What else the command line says of a source. */
export interface SourceOptions {
  readonly mirror?: string | undefined;
  readonly keyring?: string | undefined;
  readonly sha256?: string | undefined;
}

const FORMS =
  "A source is debian:SERIES, kernel.org:VERSION, git:URL-OR-CLONE#REF, a directory, a tarball or a tarball's URL with --sha256";

/** Reads the argument of `--source`. */
export async function readSource(text: string, options: SourceOptions): Promise<KernelSource> {
  const { mirror, keyring, sha256 } = options;
  const [, kind, rest = ""] = /^(debian|kernel\.org|git):(.+)$/s.exec(text) ?? [];
  if (kind === "debian") return { kind, series: rest };
  if (kind === "kernel.org") return { kind, version: rest, mirror, keyring };
  if (kind === "git") {
    const at = rest.lastIndexOf("#");
    return at < 0 ? { kind, url: rest } : { kind, url: rest.slice(0, at), ref: rest.slice(at + 1) };
  }
  if (/^https?:\/\//.test(text)) {
    if (sha256 !== undefined) return { kind: "tarball", url: text, sha256 };
    throw new KernelError("KERNEL_USAGE", `The tarball "${text}" needs its sum: --sha256 SUM`, {
      hint: `Is it a repository? --source git:${text}`,
    });
  }
  const facts = await stat(text).catch(() => undefined);
  if (facts?.isDirectory() === true) return { kind: "directory", path: text };
  if (facts?.isFile() === true) return { kind: "tarball", path: text, sha256 };
  const word = /^(v?\d+\.\d+[\w.-]*|stable|mainline|latest-lts)$/.test(text);
  throw new KernelError("KERNEL_SOURCE", `"${text}" is no source: there is no such file or directory`, {
    hint: word ? `Did you mean "kernel.org:${text.replace(/^v/, "")}"?` : FORMS,
  });
}
