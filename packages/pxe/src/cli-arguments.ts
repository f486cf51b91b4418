import { parseArgs } from "node:util";
import { PxeError } from "./errors.ts";
import { suggest } from "./internal/suggest.ts";
import { defaultLeaseFile } from "./state-directory.ts";
import { BIOS_LOADERS, EFI_LOADERS } from "./loaders/loader-options.ts";
import { readMac } from "./policy/facts.ts";
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
  bundle: { type: "string" },
  policy: { type: "string" },
  bios: { type: "string" },
  efi: { type: "string" },
  "uki-stub": { type: "string", multiple: true },
  state: { type: "string" },
  uploads: { type: "string" },
  "api-token": { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  server: { type: "string" },
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
export const USAGE = `Usage: pxe-serve --interface IF (--kernel FILE | --bundle DIR | --policy FILE) [options]
       pxe-serve explain MAC [--server URL]

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
  --bundle DIR        kernel, initramfs and arguments as "appliance build" leaves them
  --policy FILE       which machine boots what (YAML); read again when it changes
  --bios LOADER       what a BIOS loads: ipxe (default), pxelinux, lpxelinux
  --efi LOADER        what UEFI loads: uki (default if systemd's stub is there), ipxe,
                      grub (the distribution's signed shim and GRUB)
  --uki-stub FILE     a stub for UKIs, of another processor for instance; repeat for several
  --manifest FILE     served as /manifest.json (default: made from sizes and hashes)
  --mode MODE         authoritative: leases addresses; for a network of its own
                      proxy (default, with --socket authoritative): beside the DHCP server that the network has
                      files: by TFTP and HTTP; your own DHCP server names them
                      http-only: files by HTTP, nothing else
  --pool A-B          addresses to lease (default: the upper end of the network)
  --lease MAC=A       a fixed address; repeat for several
  --lease-file FILE   what keeps the leases over restarts, crashes and power cuts
                      (default: INTERFACE.leases in the state directory; "none")
  --allow MAC         answer only this machine; repeat for several
  --router A          default gateway to hand out
  --dns A             DNS server to hand out; repeat for several
  --state DIR         keeps the queues of machines (default: ~/.local/state/justenough/pxe)
  --uploads DIR       takes results from booted machines, one directory for each run
  --api-token FILE    who shows this token may change queues and policy from elsewhere
  --tls-cert FILE, --tls-key FILE
                      HTTPS instead of HTTP (PEM)
  --http-port N       default 8080; 0 picks a free one
  --tftp-port N       default 69
  --tftp-single-port  answer from that port alone, for firewalls and containers
  --tftp-uploads DIR  clients may store new files there by TFTP (default: nowhere)
  --ra                announce an IPv6 router by dnsmasq (root): old iPXE boots 16 s sooner
  --force             authoritative although another DHCP server may be there
  --json              one JSON object a line on stdout
  --debug             stack traces
  --version, --help

explain asks the running server (on this machine unless --server names it) why a
machine was or was not served.

While it serves, http://ADDRESS:8080/ shows the machines, /metrics counts for
Prometheus. Ends with Ctrl-C. Ports 67 and 69 need root or CAP_NET_BIND_SERVICE.
`;

/** What the command line asks for. */
export type CliRequest =
  | { readonly kind: "help" | "version" }
  | {
      readonly kind: "explain";
      readonly json: boolean;
      readonly mac: string;
      readonly server: string | undefined;
      readonly port: number;
    }
  | {
      readonly kind: "serve";
      readonly json: boolean;
      /** Where machines connect, instead of an interface. */
      readonly socket: string | undefined;
      /** A bundle's directory, whose files are still to be found. */
      readonly bundle: string | undefined;
      readonly options: ServePxeOptions;
    };

function usage(message: string, hint = "see pxe-serve --help"): PxeError {
  return new PxeError("PXE_USAGE", message, { hint });
}

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; strict: true; allowPositionals: true }>> {
  try {
    return parseArgs({
      args: [...argv],
      options: OPTIONS,
      strict: true,
      allowPositionals: true,
    });
  } catch (error) {
    const text = (error as Error).message.split(". ", 1)[0] ?? "";
    const flag = /Unknown option '--?([^']+)'/.exec(text)?.[1];
    if (flag === undefined) throw usage(text);
    const near = suggest(flag, Object.keys(OPTIONS));
    throw usage(`Unknown option "--${flag}"`, near === undefined ? undefined : `did you mean --${near}?`);
  }
}

function port(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw usage(`"--${name}" must be a port from 0 to 65535, not "${text}"`);
  return value;
}

function oneOf<T extends string>(name: string, text: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((value) => value === text);
  if (text === undefined || found !== undefined) return found;
  throw usage(`"--${name}" must be ${known.slice(0, -1).join(", ")} or ${known.at(-1)}, not "${text}"`);
}

