import { execFile } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { boardOf, boardOfBinary } from "../board.ts";
import { QemuError } from "../errors.ts";

export interface QemuBinary {
  /** Absolute path. */
  readonly path: string;
  readonly mtimeMs: number;
  /** E.g. `7.2.22`. */
  readonly version: string;
}

/** `-action` came with 6.0, `i8042=` with 7.0, PNG screenshots with 7.1, `-netdev stream` with 7.2. */
const OLDEST = [7, 1] as const;

const known = new Map<string, Promise<QemuBinary>>();

/** Finds the binary as a shell would and asks for its version, once per binary and change of it. */
export async function findQemu(name: string): Promise<QemuBinary> {
  const path = await findExecutable(name);
  const { mtimeMs } = await stat(path);
  const key = `${path}\0${mtimeMs}`;
  let info = known.get(key);
  if (info === undefined) {
    info = askVersion(path, mtimeMs);
    known.set(key, info);
    info.catch(() => known.delete(key));
  }
  return info;
}

async function findExecutable(name: string): Promise<string> {
  const candidates = name.includes("/")
    ? [resolve(name)]
    : (process.env["PATH"] ?? "")
        .split(delimiter)
        .map((directory) => join(directory === "" ? "." : directory, name));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      if ((await stat(candidate)).isFile()) return resolve(candidate);
    } catch {
      continue;
    }
  }
  const board = boardOfBinary(name) ?? boardOf("x86_64");
  throw new QemuError(
    "QEMU_NOT_FOUND",
    `Cannot find QEMU: there is no executable "${name}"${name.includes("/") ? "" : " in PATH"}`,
    {
      hint: `Install it: apt-get install ${board.package} (Debian, Ubuntu), dnf install ${board.binary}-core (Fedora), apk add ${board.binary} (Alpine)`,
    },
  );
}

async function askVersion(path: string, mtimeMs: number): Promise<QemuBinary> {
  let output: string;
  try {
    output = (await promisify(execFile)(path, ["--version"], { timeout: 30_000 })).stdout;
  } catch (error) {
    throw new QemuError(
      "QEMU_START_FAILED",
      `"${path} --version" failed: ${(error as Error).message.trim()}`,
      { cause: error },
    );
  }
  const version = /version (\d+)\.(\d+)(?:\.(\d+))?/.exec(output);
  if (version === null)
    throw new QemuError(
      "QEMU_START_FAILED",
      `"${path} --version" printed no version: "${output.slice(0, 80)}"`,
    );
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new QemuError(
      "QEMU_TOO_OLD",
      `"${path}" is QEMU ${major}.${minor}, needed is ${OLDEST.join(".")} or newer`,
    );
  }
  return { path, mtimeMs, version: `${major}.${minor}.${version[3] ?? 0}` };
}
