import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The lines of tcpdump, one a packet; rejects for a file that it can't read to its end. */
export async function readCapture(path: string, ...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)("tcpdump", ["-n", "-r", path, ...args], {
    env: { ...process.env, TZ: "UTC" },
    maxBuffer: 1 << 28,
  });
  if (/truncated|bad dump/.test(stderr)) throw new Error(stderr);
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("\t"));
}
