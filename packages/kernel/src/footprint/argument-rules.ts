/** What arguments of system calls need: families of sockets, types of file systems, files that the kernel itself makes. */

/** Something named in an argument, and the symbol without which the kernel does not have it. */
export interface ArgumentRule {
  readonly symbol: string;
  /** A number or a name, or for a path what it is or begins with. */
  readonly value: string;
  /** A file of the kernel's tree that is built with the symbol, or guards the place by it, and a text in that place. */
  readonly source: string;
  readonly text: string;
}

type Row = readonly [value: string, symbol: string, source: string, text: string];

const rules = (rows: readonly Row[]): readonly ArgumentRule[] =>
  rows.map(([value, symbol, source, text]) => ({ value, symbol, source, text }));

/** By address family, include/linux/socket.h. */
export const SOCKET_RULES: readonly ArgumentRule[] = rules([
  ["1", "UNIX", "net/unix/af_unix.c", "PF_UNIX"],
  ["2", "INET", "net/ipv4/af_inet.c", "PF_INET"],
  ["10", "IPV6", "net/ipv6/af_inet6.c", "PF_INET6"],
  ["15", "NET_KEY", "net/key/af_key.c", "PF_KEY"],
  ["17", "PACKET", "net/packet/af_packet.c", "PF_PACKET"],
  ["29", "CAN", "net/can/af_can.c", "PF_CAN"],
  ["30", "TIPC", "net/tipc/socket.c", "AF_TIPC"],
  ["31", "BT", "net/bluetooth/af_bluetooth.c", "PF_BLUETOOTH"],
  ["38", "CRYPTO_USER_API", "crypto/af_alg.c", "PF_ALG"],
  ["40", "VSOCKETS", "net/vmw_vsock/af_vsock.c", "AF_VSOCK"],
  ["44", "XDP_SOCKETS", "net/xdp/xsk.c", "PF_XDP"],
]);

/** By the type that mount(2) and fsopen(2) take. */
export const FILE_SYSTEM_RULES: readonly ArgumentRule[] = rules([
  ["proc", "PROC_FS", "fs/proc/root.c", '"proc"'],
  ["sysfs", "SYSFS", "fs/sysfs/mount.c", '"sysfs"'],
  ["tmpfs", "TMPFS", "mm/shmem.c", '"tmpfs"'],
  ["devtmpfs", "DEVTMPFS", "drivers/base/devtmpfs.c", '"devtmpfs"'],
  ["devpts", "UNIX98_PTYS", "fs/devpts/inode.c", '"devpts"'],
  ["mqueue", "POSIX_MQUEUE", "ipc/mqueue.c", '"mqueue"'],
  ["hugetlbfs", "HUGETLBFS", "fs/hugetlbfs/inode.c", '"hugetlbfs"'],
  ["debugfs", "DEBUG_FS", "fs/debugfs/inode.c", '"debugfs"'],
  ["tracefs", "TRACING", "fs/tracefs/inode.c", '"tracefs"'],
  ["securityfs", "SECURITYFS", "security/inode.c", '"securityfs"'],
  ["configfs", "CONFIGFS_FS", "fs/configfs/mount.c", '"configfs"'],
  ["bpf", "BPF_SYSCALL", "kernel/bpf/inode.c", '"bpf"'],
  ["cgroup", "CGROUPS", "kernel/cgroup/cgroup.c", '"cgroup"'],
  ["cgroup2", "CGROUPS", "kernel/cgroup/cgroup.c", '"cgroup2"'],
  ["binfmt_misc", "BINFMT_MISC", "fs/binfmt_misc.c", '"binfmt_misc"'],
  ["ext4", "EXT4_FS", "fs/ext4/super.c", '"ext4"'],
  ["xfs", "XFS_FS", "fs/xfs/xfs_super.c", '"xfs"'],
  ["btrfs", "BTRFS_FS", "fs/btrfs/super.c", '"btrfs"'],
  ["vfat", "VFAT_FS", "fs/fat/namei_vfat.c", '"vfat"'],
  ["iso9660", "ISO9660_FS", "fs/isofs/inode.c", '"iso9660"'],
  ["squashfs", "SQUASHFS", "fs/squashfs/super.c", '"squashfs"'],
  ["erofs", "EROFS_FS", "fs/erofs/super.c", '"erofs"'],
  ["overlay", "OVERLAY_FS", "fs/overlayfs/super.c", '"overlay"'],
  ["fuse", "FUSE_FS", "fs/fuse/inode.c", '"fuse"'],
  ["virtiofs", "VIRTIO_FS", "fs/fuse/virtio_fs.c", '"virtiofs"'],
  ["9p", "9P_FS", "fs/9p/vfs_super.c", '"9p"'],
  ["nfs", "NFS_FS", "fs/nfs/fs_context.c", '"nfs"'],
]);

