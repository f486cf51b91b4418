/** The guest's agent, run here on a socket: what it does needs no boot. */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { guestSources, compileGuestProgram } from "../../src/agent/program.ts";
import type { AgentPort } from "../../src/index.ts";
import type { Arch } from "../../src/index.ts";

export interface NativeAgent {
  readonly port: AgentPort;
  readonly stream: Duplex;
  readonly stderr: () => string;
  /** Exit code, or the signal that ended it. */
  readonly closed: Promise<number | string | null>;
  kill(): void;
}

export async function nativeProgram(): Promise<string> {
  const arch = ({ x64: "x86_64", arm64: "arm64", riscv64: "riscv64" } as Record<string, Arch>)[process.arch];
  return compileGuestProgram("agent", { arch });
}

/** The same sources over the C library, with the compiler's checks of each memory access. */
export async function sanitizedProgram(directory: string): Promise<string> {
  const { directory: cwd, files } = await guestSources("agent");
  const path = join(directory, "agent-sanitized");
  const flags = ["-g", "-O1", "-DAGENT_HOSTED", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  await promisify(execFile)("cc", [...flags, "-o", path, ...files.filter((name) => name.endsWith(".c"))], {
    cwd,
  });
  return path;
}

export function startNativeAgent(program: string): NativeAgent {
  const child = spawn(program, ["3"], { stdio: ["ignore", "inherit", "pipe", "pipe"] });
  const stream = (child.stdio as unknown as Duplex[])[3] as Duplex;
  stream.on("error", () => undefined);
  let stderr = "";
  child.stderr?.on("data", (bytes) => (stderr += String(bytes)));
  return {
    port: {
      name: "native",
      readable: stream as AsyncIterable<Uint8Array>,
      write: (data) =>
        new Promise((resolve, reject) => {
          stream.write(data, (error) => (error ? reject(error) : resolve()));
        }),
    },
    stream,
    stderr: () => stderr,
    closed: new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code))),
    kill: () => void child.kill("SIGKILL"),
  };
}
