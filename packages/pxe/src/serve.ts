import { defaultPool, inSubnet, isHostOf, parseIpv4, parseMac, parsePool } from "./address.ts";
import { httpUrl, SCRIPT_FILE, type BootSite } from "./boot-policy.ts";
import { startBootService, type BootService } from "./boot-service.ts";
import { bundleFiles, checkBundle, commonFiles } from "./bundle-files.ts";
import { probeDhcp } from "./dhcp-probe.ts";
import { PxeError } from "./errors.ts";
import type { PxeEventBody } from "./events.ts";
import { startHttpServer } from "./http-server.ts";
import type { Interface } from "./interfaces.ts";
import { startDhcp, startProxy, type DhcpService } from "./internal/dhcp-service.ts";
import { closers, type Closers } from "./internal/closers.ts";
import { eventQueue, type EventQueue } from "./internal/event-queue.ts";
import { unusedInherited } from "./internal/inherited-sockets.ts";
import { readTls } from "./internal/named-files.ts";
import { HOST_NETWORK, type Network } from "./internal/network.ts";
import { startRouterAdvertisements } from "./internal/router-advertisements.ts";
import { servedNetwork } from "./internal/served-network.ts";
import { timeline } from "./internal/timeline.ts";
import { chooseLoaders, type OfferedLoaders } from "./loaders/choose-loaders.ts";
import { readMac } from "./policy/facts.ts";
import type { LeaseSpace } from "./leases.ts";
import { openStation } from "./link/station.ts";
import type { PxeServer, ServePxeOptions } from "./serve-options.ts";
import { startTftpServer } from "./tftp-server.ts";
import type { VirtualFile } from "./virtual-files.ts";
import { machineBook, type MachineBook } from "./watch/machine-book.ts";

/** Addresses, fixed and free, as the lease engine wants them. */
function leaseSpace(options: ServePxeOptions, via: Interface): LeaseSpace {
  const fixed = new Map(
    Object.entries(options.leases ?? {}).map(([mac, address]) => [parseMac(mac), address]),
  );
  for (const [mac, address] of fixed) {
    if (isHostOf(via, address) && address !== via.address) continue;
    throw new PxeError("PXE_POOL_INVALID", `Cannot give ${address} to ${mac}`, {
      hint: `choose an address in the network of ${via.address} (netmask ${via.netmask}), other than that, and neither its first nor its broadcast address`,
    });
  }
  if (new Set(fixed.values()).size < fixed.size) {
    throw new PxeError("PXE_POOL_INVALID", "Two machines have the same fixed address", {
      hint: "give each of them one of its own",
    });
  }
  const pool =
    options.pool === "none"
      ? undefined
      : options.pool === undefined
        ? defaultPool(via)
        : parsePool(options.pool, via);
  const { router, dns = [] } = options;
  // Clients are told of them: what is no address is better known now.
  for (const address of [...(router === undefined ? [] : [router]), ...dns]) parseIpv4(address);
  const taken = new Set([via.address, ...(router === undefined ? [] : [router])]);
  return { pool, fixed, taken };
}

/** Refuse to lease addresses on a network where somebody else does. */
async function refuseRivals(
  options: ServePxeOptions,
  via: Interface,
  emit: (event: PxeEventBody) => void,
): Promise<void> {
  const { dhcp = 67, client = 68 } = options.ports ?? {};
  try {
    const waitMs = options.probeMs ?? 3500;
    const other = await probeDhcp(via, { waitMs, ports: { dhcp, client }, signal: options.signal });
    if (!other) return;
    throw new PxeError(
      "PXE_DHCP_OTHER_SERVER",
      `A DHCP server answers on "${via.name}" already: ${other.server} offered ${other.offered}`,
      { hint: 'use mode "proxy" beside it; "force" would give clients two answers' },
    );
  } catch (error) {
    const known = error instanceof PxeError ? error.code : undefined;
    if (known !== "PXE_ADDRESS_IN_USE") throw error;
    // A DHCP client of this machine holds port 68: then we cannot know.
    emit({
      kind: "warning",
      code: "dhcp-probe-failed",
      message: `Cannot look for other DHCP servers on "${via.name}": port ${client} is taken`,
      hint: "make sure by yourself that no other DHCP server is there",
    });
  }
}

