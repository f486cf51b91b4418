import type { BootDesk, Decision } from "../boots/boot-desk.ts";
import { readMac } from "../policy/facts.ts";
import type { FileRequest, VirtualFile } from "../virtual-files.ts";
import { UKI_FILE } from "./choose-loaders.ts";
import { openUki, type Stubs } from "./uki-file.ts";

/** What the files of a machine are made from. */
export interface MachineFileParts {
  readonly desk: Pick<BootDesk, "decide" | "write">;
  readonly stubs: Stubs;
}

/**
 * PXELINUX asks for a configuration by its machine's UUID, hardware address (01 is Ethernet), parts of its IP
 * address and then `default`, GRUB the same but for the UUID and the name at the end. That of the hardware
 * address is there for every machine, so that what comes after it is not asked.
 */
const CONFIG = /^(pxelinux\.cfg\/|grub\/grub\.cfg-)01-([0-9a-f-]{17})$/i;

/**
 * The files that are made for the machine that asks: configurations of PXELINUX and GRUB, and the UKI. A name with
 * an address in it counts like the word of an iPXE that says who it is: not against a lease of our own.
 */
export function machineFile(name: string, parts: MachineFileParts): VirtualFile | undefined {
  const { desk, stubs } = parts;
  const { write } = desk;
  if (name === UKI_FILE) {
    return {
      kind: "opened",
      role: "kernel",
      async open(request) {
        const { plan, reader } = await desk.decide(request, true);
        const image = await write.uki(plan, reader);
        return image && openUki(image, stubs);
      },
    };
  }
  const text = (mac: string | undefined, make: (decision: Decision) => Promise<string>): VirtualFile => ({
    kind: "made",
    role: "script",
    async make(request) {
      const asked = mac === undefined ? request : { ...request, query: new URLSearchParams({ mac }) };
      return make(await desk.decide(asked satisfies FileRequest, true));
    },
  });
  const [, kind, address] = CONFIG.exec(name) ?? [];
  const mac = address === undefined ? undefined : readMac(address);
  if (name === "pxelinux.cfg/default" || (mac !== undefined && kind === "pxelinux.cfg/"))
    return text(mac, ({ plan, reader }) => write.pxelinux(plan, reader));
  if (name === "grub/grub.cfg" || (mac !== undefined && kind !== undefined))
    return text(mac, ({ plan, reader }) => write.grub(plan, reader));
  return undefined;
}
