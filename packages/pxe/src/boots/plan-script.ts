import { randomBytes } from "node:crypto";
import { httpUrl, tftpUrl, type BootSite } from "../boot-policy.ts";
import type { PxeBundle } from "../bundle-files.ts";
import { ipxeDisk, ipxeMessage, ipxeScript } from "../ipxe-script.ts";
import type { BootPlan } from "../policy/plan.ts";
import type { VirtualFile } from "../virtual-files.ts";
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

/** Writes the script of a plan. */
export type PlanScript = (plan: BootPlan, reader: ScriptReader) => Promise<string>;

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

/** Make a writer that offers what its scripts name among `files`; `own` has its names there already. */
export function planScripts(options: {
  readonly files: Map<string, VirtualFile>;
  readonly site: BootSite;
  readonly own: PxeBundle | undefined;
}): PlanScript {
  const { files, site, own } = options;
  /** The parameters of each machine's last script. */
  const segments = new Map<string, string>();

  const offerParams = async (plan: BootPlan, mac: string | undefined): Promise<string[]> => {
    const bytes = mac === undefined ? undefined : await paramsSegment(plan.params);
    if (mac === undefined || !bytes) return [];
    const old = segments.get(mac);
    if (old !== undefined) files.delete(old);
    // Nobody guesses the name: who has not got the script does not get the parameters.
    const name = `initrd/params-${randomBytes(12).toString("hex")}`;
    segments.set(mac, name);
    files.set(name, { kind: "bytes", bytes });
    return [name];
  };

  return async (plan, { mac, via, attempt }) => {
    const { target } = plan;
    if (target.kind === "disk") return ipxeDisk();
    if (target.kind === "none") return ipxeMessage("The policy of this server boots nothing on this machine");
    const { bundle } = target;
    const names =
      bundle === own
        ? { kernel: "kernel", initrd: bundle.initrd.map((_, index) => `initrd/${index}`) }
        : publishBundle(files, bundle);
    // Parameters first: a segment must begin at a multiple of four, which another's size may not be.
    const initrd = [...(await offerParams(plan, mac)), ...names.initrd];
    const report = attempt && mac !== undefined ? callBack(site, mac, attempt) : [];
    const url = (name: string): string => (via === "http" ? httpUrl(site, name) : tftpUrl(site, name));
    return ipxeScript({
      kernel: url(names.kernel),
      initrd: initrd.map(url),
      cmdline: [bundle.cmdline, plan.cmdline, ...report].filter((part) => part !== "").join(" "),
      title: bundle.title,
    });
  };
}