/**
 * Serve a bundle to other computers that boot from their network card. Resolves when everything listens.
 *
 * Errors: `PXE_INTERFACE_UNKNOWN`, `PXE_BUNDLE_INVALID`, `PXE_BINARY_MISSING`, `PXE_SCRIPT_UNREPRESENTABLE`, `PXE_POOL_INVALID`,
 * `PXE_DHCP_OTHER_SERVER`, `PXE_LEASES_FAILED`, `PXE_LEASES_INVALID`, `PXE_LEASES_LOCKED`, `PXE_PORT_DENIED`,
 * `PXE_ADDRESS_IN_USE`, `PXE_SOCKET_FAILED`, `PXE_STATE_FAILED`, `PXE_TLS_INVALID`, `PXE_TOKEN_INVALID`; an aborted signal rejects with its reason while starting, and
 * closes the server later.
 *
 * @example
 * ```ts
 * import { servePxe } from "@justenough/pxe";
 * const server = await servePxe({
 *   bundle: { kernel: process.execPath, initrd: [], cmdline: "console=ttyS0" },
 *   interface: "lo", mode: "http-only", ports: { http: 0 },
 * });
 * console.log(await (await fetch(server.urls.script)).text());
 * await server.close();
 * ```
 */
export async function servePxe(options: ServePxeOptions): Promise<PxeServer> {
  const { mode, bundle, signal } = options;
  signal?.throwIfAborted();
  const via = await servedNetwork(options);
  if ((bundle === undefined) === (options.policy === undefined)) {
    throw new PxeError("PXE_USAGE", "Name either a bundle or a policy to serve");
  }
  if (bundle) await checkBundle(bundle);
  const space = mode === "authoritative" ? leaseSpace(options, via) : undefined;
  const allow = options.allow && new Set(options.allow.map((mac) => parseMac(mac)));
  const { loaders: wanted } = options;
  const loaders = await chooseLoaders({ loaders: wanted, binaries: options.binaries, bundle });

  const queue = eventQueue();
  const book = machineBook();
  let service: BootService | undefined;
  const emit = timeline({
    ra: options.ra === true || options.link !== undefined,
    book,
    sink: (event) => {
      service?.note(event);
      queue.push(event);
      options.onEvent?.(event);
    },
  });
  if (mode === "authoritative" && options.force !== true && !options.link)
    await refuseRivals(options, via, emit);
  const parts = closers();
  try {
    const onService = (started: BootService): void => void (service = started);
    return await start({ options, via, space, allow, loaders, queue, emit, parts, book, onService });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

interface Prepared {
  readonly options: ServePxeOptions;
  readonly via: Interface;
  readonly space: LeaseSpace | undefined;
  readonly allow: ReadonlySet<string> | undefined;
  readonly loaders: OfferedLoaders;
  readonly queue: EventQueue;
  readonly emit: (event: PxeEventBody) => void;
  readonly parts: Closers;
  readonly book: MachineBook;
  readonly onService: (service: BootService) => void;
}

/** Open the sockets and wire them to the engines. */
async function start(prepared: Prepared): Promise<PxeServer> {
  const { options, via, space, allow, loaders, queue, emit, parts, book } = prepared;
  const { mode, bundle, signal, ports = {} } = options;
  // Names first, servers later: what the script says depends on ports that are known only afterwards.
  const files = new Map<string, VirtualFile>();
  const { address, netmask } = via;
  const station = options.link && parts.use(openStation({ link: options.link, address, netmask }));
  const network: Network = station ?? HOST_NETWORK;
  let dhcp: DhcpService | undefined;
  let connections = (): number => 0;
  const service = parts.use(
    await startBootService({
      mode,
      interface: via.name,
      address,
      allow,
      bundle,
      policy: options.policy,
      state: options.state,
      uploads: options.uploads,
      apiToken: options.apiToken,
      stubs: loaders.stubs,
      book,
      files,
      emit,
      leases: () => dhcp?.leases().length ?? 0,
      connections: () => connections(),
    }),
  );
  prepared.onService(service);
  const tls = options.tls && (await readTls(options.tls));
  const { handler } = service;
  const offered = { get: (name: string) => files.get(name) ?? service.file(name) };
  const http = parts.use(
    await startHttpServer({
      address,
      port: ports.http,
      files: offered,
      handler,
      tls,
      onEvent: emit,
      network,
    }),
  );
  connections = http.connections;
  const tftp =
    mode === "http-only"
      ? undefined
      : parts.use(
          await startTftpServer({
            ...options.tftp,
            address,
            port: ports.tftp,
            files: offered,
            accepts: (client) => inSubnet(via, client),
            onEvent: emit,
            network,
          }),
        );
  const site: BootSite = {
    address,
    httpPort: http.port,
    tftpPort: tftp?.port,
    binaries: loaders.names,
    loaders: loaders.loaders,
    needsIpxe: service.needsIpxe,
    secure: tls !== undefined,
    rule: service.rule,
  };
  const named = bundle ? bundleFiles(bundle, site, loaders.paths) : commonFiles(site, loaders.paths);
  for (const [name, file] of named) files.set(name, file);
  files.set(SCRIPT_FILE, { kind: "made", role: "script", make: service.script });
  await service.open(site);

  const clientPorts = { server: ports.dhcp ?? 67, client: ports.client ?? 68 };
  const boot = mode === "proxy" ? (ports.boot ?? 4011) : undefined;
  const common = {
    boot,
    share: mode === "proxy" || options.force === true,
    own: via.mac,
    onEvent: emit,
    network,
    onArrival: service.observe,
  };
  const served = { subnet: via, site, allow, ports: clientPorts };
  if (space) {
    const { leaseSeconds = 3600, router, dns = [], leaseFile } = options;
    const config = { ...served, space, leaseSeconds, router, dns, sole: true };
    dhcp = parts.use(await startDhcp(config, { ...common, leaseFile }));
  } else if (mode === "proxy") dhcp = parts.use(await startProxy(served, common));
  if (options.ra === true && !station) parts.use(await startRouterAdvertisements(via, emit));
  signal?.throwIfAborted();

  const script = httpUrl(site, SCRIPT_FILE);
  let closing: Promise<void> | undefined;
  let resolveClosed: () => void;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  const close = (): Promise<void> =>
    (closing ??= parts.close().finally(() => {
      signal?.removeEventListener("abort", onAbort);
      queue.end();
      resolveClosed();
    }));
  const onAbort = (): void => void close();
  signal?.addEventListener("abort", onAbort, { once: true });
  void station?.closed.then(close);
  emit({ kind: "listening", mode, address, script });
  for (const { protocol, address, port } of unusedInherited()) {
    const message = `Nothing is served on ${protocol.toUpperCase()} port ${port} of ${address}, a socket that this process was given`;
    emit({
      kind: "warning",
      code: "socket",
      message,
      hint: "look at the addresses and ports of its socket unit",
    });
  }
  return {
    mode,
    interface: via.name,
    address,
    ports: {
      http: http.port,
      tftp: tftp?.port,
      dhcp: space || mode === "proxy" ? clientPorts.server : undefined,
      boot,
    },
    urls: { script, kernel: httpUrl(site, "kernel"), manifest: httpUrl(site, "manifest.json") },
    events: () => queue.subscribe(),
    leases: () => dhcp?.leases() ?? [],
    machines: service.machines,
    explain: (mac) => service.explain(readMac(mac) ?? mac),
    close,
    closed,
    [Symbol.asyncDispose]: close,
  };
}
