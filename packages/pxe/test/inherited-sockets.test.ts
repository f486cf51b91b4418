import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readInherited } from "../src/internal/inherited-sockets.ts";
import { runInLab } from "./lab/run-in-lab.ts";

const run = promisify(execFile);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-inherited-"));
  await writeFile(join(directory, "kernel"), "a kernel");
});
afterAll(() => rm(directory, { recursive: true }));

/** As systemd does: binds sockets, and becomes the server with them from descriptor 3 on. */
const LAUNCHER = `
import os, socket, sys
kinds = [socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_DGRAM]
sockets = [socket.socket(socket.AF_INET, kind) for kind in kinds]
for one in sockets:
    one.bind(("127.0.0.1", 0))
sockets[1].listen()
ports = [one.getsockname()[1] for one in sockets]
copies = [os.dup2(os.dup(one.fileno()), 100 + index) for index, one in enumerate(sockets)]
for index, copy in enumerate(copies):
    os.dup2(copy, 3 + index, inheritable=True)
os.environ.update(LISTEN_FDS="3", LISTEN_PID=str(os.getpid()))
tftp, http, other = map(str, ports)
print(f'{{"tftp": {tftp}, "http": {http}, "other": {other}}}', flush=True)
os.execvp(sys.argv[1], sys.argv[1:] + ["--tftp-port", tftp, "--http-port", http])
`;

test("serves on sockets that were bound for it, and says which one it has no use for", async () => {
  const program = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const args = ["--interface", "lo", "--mode", "files", "--json", "--kernel", join(directory, "kernel")];
  const child = spawn("python3", ["-c", LAUNCHER, process.execPath, program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, XDG_STATE_HOME: directory, XDG_CACHE_HOME: directory },
  });
  try {
    const said: Record<string, unknown>[] = [];
    const lines = createInterface({ input: child.stdout });
    const isWarning = ({ code }: Record<string, unknown>): boolean => code === "socket";
    await new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        said.push(JSON.parse(line) as Record<string, unknown>);
        if (said.some(isWarning)) resolve();
      });
      lines.on("close", resolve);
    });
    const ports = said[0] as Record<"tftp" | "http" | "other", number> | undefined;
    const warning = said.find(isWarning)?.["message"];
    // The launcher's copies are open in the server: it could not have bound these ports itself.
    expect(warning).toContain(`Nothing is served on UDP port ${ports?.other} of 127.0.0.1`);
    expect(await (await fetch(`http://127.0.0.1:${ports?.http}/kernel`)).text()).toBe("a kernel");
    const file = `tftp://127.0.0.1:${ports?.tftp}/kernel`;
    expect((await run("curl", ["-sS", file])).stdout).toBe("a kernel");
  } finally {
    child.kill();
    await once(child, "close");
  }
});

test("leases addresses on such sockets, and offers none to its own card, which asked before it served", async () => {
  const script = fileURLToPath(new URL("lab/activated.ts", import.meta.url));
  const { status, stdout, stderr } = await runInLab(script, []);
  expect(status, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.slice(kinds.indexOf("listening"))).toEqual(["listening", "discover", "offer", "ack"]);
}, 60_000);

test("what is meant for another process, or is none, is left alone", () => {
  expect(readInherited({}, process.pid)).toEqual([]);
  expect(readInherited({ LISTEN_FDS: "1", LISTEN_PID: "1" }, process.pid)).toEqual([]);
  expect(readInherited({ LISTEN_FDS: "x", LISTEN_PID: String(process.pid) }, process.pid)).toEqual([]);
});
