import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ApplianceError } from "../error.ts";
import { hostArch } from "../spec/host-arch.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";

export interface CompileRequest {
  /** Absolute path of the C file. */
  readonly source: string;
  readonly flags: readonly string[];
  readonly arch: ResolvedSpec["arch"];
  /** Directory for the result and the list of headers. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
}

// GNU's names for the others' compilers, as Debian's packages have them.
const TRIPLES: Readonly<Record<ResolvedSpec["arch"], string>> = {
  x86_64: "x86_64-linux-gnu",
  arm64: "aarch64-linux-gnu",
  riscv64: "riscv64-linux-gnu",
};

/**
 * Compiles a C file with the machine's `cc` (or $CC), a cross compiler for another architecture, and names the files that went in.
 * Paths of this machine stay out of the program, so that the same source gives the same bytes.
 */
export async function compileProgram(
  request: CompileRequest,
): Promise<{ readonly path: string; readonly inputs: readonly string[] }> {
  const { source, directory } = request;
  const cross = request.arch === hostArch() ? undefined : TRIPLES[request.arch];
  const cc = process.env["CC"] || (cross === undefined ? "cc" : `${cross}-gcc`);
  const output = join(directory, basename(source).replace(/\.c$/, ""));
  const dependencies = `${output}.d`;
  const folder = dirname(source);
  const args = [
    ...request.flags,
    `-ffile-prefix-map=${folder}=.`,
    "-Wl,--build-id=none",
    "-MMD",
    "-MF",
    dependencies,
    "-o",
    output,
    basename(source),
  ];
  const { status, text, error } = await runCompiler(cc, args, folder, request.signal);
  request.signal?.throwIfAborted();
  if (error) {
    throw new ApplianceError(
      "APPLIANCE_COMPILE_FAILED",
      `Cannot compile "${source}": there is no C compiler "${cc}"`,
      {
        hint: `apt-get install ${cross === undefined ? "gcc libc6-dev" : `gcc-${cross.replaceAll("_", "-")} libc6-dev-${request.arch.replace("x86_64", "amd64")}-cross`}`,
        cause: error,
      },
    );
  }
  if (status !== 0) {
    const lines = text.trim().split("\n").slice(-20).join("\n");
    const command = `cd ${quote(folder)} && ${[cc, ...request.flags, "-o", "/dev/null", basename(source)].map(quote).join(" ")}`;
    throw new ApplianceError("APPLIANCE_COMPILE_FAILED", `Cannot compile "${source}"\n${lines}`, {
      hint: `to see it alone: ${command}`,
    });
  }
  // "target: a.c b.h \": what make reads; names with blanks are escaped by a backslash.
  const rule = (await readFile(dependencies, "utf8")).replaceAll("\\\n", " ");
  const inputs = (rule.slice(rule.indexOf(": ") + 2).match(/(?:\\ |\S)+/g) ?? []).map((path) =>
    resolve(folder, path.replaceAll("\\ ", " ")),
  );
  return { path: output, inputs };
}

function runCompiler(
  cc: string,
  args: readonly string[],
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number | null; readonly text: string; readonly error?: Error }> {
  return new Promise((done) => {
    const child = spawn(cc, args, {
      cwd,
      signal,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    let text = "";
    const collect = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-20_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => done({ status: null, text, error }));
    child.on("close", (status) => done({ status, text }));
  });
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
