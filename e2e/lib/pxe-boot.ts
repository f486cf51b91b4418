/**
 * In the lab of packages/pxe: `appliance serve SPEC` on the bridge, and a machine that has nothing but a network card,
 * whose firmware boots from it. Prints the machine's console, then the server's events as JSON lines.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { launch } from "@justenough/qemu";
import { root } from "@justenough-dev/tools/workspace";

const spec = process.argv[2] ?? "";
const state = await mkdtemp(join(tmpdir(), "e2e-pxe-"));
const server = spawn(join(root, "tools/appliance"), ["serve", spec, "--interface", "br0", "--json"], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, XDG_STATE_HOME: state },
});
const events: string[] = [];
const listening = new Promise<void>((resolve, reject) => {
  createInterface({ input: server.stdout }).on("line", (line) => {
    events.push(line);
    if (line.includes('"listening"')) resolve();
  });
  server.once("exit", (code) => reject(new Error(`The server ended with ${code}`)));
});
await listening;

const vm = await launch(
  { boot: "network", memory: 512, nics: [{ kind: "tap", ifname: "tap0" }] },
  { deadlines: { total: 120_000 } },
);
try {
  const result = await vm.wait();
  process.stdout.write(`${vm.console.text()}\n-- ${result.kind}\n${events.join("\n")}\n`);
} finally {
  await vm.kill();
  const ended = once(server, "close");
  server.kill("SIGINT");
  await ended;
  await rm(state, { recursive: true });
}
