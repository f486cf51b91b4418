/** Which system calls exist only with which option. */

/** Calls that a kernel has if this symbol is on. */
export interface SyscallRule {
  readonly symbol: string;
  readonly calls: readonly string[];
  /** Where they are defined, in the kernel's tree; what is built conditionally, or stands between #ifdef and #endif. */
  readonly source: string;
}

const rule = (symbol: string, source: string, calls: string): SyscallRule => ({
  symbol,
  source,
  calls: calls.split(" "),
});

/** Checked against the trees of 6.1 and 6.12 by test/footprint-rules.test.ts: kernel/sys_ni.c, Makefiles and #ifdef. */
export const SYSCALL_RULES: readonly SyscallRule[] = [
  rule("AIO", "fs/aio.c", "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents"),
  rule("IO_URING", "io_uring/io_uring.c", "io_uring_setup io_uring_enter"),
  rule("EVENTFD", "fs/eventfd.c", "eventfd eventfd2"),
  rule("EPOLL", "fs/eventpoll.c", "epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2"),
  rule(
    "INOTIFY_USER",
    "fs/notify/inotify/inotify_user.c",
    "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch",
  ),
  rule("FANOTIFY", "fs/notify/fanotify/fanotify_user.c", "fanotify_init fanotify_mark"),
  rule("SIGNALFD", "fs/signalfd.c", "signalfd signalfd4"),
  rule("TIMERFD", "fs/timerfd.c", "timerfd_create timerfd_settime timerfd_gettime"),
  rule("BLOCK", "block/ioprio.c", "ioprio_set ioprio_get"),
  rule("FILE_LOCKING", "fs/locks.c", "flock"),
  rule("QUOTACTL", "fs/quota/quota.c", "quotactl quotactl_fd"),
  rule("BSD_PROCESS_ACCT", "kernel/acct.c", "acct"),
  rule("MULTIUSER", "kernel/capability.c", "capget capset"),
  rule(
    "MULTIUSER",
    "kernel/sys.c",
    "setregid setgid setreuid setuid setresuid getresuid setresgid getresgid setfsuid setfsgid",
  ),
  rule("MULTIUSER", "kernel/groups.c", "getgroups setgroups"),
  rule(
    "FUTEX",
    "kernel/futex/syscalls.c",
    "futex set_robust_list get_robust_list futex_waitv futex_wake futex_wait futex_requeue",
  ),
  rule("KEXEC", "kernel/kexec.c", "kexec_load"),
  rule("KEXEC_FILE", "kernel/kexec_file.c", "kexec_file_load"),
  rule("MODULES", "kernel/module/main.c", "init_module finit_module delete_module"),
  rule("PRINTK", "kernel/printk/printk.c", "syslog"),
  rule(
    "POSIX_MQUEUE",
    "ipc/mqueue.c",
    "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
  ),
  rule("SYSVIPC", "ipc/msg.c", "msgget msgctl msgrcv msgsnd"),
  rule("SYSVIPC", "ipc/sem.c", "semget semctl semop semtimedop"),
  rule("SYSVIPC", "ipc/shm.c", "shmget shmctl shmat shmdt"),
  rule(
    "NET",
    "net/socket.c",
    "socket socketpair bind listen accept accept4 connect getsockname getpeername setsockopt getsockopt sendto " +
      "shutdown recvfrom sendmsg recvmsg sendmmsg recvmmsg",
  ),
  rule("KEYS", "security/keys/keyctl.c", "add_key request_key keyctl"),
  rule(
    "SECURITY_LANDLOCK",
    "security/landlock/syscalls.c",
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  ),
  rule("SECURITY", "security/lsm_syscalls.c", "lsm_get_self_attr lsm_set_self_attr lsm_list_modules"),
  rule("ADVISE_SYSCALLS", "mm/madvise.c", "madvise process_madvise"),
  rule("ADVISE_SYSCALLS", "mm/fadvise.c", "fadvise64"),
  rule("SWAP", "mm/swapfile.c", "swapon swapoff"),
  rule("NUMA", "mm/mempolicy.c", "mbind get_mempolicy set_mempolicy migrate_pages set_mempolicy_home_node"),
  rule("MIGRATION", "mm/migrate.c", "move_pages"),
  rule("CACHESTAT_SYSCALL", "mm/filemap.c", "cachestat"),
  rule("PERF_EVENTS", "kernel/events/core.c", "perf_event_open"),
  rule(
    "POSIX_TIMERS",
    "kernel/time/posix-timers.c",
    "timer_create timer_gettime timer_getoverrun timer_settime timer_delete clock_adjtime",
  ),
  rule("POSIX_TIMERS", "kernel/time/itimer.c", "getitimer setitimer alarm"),
  rule("FHANDLE", "fs/fhandle.c", "name_to_handle_at open_by_handle_at"),
  rule("CROSS_MEMORY_ATTACH", "mm/process_vm_access.c", "process_vm_readv process_vm_writev"),
  rule("KCMP", "kernel/kcmp.c", "kcmp"),
  rule("SECCOMP", "kernel/seccomp.c", "seccomp"),
  // MEMFD_CREATE itself cannot be asked for: it is on with tmpfs or hugetlbfs (fs/Kconfig).
  rule("MEMFD_CREATE", "mm/memfd.c", "memfd_create"),
  rule("BPF_SYSCALL", "kernel/bpf/syscall.c", "bpf"),
  rule("USERFAULTFD", "fs/userfaultfd.c", "userfaultfd"),
  rule("MEMBARRIER", "kernel/sched/membarrier.c", "membarrier"),
  rule("RSEQ", "kernel/rseq.c", "rseq"),
  rule("SECRETMEM", "mm/secretmem.c", "memfd_secret"),
  rule("MODIFY_LDT_SYSCALL", "arch/x86/kernel/ldt.c", "modify_ldt"),
  rule("SYSFS_SYSCALL", "fs/filesystems.c", "sysfs"),
];
