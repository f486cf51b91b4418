/**
 * In the lab: an authoritative server on sockets that were bound for it and tied to br0, and udhcpc.
 * Prints the server's events, a JSON line each.
 */
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** As a socket unit of systemd has it done. */
const LAUNCHER = `
import os, socket, sys
places = [("10.77.0.1", 67), ("255.255.255.255", 67), ("10.77.0.1", 68), ("255.255.255.255", 68), ("10.77.0.1", 69)]
for index, place in enumerate(places):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br0")
    one.bind(place)
    os.dup2(one.detach(), 100 + index)
for index in range(len(places)):
    os.dup2(100 + index, 3 + index, inheritable=True)
os.environ.update(LISTEN_FDS=str(len(places)), LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[1], sys.argv[1:])
`;
const program = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const args =
  "--interface br0 --mode authoritative --json --lease-file none --http-port 0 --kernel /etc/hostname";
const server = spawn("python3", ["-c", LAUNCHER, process.execPath, program, ...args.split(" ")], {
  stdio: ["ignore", "pipe", "inherit"],
});
execFileSync("ip", ["link", "set", "client0", "up"]);
for await (const line of createInterface({ input: server.stdout })) {
  process.stdout.write(`${line}\n`);
  const { kind } = JSON.parse(line) as { readonly kind: string };
  if (kind === "listening") spawn("busybox", "udhcpc -i client0 -n -q -f -t 5 -T 1 -s /bin/true".split(" "));
  if (kind === "ack") break;
}
server.kill();
