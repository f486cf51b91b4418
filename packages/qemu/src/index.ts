export {
  probeAccelerator,
  judgeProbe,
  chooseAccelerator,
  type AccelShape,
  type AccelVerdict,
  type ProbeOptions,
} from "./accel.ts";
export {
  connectAgent,
  type Agent,
  type AgentOptions,
  type ExecEnd,
  type ExecOptions,
  type ExecResult,
  type ExecUsage,
  type TransferOptions,
} from "./agent/agent.ts";
export type { AgentProgramOptions } from "./agent/program.ts";
export { agentSegment } from "./agent/segment.ts";
export type { AgentChannel, AgentPort } from "./agent/session.ts";
export {
  commandArguments,
  commandByHand,
  printable,
  type Command,
  type HostParts,
  type Wiring,
} from "./argv.ts";
export { defaultCpu, machineType, serialDevices, type SerialDevices } from "./board.ts";
export type { BootPhase } from "./boot-phase.ts";
export type { CpuState } from "./cpu-state.ts";
export type { DeadlineName, Deadlines } from "./deadlines.ts";
export { findSymptoms, type Diagnosis } from "./diagnosis.ts";
export type { Disk, DiskModel, DiskSpec } from "./disks.ts";
export { QemuError, type QemuErrorCode } from "./errors.ts";
export type { Film, FilmOptions } from "./film.ts";
export { gdbCommand } from "./gdb.ts";
export { joinInitrd, type InitrdPiece } from "./initrd.ts";
export {
  bootProfile,
  parseKernelLine,
  type BootGap,
  type BootMark,
  type BootProfile,
  type Initcall,
  type KernelLine,
} from "./kernel-log.ts";
export { countKtap, parseKtap, type KtapCounts, type KtapStatus, type KtapTest } from "./ktap.ts";
export { launch } from "./launch.ts";
export {
  machine,
  type AccelChoice,
  type Arch,
  type Forward,
  type ForwardSpec,
  type Machine,
  type MachineSpec,
  type Nic,
  type NicBackend,
  type NicSpec,
} from "./machine.ts";
export { plainText } from "./plain-text.ts";
export {
  connectQmp,
  type QmpClient,
  type QmpCommands,
  type QmpEvent,
  type QmpEvents,
  type QmpExecuteOptions,
  type QmpOptions,
} from "./qmp.ts";
export { describeResult, type BootEnd, type BootFacts, type BootResult, type LastScreen } from "./result.ts";
export type { Screen } from "./screen.ts";
export type { ScreenCell, ScreenCells } from "./screen-text.ts";
export type { ConsoleLine, SerialPort } from "./serial-port.ts";
export type { Share, ShareSpec } from "./shares.ts";
export { snapshot, type Snapshot, type SnapshotOptions } from "./snapshot.ts";
export type { VirtioPort } from "./virtio-port.ts";
export type { LaunchOptions, LaunchProgress, Vm } from "./vm.ts";
export { BOOT_SYMPTOMS, type BootSymptom } from "./symptoms.ts";
export { timelineSvg, timelineText } from "./timeline.ts";
export { TRACER, tracerSegment } from "./tracer/segment.ts";
export { readTrace, type Trace, type TracedCall } from "./tracer/trace.ts";
export { findUefi, type Uefi } from "./uefi.ts";
export { unpackVmlinux } from "./vmlinux.ts";
