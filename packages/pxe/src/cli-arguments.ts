import { parseArgs } from "node:util";
import { PxeError } from "./errors.ts";
import { defaultLeaseFile } from "./lease-place.ts";
import type { PxeMode, ServePxeOptions } from "./serve-options.ts";

const OPTIONS = {
  interface: { type: "string" },
  socket: { type: "string" },
  address: { type: "string" },
  kernel: { type: "string" },
  initrd: { type: "string", multiple: true },
  append: { type: "string" },
  manifest: { type: "string" },
  mode: { type: "string" },
  pool: { type: "string" },
  lease: { type: "string", multiple: true },
  "lease-file": { type: "string" },
  allow: { type: "string", multiple: true },
  router: { type: "string" },
  dns: { type: "string", multiple: true },
  "http-port": { type: "string" },
  "tftp-port": { type: "string" },
  "tftp-single-port": { type: "boolean" },
  "tftp-uploads": { type: "string" },
  ra: { type: "boolean" },
  force: { type: "boolean" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/** The text of --help. */
export const USAGE = `Usage: pxe-serve --interface IF --kernel FILE [options]

Boot other computers from this one: leases addresses (or stands beside the server
that does), serves the files, and prints what each client does.

  --interface IF      the network interface to serve; there is no default
  --address A         which of its IPv4 addresses (default: the first)
  --socket PATH       instead of an interface: a Unix socket to which QEMU machines
                      connect (-netdev stream,id=n0,server=off,addr.type=unix,
                      addr.path=PATH); needs no root. --address: default 10.77.0.1/24
  --kernel FILE       the kernel image
  --initrd FILE       an initramfs segment; repeat for several
  --append "ARGS"     kernel arguments
  --manifest FILE     served as /manifest.json (default: made from sizes and hashes)
  --mode MODE         authoritative: leases addresses; for a network of its own
                      proxy (default, with --socket authoritative): beside the DHCP server that the network has
                      http-only: files by HTTP, nothing else
  --pool A-B          addresses to lease (default: the upper end of the network)
  --lease MAC=A       a fixed address; repeat for several
  --lease-file FILE   what keeps the leases over restarts, crashes and power cuts
                      (default: INTERFACE.leases in the state directory; "none")
  --allow MAC         answer only this machine; repeat for several
  --router A          default gateway to hand out
  --dns A             DNS server to hand out; repeat for several
  --http-port N       default 8080; 0 picks a free one
  --tftp-port N       default 69
  --tftp-single-port  answer from that port alone, for firewalls and containers
  --tftp-uploads DIR  clients may store new files there by TFTP (default: nowhere)
  --ra                announce an IPv6 router by dnsmasq (root): old iPXE boots 16 s sooner
  --force             authoritative although another DHCP server may be there
  --json              one JSON object a line on stdout
  --debug             stack traces
  --version, --help

Ends with Ctrl-C. Ports 67 and 69 need root or CAP_NET_BIND_SERVICE.
`;

/** What the command line asks for. */
export type CliRequest =
  | { readonly kind: "help" | "version" }
  | {
      readonly kind: "serve";
      readonly json: boolean;
      /** Where machines connect, instead of an interface. */
      readonly socket: string | undefined;
      readonly options: ServePxeOptions;
    };

function usage(message: string, hint = "see pxe-serve --help"): PxeError {
  return new PxeError("PXE_USAGE", message, { hint });
}

/** Edit distance with early small words in mind: enough for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; strict: true }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false });
  } catch (error) {
    const text = (error as Error).message.split(". ", 1)[0] ?? "";
    const flag = /Unknown option '--?([^']+)'/.exec(text)?.[1];
    if (flag === undefined) throw usage(text);
    const [best] = Object.keys(OPTIONS).sort((a, b) => distance(flag, a) - distance(flag, b));
    const near = best !== undefined && distance(flag, best) <= 2;
    throw usage(`Unknown option "--${flag}"`, near ? `did you mean --${best}?` : undefined);
  }
}

function port(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw usage(`"--${name}" must be a port from 0 to 65535, not "${text}"`);
  return value;
}

function fixedLeases(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [mac, address] = entry.split("=", 2);
      if (!mac || !address) throw usage(`"--lease" wants MAC=ADDRESS, not "${entry}"`);
      return [mac, address];
    }),
  );
}

/** Kept by interface; the machines on a socket are new ones each time, unless told. */
function leaseFile(text: string | undefined, name: string | undefined, mode: PxeMode): string | undefined {
  if (mode !== "authoritative" || text === "none") return undefined;
  return text ?? (name === undefined ? undefined : defaultLeaseFile(name));
}

/** Read the command line; errors are `PXE_USAGE`. */
export function parseCli(argv: readonly string[]): CliRequest {
  const { values } = parse(argv);
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  if (values.interface === undefined && values.socket === undefined) {
    throw usage('"--interface" is missing', "name the network interface to serve; ip -br address lists them");
  }
  if (values.interface !== undefined && values.socket !== undefined)
    throw usage('"--interface" and "--socket" exclude each other');
  if (values.kernel === undefined) throw usage('"--kernel" is missing');
  const mode = values.mode ?? (values.socket === undefined ? "proxy" : "authoritative");
  if (mode !== "authoritative" && mode !== "proxy" && mode !== "http-only") {
    throw usage(`"--mode" must be authoritative, proxy or http-only, not "${mode}"`);
  }
  return {
    kind: "serve",
    json: values.json === true,
    socket: values.socket,
    options: {
      interface: values.interface,
      address: values.address,
      bundle: {
        kernel: values.kernel,
        initrd: values.initrd ?? [],
        cmdline: values.append ?? "",
        manifest: values.manifest,
      },
      mode: mode satisfies PxeMode,
      pool: values.pool,
      leases: fixedLeases(values.lease ?? []),
      leaseFile: leaseFile(values["lease-file"], values.interface, mode),
      allow: values.allow,
      router: values.router,
      dns: values.dns,
      ports: { http: port("http-port", values["http-port"]), tftp: port("tftp-port", values["tftp-port"]) },
      tftp: {
        singlePort: values["tftp-single-port"],
        uploads: values["tftp-uploads"] === undefined ? undefined : { root: values["tftp-uploads"] },
      },
      ra: values.ra,
      force: values.force,
    },
  };
}
