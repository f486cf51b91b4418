/** Names by number, include/uapi/linux/capability.h. */
const NAMES = [
  "cap_chown",
  "cap_dac_override",
  "cap_dac_read_search",
  "cap_fowner",
  "cap_fsetid",
  "cap_kill",
  "cap_setgid",
  "cap_setuid",
  "cap_setpcap",
  "cap_linux_immutable",
  "cap_net_bind_service",
  "cap_net_broadcast",
  "cap_net_admin",
  "cap_net_raw",
  "cap_ipc_lock",
  "cap_ipc_owner",
  "cap_sys_module",
  "cap_sys_rawio",
  "cap_sys_chroot",
  "cap_sys_ptrace",
  "cap_sys_pacct",
  "cap_sys_admin",
  "cap_sys_boot",
  "cap_sys_nice",
  "cap_sys_resource",
  "cap_sys_time",
  "cap_sys_tty_config",
  "cap_mknod",
  "cap_lease",
  "cap_audit_write",
  "cap_audit_control",
  "cap_setfcap",
  "cap_mac_override",
  "cap_mac_admin",
  "cap_syslog",
  "cap_wake_alarm",
  "cap_block_suspend",
  "cap_audit_read",
  "cap_perfmon",
  "cap_bpf",
  "cap_checkpoint_restore",
];

/** What a program may do although its user may not, capabilities(7). */
export interface FileCapabilities {
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  /** Whether they are in effect from the start; else the program has to raise them. */
  readonly effective: boolean;
  /** For revision 3: the user who is root in the name space that they are for. */
  readonly rootId?: number | undefined;
}

/**
 * What the extended attribute `security.capability` of a node says: struct vfs_cap_data of the kernel's
 * include/uapi/linux/capability.h. `undefined` for what is none.
 *
 * @example
 * ```ts
 * import { decodeCapabilities } from "@justenough/initramfs";
 * const value = Buffer.from("0100000200200000000000000000000000000000", "hex");
 * console.log(decodeCapabilities(value)?.permitted); // [ 'cap_net_raw' ]
 * ```
 */
export function decodeCapabilities(value: Uint8Array): FileCapabilities | undefined {
  const words = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.length < 4) return undefined;
  const magic = words.getUint32(0, true);
  const revision = magic >>> 24;
  const pairs = { 1: 1, 2: 2, 3: 2 }[revision] ?? 0;
  const length = 4 + pairs * 8 + (revision === 3 ? 4 : 0);
  if (pairs === 0 || value.length !== length) return undefined;
  const set = (first: number): string[] => {
    const names: string[] = [];
    for (let bit = 0; bit < pairs * 32; bit++) {
      const word = words.getUint32(4 + (bit >> 5) * 8 + first, true);
      if (((word >>> (bit & 31)) & 1) !== 0) names.push(NAMES[bit] ?? `cap_${bit}`);
    }
    return names;
  };
  return {
    permitted: set(0),
    inheritable: set(4),
    effective: (magic & 1) !== 0,
    ...(revision === 3 ? { rootId: words.getUint32(20, true) } : {}),
  };
}