/** The longest that fits speaks. `/proc/self` stands for the files of every process. */
export const PATH_RULES: readonly ArgumentRule[] = rules([
  ["/proc", "PROC_FS", "fs/proc/root.c", '"proc"'],
  ["/proc/sys", "PROC_SYSCTL", "fs/proc/proc_sysctl.c", 'proc_mkdir("sys"'],
  ["/proc/config.gz", "IKCONFIG_PROC", "kernel/configs.c", '"config.gz"'],
  ["/proc/kallsyms", "KALLSYMS", "kernel/kallsyms.c", '"kallsyms"'],
  ["/proc/kcore", "PROC_KCORE", "fs/proc/kcore.c", '"kcore"'],
  ["/proc/modules", "MODULES", "kernel/module/procfs.c", '"modules"'],
  ["/proc/swaps", "SWAP", "mm/swapfile.c", '"swaps"'],
  ["/proc/pressure", "PSI", "kernel/sched/psi.c", '"pressure"'],
  ["/proc/cgroups", "CGROUPS", "kernel/cgroup/cgroup.c", '"cgroups"'],
  ["/proc/net", "NET", "fs/proc/proc_net.c", '"self/net"'],
  ["/proc/sysvipc", "SYSVIPC", "ipc/util.c", '"sysvipc"'],
  ["/proc/keys", "KEYS", "security/keys/proc.c", '"keys"'],
  ["/proc/self/net", "NET", "fs/proc/base.c", '"net"'],
  ["/proc/self/cgroup", "CGROUPS", "fs/proc/base.c", '"cgroup"'],
  ["/proc/self/smaps", "PROC_PAGE_MONITOR", "fs/proc/base.c", '"smaps"'],
  ["/proc/self/smaps_rollup", "PROC_PAGE_MONITOR", "fs/proc/base.c", '"smaps_rollup"'],
  ["/proc/self/clear_refs", "PROC_PAGE_MONITOR", "fs/proc/base.c", '"clear_refs"'],
  ["/proc/self/numa_maps", "NUMA", "fs/proc/base.c", '"numa_maps"'],
  ["/proc/self/pagemap", "PROC_PAGE_MONITOR", "fs/proc/base.c", '"pagemap"'],
  ["/proc/self/io", "TASK_IO_ACCOUNTING", "fs/proc/base.c", '"io"'],
  ["/proc/self/uid_map", "USER_NS", "fs/proc/base.c", '"uid_map"'],
  ["/proc/self/gid_map", "USER_NS", "fs/proc/base.c", '"gid_map"'],
  ["/proc/self/setgroups", "USER_NS", "fs/proc/base.c", '"setgroups"'],
  ["/proc/self/ns/net", "NET_NS", "fs/proc/namespaces.c", "netns_operations"],
  ["/proc/self/ns/uts", "UTS_NS", "fs/proc/namespaces.c", "utsns_operations"],
  ["/proc/self/ns/ipc", "IPC_NS", "fs/proc/namespaces.c", "ipcns_operations"],
  ["/proc/self/ns/pid", "PID_NS", "fs/proc/namespaces.c", "pidns_operations"],
  ["/proc/self/ns/user", "USER_NS", "fs/proc/namespaces.c", "userns_operations"],
  ["/sys", "SYSFS", "fs/sysfs/mount.c", '"sysfs"'],
  ["/sys/fs/cgroup", "CGROUPS", "kernel/cgroup/cgroup.c", '"cgroup"'],
  ["/sys/fs/bpf", "BPF_SYSCALL", "kernel/bpf/inode.c", '"bpf"'],
  ["/sys/kernel/debug", "DEBUG_FS", "fs/debugfs/inode.c", '"debug"'],
  ["/sys/kernel/tracing", "TRACING", "fs/tracefs/inode.c", '"tracing"'],
  ["/sys/kernel/security", "SECURITYFS", "security/inode.c", '"security"'],
  ["/sys/kernel/mm/ksm", "KSM", "mm/ksm.c", '"ksm"'],
  ["/sys/kernel/mm/hugepages", "HUGETLBFS", "mm/hugetlb.c", '"hugepages"'],
  [
    "/sys/kernel/mm/transparent_hugepage",
    "TRANSPARENT_HUGEPAGE",
    "mm/huge_memory.c",
    '"transparent_hugepage"',
  ],
  ["/sys/class/net", "NET", "net/core/net-sysfs.c", '"net"'],
  ["/sys/block", "BLOCK", "block/genhd.c", '"block"'],
  ["/dev/mqueue", "POSIX_MQUEUE", "ipc/mqueue.c", '"mqueue"'],
  ["/dev/shm", "TMPFS", "mm/shmem.c", '"tmpfs"'],
  ["/dev/hugepages", "HUGETLBFS", "fs/hugetlbfs/inode.c", '"hugetlbfs"'],
  ["/dev/ptmx", "UNIX98_PTYS", "drivers/tty/pty.c", "ptmx_cdev"],
  ["/dev/pts", "UNIX98_PTYS", "fs/devpts/inode.c", '"devpts"'],
  ["/dev/tty", "TTY", "drivers/tty/tty_io.c", '"/dev/tty"'],
  ["/dev/mem", "DEVMEM", "drivers/char/mem.c", '"mem"'],
  ["/dev/port", "DEVPORT", "drivers/char/mem.c", '"port"'],
  ["/dev/fuse", "FUSE_FS", "fs/fuse/dev.c", '"fuse"'],
  ["/dev/net/tun", "TUN", "drivers/net/tun.c", '"net/tun"'],
  ["/dev/vhost-net", "VHOST_NET", "drivers/vhost/net.c", '"vhost-net"'],
  ["/dev/loop", "BLK_DEV_LOOP", "drivers/block/loop.c", '"loop-control"'],
  ["/dev/loop-control", "BLK_DEV_LOOP", "drivers/block/loop.c", '"loop-control"'],
  ["/dev/mapper", "BLK_DEV_DM", "drivers/md/dm-ioctl.c", "DM_CONTROL_NODE"],
  ["/dev/hwrng", "HW_RANDOM", "drivers/char/hw_random/core.c", "RNG_MODULE_NAME"],
  ["/dev/rtc", "RTC_CLASS", "drivers/rtc/class.c", '"rtc"'],
  ["/dev/input", "INPUT_EVDEV", "drivers/input/evdev.c", '"event%d"'],
  ["/dev/watchdog", "WATCHDOG", "drivers/watchdog/watchdog_dev.c", '"watchdog"'],
]);

