/** What the C library's functions ask of the kernel, where that is not a system call of the same name. */

/** A system call, and what decides what it needs, as a traced one's detail has it. */
export interface ImpliedCall {
  readonly call: string;
  readonly detail: string;
}

// Function names, then `call` or `call:detail`. glibc 2.36, as its sources have them; musl does the same.
const FUNCTIONS: readonly (readonly [functions: string, calls: string])[] = [
  ["pthread_create thrd_create", "clone3 futex"],
  [
    "pthread_mutex_lock pthread_cond_wait pthread_cond_timedwait pthread_rwlock_rdlock pthread_rwlock_wrlock",
    "futex",
  ],
  ["pthread_join sem_wait sem_timedwait sem_post mtx_lock cnd_wait", "futex"],
  ["sem_open shm_open", "openat:/dev/shm"],
  ["posix_openpt getpt openpty forkpty", "openat:/dev/ptmx"],
  ["syslog vsyslog openlog", "socket:1"],
  ["getaddrinfo gethostbyname gethostbyname_r gethostbyaddr res_query res_search __res_nquery", "socket:2"],
  ["getifaddrs if_nameindex", "socket:10"],
  ["eventfd", "eventfd2"],
  ["signalfd", "signalfd4"],
  ["lockf", "fcntl:6"],
  ["posix_fadvise", "fadvise64"],
  ["posix_madvise", "madvise"],
  ["seteuid", "setresuid"],
  ["setegid", "setresgid"],
  ["initgroups", "setgroups"],
  ["send", "sendto"],
  ["recv", "recvfrom"],
  ["mq_send", "mq_timedsend"],
  ["mq_receive", "mq_timedreceive"],
  ["mq_getattr mq_setattr", "mq_getsetattr"],
  ["semop", "semtimedop"],
  ["klogctl", "syslog"],
  ["adjtimex ntp_adjtime adjtime", "clock_adjtime"],
  ["ualarm", "setitimer"],
];

const BY_NAME = new Map(
  FUNCTIONS.flatMap(([functions, calls]) => {
    const implied = calls.split(" ").map((one): ImpliedCall => {
      const [call = "", detail = ""] = one.split(":");
      return { call, detail };
    });
    return functions.split(" ").map((name) => [name, implied] as const);
  }),
);

/**
 * The system calls that a function of the C library stands for; none for one that makes none of its own.
 *
 * @param known the names of all system calls, since most functions have the name of theirs.
 */
export function callsOfFunction(name: string, known: ReadonlySet<string>): readonly ImpliedCall[] {
  // open64 is open with another type, and __poll_chk is poll with a check.
  const plain = name.replace(/^_+/, "").replace(/(?:64|_chk)$/, "");
  const special = BY_NAME.get(plain);
  if (special !== undefined) return special;
  return known.has(plain) ? [{ call: plain, detail: "" }] : [];
}
