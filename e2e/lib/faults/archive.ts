import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type CpioInput, encodeCpio } from "@justenough/cpio";
import type { Bench } from "./fault.ts";

const exec = promisify(execFile);

/** An initramfs with a busybox and what is given as /init, if anything. */
export async function archive(
  init?: string | Uint8Array,
  { mode = 0o755, more = [] }: { readonly mode?: number; readonly more?: readonly CpioInput[] } = {},
): Promise<Uint8Array> {
  const busybox = await readFile("/bin/busybox");
  return encodeCpio([
    ...["bin", "proc", "dev"].map((name) => ({ type: "directory", name }) as const),
    { type: "file", name: "bin/busybox", mode: 0o755, data: busybox },
    ...(init === undefined ? [] : [{ type: "file", name: "init", mode, data: init } as const]),
    ...more,
  ]);
}

/** An /init that does `lines` in a shell. */
export function script(lines: string): string {
  return `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
${lines}
`;
}

/** The path of an initramfs of 120 MiB, made once: to make it takes this process long enough to be late for its guests. */
export async function ballast({ scratch }: Bench): Promise<string> {
  const path = join(scratch, "ballast.cpio");
  if (existsSync(path)) return path;
  const data = Buffer.alloc(120 << 20, 1);
  await writeFile(
    `${path}.new`,
    await archive(script("poweroff -f"), { more: [{ type: "file", name: "ballast", data }] }),
  );
  await rename(`${path}.new`, path);
  return path;
}

/** A static program of one function, as /init. */
export async function compiled({ scratch }: Bench, body: string): Promise<Uint8Array> {
  const [source, program] = [join(scratch, "init.c"), join(scratch, "init")];
  await writeFile(source, `void _start(void) { ${body} }\n`);
  await exec("gcc", [
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-o",
    program,
    source,
  ]);
  return readFile(program);
}

/** The bytes through a compressor. */
export async function compressed(
  command: readonly [string, ...string[]],
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const [program, ...args] = command;
  const run = exec(program, args, { encoding: "buffer", maxBuffer: 1 << 28 });
  run.child.stdin?.end(bytes);
  return (await run).stdout;
}
