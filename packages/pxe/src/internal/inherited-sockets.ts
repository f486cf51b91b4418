import { readFileSync, readlinkSync } from "node:fs";

/** A socket that was bound before this process began. */
export interface InheritedSocket {
  readonly fd: number;
  readonly protocol: "udp" | "tcp";
  readonly address: string;
  readonly port: number;
}

/** The first descriptor that is handed over (sd_listen_fds(3)). */
const FIRST_FD = 3;

/** What the kernel says of its IPv4 sockets (`net/ipv4/udp.c`, `udp4_format_sock`), by inode. */
function socketsOf(protocol: "udp" | "tcp", table: string): ReadonlyMap<string, Omit<InheritedSocket, "fd">> {
  const found = new Map<string, Omit<InheritedSocket, "fd">>();
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, bytes = "", port = ""] = /^([0-9A-F]{8}):([0-9A-F]{4})$/.exec(fields[1] ?? "") ?? [];
    const inode = fields[9];
    if (bytes === "" || inode === undefined) continue;
    // As the processor keeps it: the last byte first, on all that Node runs on.
    const address = [...Buffer.from(bytes, "hex")].reverse().join(".");
    found.set(inode, { protocol, address, port: Number.parseInt(port, 16) });
  }
  return found;
}

/**
 * The IPv4 sockets that whoever started this process has bound for it: systemd's socket activation, `LISTEN_FDS` and
 * `LISTEN_PID`. They may have ports, and be tied to an interface, for which this process has no right itself.
 */
export function readInherited(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly InheritedSocket[] {
  const count = Number(env["LISTEN_FDS"] ?? 0);
  if (env["LISTEN_PID"] !== String(pid) || !Number.isSafeInteger(count) || count < 1) return [];
  const known = new Map(
    (["udp", "tcp"] as const).flatMap((protocol) => [
      ...socketsOf(protocol, readFileSync(`/proc/self/net/${protocol}`, "latin1")),
    ]),
  );
  const sockets: InheritedSocket[] = [];
  for (let fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
    const [, inode = ""] = /^socket:\[(\d+)\]$/.exec(linkOf(fd)) ?? [];
    const socket = known.get(inode);
    if (socket) sockets.push({ fd, ...socket });
  }
  return sockets;
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

let left: InheritedSocket[] | undefined;

/** Those that nothing has taken yet. */
export function unusedInherited(): readonly InheritedSocket[] {
  return (left ??= [...readInherited(process.env, process.pid)]);
}

/** Takes the descriptor of a socket bound to exactly this, if there is one; each is given away once. */
export function takeInherited(where: Omit<InheritedSocket, "fd">): number | undefined {
  const sockets = unusedInherited();
  const found = sockets.find(
    ({ protocol, address, port }) =>
      protocol === where.protocol && address === where.address && port === where.port,
  );
  left = sockets.filter((socket) => socket !== found);
  return found?.fd;
}
