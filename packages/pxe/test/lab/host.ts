/** Hosts of their own in the lab: a network namespace with one card. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

export interface Host {
  /** Start a shell line there. */
  run(line: string): ChildProcess;
  /** Run a shell line there and wait for its output, whatever its status. */
  read(line: string): Promise<string>;
  end(): void;
}

const SETUP = [
  // What clients write into the system stays here.
  "mount -t tmpfs none /run",
  "mkdir -p /run/dhcpcd",
  "mount -t tmpfs none /var/lib",
  "mkdir -p /var/lib/dhcp /var/lib/dhcpcd",
  "touch /run/resolv.conf",
  "mount --bind /run/resolv.conf /etc/resolv.conf",
  "ip link set lo up",
  "echo ready",
  "exec sleep infinity",
].join(" && ");

/** A host whose card eth0 is the other end of the new card `wire` here, which is plugged into `bridge` if named. */
export async function startHost(wire: string, mac: string, bridge?: string): Promise<Host> {
  const holder = spawn("unshare", ["--net", "--mount", "sh", "-c", SETUP], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const { pid } = holder;
  execFileSync("ip", `link add ${wire} type veth peer name eth0 netns ${pid}`.split(" "));
  if (bridge !== undefined) execFileSync("ip", ["link", "set", wire, "master", bridge]);
  execFileSync("ip", ["link", "set", wire, "up"]);
  const children: ChildProcess[] = [];
  const enter = ["-t", String(pid), "--net", "--mount", "sh", "-c"];
  const run = (line: string): ChildProcess => {
    const child = spawn("nsenter", [...enter, line], { stdio: "ignore" });
    children.push(child);
    return child;
  };
  await once(run(`ip link set eth0 address ${mac} up`), "exit");
  return {
    run,
    async read(line) {
      const child = spawn("nsenter", [...enter, line], { stdio: ["ignore", "pipe", "ignore"] });
      let text = "";
      child.stdout.on("data", (part: Buffer) => (text += part.toString()));
      await once(child, "close");
      return text;
    },
    end() {
      for (const child of [...children, holder]) child.kill("SIGKILL");
    },
  };
}

/** Capture DHCP on a card; resolves when the capture has begun. */
export async function startCapture(card: string, file: string): Promise<ChildProcess> {
  const sniffer = spawn(
    "tcpdump",
    ["-i", card, "-U", "-w", file, "udp port 67 or udp port 68 or udp port 4011"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  await once(sniffer.stderr, "data");
  return sniffer;
}
