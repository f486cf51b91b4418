export { QemuError, type QemuErrorCode } from "./errors.ts";
export type { Impairment, Line, LineCounters } from "./line.ts";
export { createPcap, type PcapFile } from "./pcap.ts";
export { createSwitch, type SwitchOptions, type VirtualSwitch } from "./switch.ts";
export type { CodePort, PortCounters, PortOptions, SwitchPort } from "./switch-port.ts";