/** By bit, in the flags of clone, clone3, unshare and setns; include/uapi/linux/sched.h. */
export const NAMESPACE_RULES: readonly ArgumentRule[] = rules([
  ["80", "TIME_NS", "kernel/time/namespace.c", "CLONE_NEWTIME"],
  ["2000000", "CGROUPS", "kernel/cgroup/namespace.c", "CLONE_NEWCGROUP"],
  ["4000000", "UTS_NS", "kernel/utsname.c", "CLONE_NEWUTS"],
  ["8000000", "IPC_NS", "ipc/namespace.c", "CLONE_NEWIPC"],
  ["10000000", "USER_NS", "kernel/user_namespace.c", "CLONE_NEWUSER"],
  ["20000000", "PID_NS", "kernel/pid_namespace.c", "CLONE_NEWPID"],
  ["40000000", "NET_NS", "net/core/net_namespace.c", "CLONE_NEWNET"],
]);

/**
 * By call and number in hexadecimal: fcntl's and prctl's command, seccomp's operation, mmap's and memfd_create's flag, beside
 * which others may be.
 */
export const COMMAND_RULES: readonly (ArgumentRule & { readonly call: string })[] = [
  ...["5", "6", "7", "24", "25", "26", "400"].map((value) => ({
    call: "fcntl",
    value,
    symbol: "FILE_LOCKING",
    source: "fs/locks.c",
    text: "fcntl_setlk",
  })),
  {
    call: "fcntl",
    value: "402",
    symbol: "DNOTIFY",
    source: "fs/notify/dnotify/dnotify.c",
    text: "fcntl_dirnotify",
  },
  { call: "prctl", value: "16", symbol: "SECCOMP", source: "kernel/seccomp.c", text: "prctl_set_seccomp" },
  {
    call: "seccomp",
    value: "1",
    symbol: "SECCOMP_FILTER",
    source: "kernel/seccomp.c",
    text: "seccomp_set_mode_filter",
  },
  {
    call: "mmap",
    value: "40000",
    symbol: "HUGETLBFS",
    source: "fs/hugetlbfs/inode.c",
    text: "hugetlb_file_setup",
  },
  {
    call: "memfd_create",
    value: "4",
    symbol: "HUGETLBFS",
    source: "fs/hugetlbfs/inode.c",
    text: "hugetlb_file_setup",
  },
  { call: "madvise", value: "c", symbol: "KSM", source: "mm/ksm.c", text: "MADV_MERGEABLE" },
  {
    call: "madvise",
    value: "e",
    symbol: "TRANSPARENT_HUGEPAGE",
    source: "mm/khugepaged.c",
    text: "hugepage_madvise",
  },
];
