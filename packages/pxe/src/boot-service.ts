import { join } from "node:path";
import type { BootSite, BootStep } from "./boot-policy.ts";
import { openBootDesk, type BootDesk } from "./boots/boot-desk.ts";
import { openUploadStore, type UploadQuota } from "./boots/upload-store.ts";
import type { PxeBundle } from "./bundle-files.ts";
import type { BootClient } from "./client.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";
import type { PxeEventBody } from "./events.ts";
import type { HttpHandler } from "./http/answer.ts";
import { apiHandler, queueView } from "./http/api.ts";
import { readToken } from "./internal/named-files.ts";
import { machineFile } from "./loaders/machine-files.ts";
import type { Stubs } from "./loaders/uki-file.ts";
import { choosePlan, policyOf } from "./policy/choose-plan.ts";
import { fixedPolicy, watchPolicy } from "./policy/policy-holder.ts";
import type { FileRequest, VirtualFile } from "./virtual-files.ts";
import { explainMachine, type Explanation } from "./watch/explain.ts";
import { liveFeed } from "./watch/live.ts";
import type { MachineBook, MachineRecord } from "./watch/machine-book.ts";
import { pxeMetrics } from "./watch/metrics.ts";
import { observeDhcp } from "./watch/observe.ts";
import type { PxeEvent } from "./events.ts";
import { serverWait, waitsOf } from "./watch/waits.ts";

/** How often what is overdue is looked for. */
const TICK_MS = 1000;

/** What the service is told of its server. */
export interface BootServiceOptions {
  readonly mode: string;
  readonly interface: string;
  readonly address: string;
  readonly allow: ReadonlySet<string> | undefined;
  readonly bundle: PxeBundle | undefined;
  readonly policy: string | undefined;
  readonly state: string | undefined;
  readonly uploads: ({ readonly directory: string } & UploadQuota) | undefined;
  /** A file that holds the administrator's token. */
  readonly apiToken: string | undefined;
  /** Stubs of UKIs. */
  readonly stubs: Stubs;
  readonly book: MachineBook;
  readonly files: Map<string, VirtualFile>;
  readonly emit: (event: PxeEventBody) => void;
  readonly leases: () => number;
  readonly connections: () => number;
}

/** Policy, queues, uploads and everything that shows what happens, behind one HTTP handler. */
export interface BootService {
  readonly handler: HttpHandler;
  /** For the boot site. */
  rule(client: BootClient): BootStep | undefined;
  /** Ports are known: scripts can be made from now on. */
  open(site: BootSite): Promise<void>;
  needsIpxe(client: BootClient): boolean;
  script(request: FileRequest): Promise<string>;
  /** The files that boot programs other than iPXE ask for, made for the machine that asks. */
  file(name: string): VirtualFile | undefined;
  /** A DHCP message has come, whether it will be answered or not. */
  observe(message: DhcpMessage): void;
  note(event: PxeEvent): void;
  machines(): readonly MachineRecord[];
  explain(mac: string): Explanation;
  close(): Promise<void>;
}

