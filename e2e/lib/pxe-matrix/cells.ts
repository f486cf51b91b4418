import type { ServePxeOptions } from "@justenough/pxe";
import type { MachineSpec } from "@justenough/qemu";
import type { Disguise } from "./disguise.ts";

/** One way to boot. */
export interface Cell {
  readonly name: string;
  /**
   * Where the server is. `wire`: in this process, on a virtual switch, without root. `guest`: in a machine of its own,
   * on such a switch. `lab`: in a network namespace, where a dnsmasq leases the addresses.
   */
  readonly place: "wire" | "guest" | "lab";
  readonly disguise?: Disguise;
  readonly serve: Pick<ServePxeOptions, "mode" | "loaders" | "ra">;
  readonly machine: MachineSpec;
  /** What must have gone over the wire, as `ROLE by PROTOCOL`, in this order and nothing else. */
  readonly steps: readonly string[];
}

const bios: MachineSpec = { boot: "network", memory: 512 };
/** The firmware's own network driver in place of the card's ROM, which is iPXE. */
const ROMLESS = ["-global", "driver=virtio-net-pci,property=romfile,value="];
/** Without PXE the firmware boots by HTTP. */
const NO_PXE = ["IPv4PXESupport", "IPv6PXESupport"].flatMap((name) => [
  "-fw_cfg",
  `name=opt/org.tianocore/${name},string=n`,
]);
const uefi: MachineSpec = { boot: "network", firmware: "uefi", memory: 1024, extraArgs: ROMLESS };
const uefiHttp: MachineSpec = { ...uefi, extraArgs: [...ROMLESS, ...NO_PXE] };
const SCRIPT = (via: string): string[] => [`script by ${via}`, `kernel by ${via}`, `initrd by ${via}`];

export const CELLS: readonly Cell[] = [
  {
    name: "BIOS, iPXE in the ROM, HTTP",
    place: "wire",
    serve: { mode: "authoritative" },
    machine: bios,
    steps: SCRIPT("http"),
  },
  {
    name: "BIOS, iPXE in the ROM, TFTP",
    place: "wire",
    disguise: { as: "ipxe-without-http" },
    serve: { mode: "authoritative" },
    machine: bios,
    steps: SCRIPT("tftp"),
  },
  {
    name: "BIOS, other ROM, undionly.kpxe, HTTP",
    place: "wire",
    disguise: { as: "foreign-rom" },
    serve: { mode: "authoritative" },
    machine: bios,
    steps: ["loader by tftp", ...SCRIPT("http")],
  },
  {
    name: "BIOS, pxelinux.0, TFTP",
    place: "wire",
    serve: { mode: "authoritative", loaders: { bios: "pxelinux" } },
    machine: bios,
    steps: ["loader by tftp", ...SCRIPT("tftp")],
  },
  {
    name: "BIOS, lpxelinux.0, HTTP",
    place: "wire",
    serve: { mode: "authoritative", loaders: { bios: "lpxelinux" } },
    machine: bios,
    steps: ["loader by tftp", "loader by http", ...SCRIPT("http")],
  },
  {
    name: "UEFI x64, PXE, snponly.efi, HTTP",
    place: "wire",
    serve: { mode: "authoritative", loaders: { efi: "ipxe" } },
    machine: uefi,
    steps: ["loader by tftp", ...SCRIPT("http")],
  },
  {
    name: "UEFI x64, PXE, UKI by TFTP",
    place: "wire",
    serve: { mode: "authoritative" },
    machine: uefi,
    steps: ["kernel by tftp"],
  },
  {
    name: "UEFI x64, HTTP boot, UKI",
    place: "wire",
    serve: { mode: "authoritative" },
    machine: uefiHttp,
    steps: ["kernel by http"],
  },
  {
    name: "UEFI x64, PXE, shim and GRUB, TFTP",
    place: "wire",
    serve: { mode: "authoritative", loaders: { efi: "grub" } },
    machine: uefi,
    steps: ["loader by tftp", ...SCRIPT("tftp")],
  },
  {
    name: "BIOS, proxy beside dnsmasq, iPXE in the ROM, HTTP",
    place: "lab",
    serve: { mode: "proxy", ra: true },
    machine: bios,
    steps: SCRIPT("http"),
  },
  {
    name: "UEFI x64, proxy beside dnsmasq, UKI by TFTP",
    place: "lab",
    serve: { mode: "proxy" },
    machine: uefi,
    steps: ["kernel by tftp"],
  },
  {
    name: "arm64, UEFI, PXE, UKI by TFTP",
    place: "wire",
    serve: { mode: "authoritative" },
    machine: { ...uefi, arch: "arm64" },
    steps: ["kernel by tftp"],
  },
  {
    name: "BIOS, two guests, one boots the other",
    place: "guest",
    serve: { mode: "authoritative" },
    machine: bios,
    steps: SCRIPT("http"),
  },
  {
    name: "UEFI x64, HTTP boot, two guests, one boots the other",
    place: "guest",
    serve: { mode: "authoritative" },
    machine: uefiHttp,
    steps: ["kernel by http"],
  },
];
