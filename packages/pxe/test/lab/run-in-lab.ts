/**
 * Runs a Node script on a network of its own, from which nothing leaks and with which everything dies.
 *
 *   node test/lab/run-in-lab.ts SCRIPT [ARGUMENT…]
 *
 * Inside there are, all in one network namespace:
 *   br0      10.77.0.1/24, fd77::1/64   the server's interface
 *   tap0     a port of br0 for a QEMU machine (ifname=tap0)
 *   client0  a card plugged into br0, for a DHCP client
 *   other0   a card plugged into br0, for a second server
 * The last two are down until the script sets them up: broadcasts reach a listener once for each card.
 * The script is PID 1's child in a PID namespace: when it ends, or the caller is killed, so is all it started.
 * As root it needs nothing; otherwise user namespaces and a /dev/net/tun that everyone may open.
 */
import { spawn } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface LabResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const SETUP = `
set -e
sysctl -q -w net.ipv4.conf.all.accept_local=1 net.ipv4.conf.default.accept_local=1 net.ipv6.conf.default.accept_dad=0
ip link set lo up
ip link add br0 type bridge
ip link set br0 type bridge forward_delay 0 mcast_snooping 0
ip address add 10.77.0.1/24 brd + dev br0
ip -6 address add fd77::1/64 dev br0 nodad
for name in client other; do
  ip link add \${name}0 type veth peer name \${name}1
  ip link set \${name}1 master br0 up
done
ip tuntap add dev tap0 mode tap
ip link set tap0 master br0 up
ip link set br0 up
exec "$@"
`;

/** The command that builds the network and runs `command` in it. */
export function labCommand(command: readonly string[], timeoutSeconds: number): readonly string[] {
  const root = process.getuid?.() === 0;
  return [
    // The death signal does not go further than to a child: both processes up to unshare need it.
    ..."setpriv --pdeathsig KILL timeout --signal=KILL".split(" "),
    String(timeoutSeconds),
    ..."setpriv --pdeathsig KILL".split(" "),
    "unshare",
    ...(root ? [] : ["--user", "--map-root-user"]),
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "bash",
    "-c",
    SETUP,
    "lab",
    ...command,
  ];
}

/** Run a TypeScript file in the lab; resolves with what it printed, whatever its status. */
export function runInLab(
  script: string,
  args: readonly string[] = [],
  options: { timeoutSeconds?: number; onStderr?: (text: string) => void } = {},
): Promise<LabResult> {
  const command = labCommand([process.execPath, script, ...args], options.timeoutSeconds ?? 120);
  const [program = "", ...rest] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
    child.stderr.on("data", (part: Buffer) => {
      stderr += part.toString();
      options.onStderr?.(part.toString());
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/** Run a script beside this one in the lab; what it printed as JSON. */
export async function lab<T>(script: string, args: readonly string[], timeoutSeconds: number): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, stdout, stderr } = await runInLab(path, args, { timeoutSeconds });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) {
    process.stderr.write("usage: run-in-lab.ts SCRIPT [ARGUMENT…]\n");
    process.exitCode = 2;
  } else {
    const result = await runInLab(script, args, { onStderr: (text) => process.stderr.write(text) });
    process.stdout.write(result.stdout);
    process.exitCode = result.status ?? 1;
  }
}