/** Start the service; errors of the policy and of directories come at once. */
export async function startBootService(options: BootServiceOptions): Promise<BootService> {
  const { book, files, emit, bundle, mode } = options;
  const token = options.apiToken === undefined ? undefined : await readToken(options.apiToken);
  const policy =
    options.policy === undefined
      ? fixedPolicy(policyOf(bundle ? { kind: "bundle", bundle } : { kind: "none" }))
      : await watchPolicy(options.policy, emit);
  const uploads = options.uploads && (await openUploadStore(options.uploads.directory, options.uploads));
  const metrics = pxeMetrics();
  let desk: BootDesk | undefined;
  const opened = (): BootDesk => {
    if (!desk) throw new Error("The server is still starting");
    return desk;
  };

  const describe = (mac: string): object | undefined => {
    const record = book.get(mac);
    if (!record) return undefined;
    const { facts, address, firstSeen, lastSeen, boots, troubles } = record;
    const [current] = boots;
    return {
      mac,
      name: policy.current().machines.get(mac)?.name,
      tags: policy.current().machines.get(mac)?.tags,
      address,
      uuid: facts.uuid,
      serial: facts.serial,
      arch: facts.arch,
      firmware: facts.firmware,
      firstSeen,
      lastSeen,
      stage: stageOf(record),
      queued: desk?.queue(mac).plans.length ?? 0,
      boots: boots.map((boot) => ({ ...boot, waits: waitsOf(boot), serverMs: serverWait(boot) })),
      troubles: troubles
        .filter(({ code, at }) => code !== "not-pxe" && at >= (current?.began ?? 0))
        .map(({ code, detail }) => `${code}${detail === "" ? "" : `: ${detail}`}`),
    };
  };
  const feed = liveFeed({ describe, all: () => book.all().map(({ mac }) => mac) });
  const explain = (mac: string): Explanation => {
    const record = book.get(mac);
    const facts = { ...record?.facts, mac };
    const { plans, held } = opened().queue(mac);
    return explainMachine({
      mac,
      record,
      decision: choosePlan(policy.current(), facts, { final: false }),
      mode,
      address: options.address,
      interface: options.interface,
      queued: plans.length,
      held,
      now: Date.now(),
    });
  };
  const boots = (): readonly object[] =>
    book
      .all()
      .flatMap(({ boots }) => boots)
      .sort((a, b) => b.began - a.began)
      .slice(0, 200)
      .map((boot) => ({ ...boot, waits: waitsOf(boot), serverMs: serverWait(boot) }));

  const timer = setInterval(() => {
    for (const boot of book.ended(Date.now())) emit({ kind: "boot", mac: boot.mac, boot });
    desk?.tick().catch((error: unknown) => {
      emit({ kind: "warning", code: "helper-failed", message: (error as Error).message });
    });
  }, TICK_MS);
  timer.unref();

  let api: HttpHandler | undefined;
  return {
    handler: (exchange) => api?.(exchange),
    rule: (client) => desk?.rule(client),
    needsIpxe: (client) => desk?.needsIpxe(client) === true,
    script: (request) => opened().script(request),
    file: (name) => desk && machineFile(name, { desk, stubs: options.stubs }),
    async open(site) {
      // Two servers on two interfaces may share the directory.
      const journal =
        options.state === undefined ? undefined : join(options.state, `${options.interface}.queues`);
      const tracked = uploads !== undefined;
      desk = await openBootDesk({ policy, book, files, site, own: bundle, journal, tracked, emit });
      api = apiHandler({
        desk,
        policy,
        uploads,
        feed,
        adminToken: token,
        emit,
        server: () => ({
          program: "pxe-serve",
          mode,
          interface: options.interface,
          address: options.address,
        }),
        machines: () => book.all().map(({ mac }) => describe(mac)),
        machine: (mac) => {
          const machine = describe(mac);
          return machine && { ...machine, queue: queueView(opened(), mac) };
        },
        boots,
        explain,
        metrics: () =>
          metrics.text({
            machines: book.all().length,
            leases: options.leases(),
            queuedPlans: opened().queued(),
            connections: options.connections(),
          }),
      });
    },
    observe(message) {
      const seen = observeDhcp(message, options);
      if (!seen) return;
      book.observe(seen, Date.now());
      feed.touch(seen.client.mac);
    },
    note(event) {
      metrics.note(event);
      book.note(event);
      if ("mac" in event && event.mac !== undefined) feed.touch(event.mac);
    },
    machines: () => book.all(),
    explain,
    async close() {
      clearInterval(timer);
      feed.close();
      await policy.close();
      await desk?.close();
    },
  };
}

/** Where a machine is, in two words. */
function stageOf({ boots: [boot], troubles: [trouble] }: MachineRecord): string {
  if (!boot) return trouble ? trouble.code : "seen";
  const last = boot.steps.at(-1)?.step ?? "seen";
  return boot.outcome === "running" ? last : boot.outcome === "stopped" ? `stopped at ${last}` : boot.outcome;
}