function fixedLeases(entries: readonly string[]): Record<string, string> {
  const leases = new Map<string, string>();
  for (const entry of entries) {
    const [mac, address] = entry.split("=", 2);
    if (!mac || !address) throw usage(`"--lease" wants MAC=ADDRESS, not "${entry}"`);
    const machine = readMac(mac) ?? mac;
    if (leases.has(machine))
      throw usage(`"--lease" names ${machine} twice`, "a machine has one address here");
    leases.set(machine, address);
  }
  return Object.fromEntries(leases);
}

/** Kept by interface; the machines on a socket are new ones each time, unless told. */
function leaseFile(text: string | undefined, name: string | undefined, mode: PxeMode): string | undefined {
  if (mode !== "authoritative" || text === "none") return undefined;
  return text ?? (name === undefined ? undefined : defaultLeaseFile(name));
}

/** What goes with one way to serve alone; given with another it would be passed over in silence. */
const OF_KERNEL = ["initrd", "append", "manifest"] as const;
const OF_LEASES = ["pool", "lease", "lease-file", "router", "dns", "force"] as const;
const OF_TFTP = ["tftp-port", "tftp-single-port", "tftp-uploads"] as const;
const OF_EXPLAIN: ReadonlySet<string> = new Set(["server", "http-port", "json", "debug"]);

function refuseIdle(
  values: ReturnType<typeof parse>["values"],
  names: readonly (keyof typeof OPTIONS)[],
  where: string,
  hint: string,
): void {
  const idle = names.find((name) => values[name] !== undefined);
  if (idle !== undefined) throw usage(`"--${idle}" does nothing ${where}`, hint);
}

/** Read the command line; errors are `PXE_USAGE`. */
export function parseCli(argv: readonly string[]): CliRequest {
  const { values, positionals } = parse(argv);
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  if (positionals[0] === "explain") {
    const mac = readMac(positionals[1] ?? "");
    if (mac === undefined || positionals.length > 2) {
      throw usage('"explain" wants one MAC address, such as 52:54:00:12:34:56');
    }
    const others = (Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]).filter((name) => !OF_EXPLAIN.has(name));
    refuseIdle(values, others, 'with "explain"', "it asks a server that runs already");
    const asked = port("http-port", values["http-port"]) ?? 8080;
    return { kind: "explain", json: values.json === true, mac, server: values.server, port: asked };
  }
  if (positionals.length > 0) throw usage(`Unexpected argument "${positionals[0]}"`);
  if (values.interface === undefined && values.socket === undefined) {
    throw usage('"--interface" is missing', "name the network interface to serve; ip -br address lists them");
  }
  if (values.interface !== undefined && values.socket !== undefined)
    throw usage('"--interface" and "--socket" exclude each other');
  const { kernel, bundle, policy } = values;
  const sources = [kernel, bundle, policy].filter((source) => source !== undefined);
  if (sources.length === 0) throw usage('"--kernel" is missing', "or name a --bundle or a --policy");
  if (sources.length > 1) throw usage('Only one of "--kernel", "--bundle" and "--policy" can be served');
  const tls = { cert: values["tls-cert"], key: values["tls-key"] };
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw usage('"--tls-cert" and "--tls-key" need each other');
  }
  const mode = values.mode ?? (values.socket === undefined ? "proxy" : "authoritative");
  if (mode !== "authoritative" && mode !== "proxy" && mode !== "files" && mode !== "http-only") {
    throw usage(`"--mode" must be authoritative, proxy, files or http-only, not "${mode}"`);
  }
  const leases = fixedLeases(values.lease ?? []);
  refuseIdle(values, ["server"], 'without "explain"', "--interface and --address say where to serve");
  if (kernel === undefined) {
    const hint =
      "they have their own arguments and files; a rule of a policy can add arguments to a bundle's";
    refuseIdle(values, OF_KERNEL, "with a bundle or a policy", hint);
  }
  if (mode !== "authoritative")
    refuseIdle(values, OF_LEASES, `in mode ${mode}`, "it leases no addresses; --mode authoritative does");
  if (mode === "http-only")
    refuseIdle(values, OF_TFTP, "in mode http-only", "--mode files serves files by TFTP too");
  return {
    kind: "serve",
    json: values.json === true,
    socket: values.socket,
    bundle,
    options: {
      interface: values.interface,
      address: values.address,
      ...(kernel === undefined
        ? {}
        : {
            bundle: {
              kernel,
              initrd: values.initrd ?? [],
              cmdline: values.append ?? "",
              manifest: values.manifest,
            },
          }),
      policy,
      loaders: {
        bios: oneOf("bios", values.bios, BIOS_LOADERS),
        efi: oneOf("efi", values.efi, EFI_LOADERS),
        stubs: values["uki-stub"],
      },
      state: values.state,
      uploads: values.uploads === undefined ? undefined : { directory: values.uploads },
      apiToken: values["api-token"],
      ...(tls.cert !== undefined && tls.key !== undefined ? { tls: { cert: tls.cert, key: tls.key } } : {}),
      mode: mode satisfies PxeMode,
      pool: values.pool,
      leases,
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
