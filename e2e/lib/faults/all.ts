import type { Fault } from "./fault.ts";
import { GUEST_FAULTS } from "./guest-faults.ts";
import { KERNEL_FAULTS } from "./kernel-faults.ts";
import { QEMU_FAULTS } from "./qemu-faults.ts";

export const FAULTS: readonly Fault[] = [...QEMU_FAULTS, ...GUEST_FAULTS, ...KERNEL_FAULTS];
