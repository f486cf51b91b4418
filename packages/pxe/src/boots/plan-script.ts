import { randomBytes } from "node:crypto";
import { httpUrl, tftpUrl, type BootSite } from "../boot-policy.ts";
import type { PxeBundle } from "../bundle-files.ts";
import { ipxeDisk, ipxeMessage, ipxeScript } from "../ipxe-script.ts";
import { grubConfig, grubLeave } from "../loaders/grub-config.ts";
import type { LoaderBoot } from "../loaders/loader-boot.ts";
import { pxelinuxConfig, pxelinuxDisk } from "../loaders/pxelinux-config.ts";
import type { UkiParts } from "../loaders/uki-file.ts";
import type { BootPlan } from "../policy/plan.ts";
import { inMemory, type OpenFile, type VirtualFile } from "../virtual-files.ts";
import { paramsSegment } from "./params-segment.ts";
import { publishBundle } from "./publish-bundle.ts";
import type { Attempt } from "./queue.ts";

/** For whom a script is written. */
export interface ScriptReader {
  /** Undefined when nobody had to say who it is: then there is nothing of one machine in the script. */
  readonly mac: string | undefined;
  readonly via: "http" | "tftp";
  /** The attempt whose token the machine gets. */
  readonly attempt?: Attempt | undefined;
}

/** One plan, as each kind of boot program is told of it. */
export interface PlanWriter {
  ipxe(plan: BootPlan, reader: ScriptReader): Promise<string>;
  pxelinux(plan: BootPlan, reader: ScriptReader): Promise<string>;
  grub(plan: BootPlan, reader: ScriptReader): Promise<string>;
  /** Undefined when the plan boots nothing from here. */
  uki(plan: BootPlan, reader: ScriptReader): Promise<UkiParts | undefined>;
}

/** The kernel arguments by which a booted system finds back; the kernel passes names with a dot to nobody. */
function callBack(site: BootSite, mac: string, { run, token }: Attempt): string[] {
  const server = httpUrl(site, "").replace(/\/$/, "");
  return [
    `je.server=${server}`,
    `je.machine=${mac.replaceAll(":", "-")}`,
    `je.run=${run}`,
    `je.token=${token}`,
  ];
}

/** Machines whose parameters are offered at a time. */
const MOST_SEGMENTS = 4096;

const NOTHING = "The policy of this server boots nothing on this machine";

/** Make a writer that offers what its texts name among `files`; `own` has its names there already. */
export function planWriter(options: {
  readonly files: Map<string, VirtualFile>;
  readonly site: BootSite;
  readonly own: PxeBundle | undefined;
}): PlanWriter {
  const { files, site, own } = options;
  /** The parameters of each machine's last script, the longest unasked first. */
  const segments = new Map<string, string>();

  const offerParams = ({ params }: BootPlan, mac: string | undefined): string[] => {
    if (mac === undefined || Object.keys(params).length === 0) return [];
    const forget = (machine: string | undefined): void => {
      const old = machine === undefined ? undefined : segments.get(machine);
      if (machine === undefined || old === undefined) return;
      segments.delete(machine);
      files.delete(old);
    };
    forget(mac);
    if (segments.size >= MOST_SEGMENTS) forget(segments.keys().next().value);
    // Nobody guesses the name: who has not got the script does not get the parameters.
    const name = `initrd/params-${randomBytes(12).toString("hex")}`;
    segments.set(mac, name);
    // Made when it is fetched: who only says that it is one machine after the other fills no memory.
    const open = async (): Promise<OpenFile | undefined> => {
      const bytes = await paramsSegment(params);
      return bytes && inMemory(bytes);
    };
    files.set(name, { kind: "opened", open });
    return [name];
  };

  const cmdlineOf = (plan: BootPlan, bundle: PxeBundle, { mac, attempt }: ScriptReader): string => {
    const report = attempt && mac !== undefined ? callBack(site, mac, attempt) : [];
    return [bundle.cmdline, plan.cmdline, ...report].filter((part) => part !== "").join(" ");
  };

  /** What a loader is to load, by names; or why nothing. */
  const boot = (plan: BootPlan, reader: ScriptReader): LoaderBoot | "disk" | "none" => {
    const { target } = plan;
    if (target.kind !== "bundle") return target.kind;
    const { bundle } = target;
    const names =
      bundle === own
        ? { kernel: "kernel", initrd: bundle.initrd.map((_, index) => `initrd/${index}`) }
        : publishBundle(files, bundle);
    // Parameters first: a segment must begin at a multiple of four, which another's size may not be.
    const initrd = [...offerParams(plan, reader.mac), ...names.initrd];
    return { kernel: names.kernel, initrd, cmdline: cmdlineOf(plan, bundle, reader), title: bundle.title };
  };

  return {
    async ipxe(plan, reader) {
      const what = boot(plan, reader);
      if (what === "disk") return ipxeDisk();
      if (what === "none") return ipxeMessage(NOTHING);
      const url = (name: string): string =>
        reader.via === "http" ? httpUrl(site, name) : tftpUrl(site, name);
      return ipxeScript({ ...what, kernel: url(what.kernel), initrd: what.initrd.map(url) });
    },
    async pxelinux(plan, reader) {
      const what = boot(plan, reader);
      if (typeof what === "object") return pxelinuxConfig(what);
      return what === "disk" ? pxelinuxDisk() : pxelinuxDisk(NOTHING);
    },
    async grub(plan, reader) {
      const what = boot(plan, reader);
      if (typeof what === "object") return grubConfig(what);
      return grubLeave(what === "disk" ? "Booting from the next device" : NOTHING);
    },
    async uki(plan, reader) {
      const { target } = plan;
      if (target.kind !== "bundle") return undefined;
      const params = reader.mac === undefined ? undefined : await paramsSegment(plan.params);
      const { bundle } = target;
      return { bundle, cmdline: cmdlineOf(plan, bundle, reader), segments: params ? [params] : [] };
    },
  };
}
