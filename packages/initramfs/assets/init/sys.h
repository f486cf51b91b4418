/* System calls by name, each returning a negative errno on failure. No libc: the types that user space
   shares with the kernel come from its uapi headers; the few that these leave to libc are spelled out here. */
#ifndef INIT_SYS_H
#define INIT_SYS_H

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/reboot.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/utsname.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/arm64.h"
#elif defined(__riscv)
#include "arch/riscv64.h"
#else
#error "/init has no system call layer for this machine yet; see arch/"
#endif

typedef struct __kernel_timespec timespec;

/* include/uapi/linux/dirent.h is not exported; this is struct linux_dirent64 of include/linux/dirent.h. */
struct dirent64 {
	uint64_t ino;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* struct sigaction as rt_sigaction(2) takes it (include/linux/signal_types.h), not libc's. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SIGNAL_BIT(number) (1ull << ((number) - 1))

#define SYS0(n) raw_syscall(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) raw_syscall(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) raw_syscall(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) raw_syscall(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) raw_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) raw_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) \
	raw_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Only the calls that every Linux machine has (no open, fork, poll: arm64 and riscv64 lack them). */
static inline long sys_open(const char *path, int flags, int mode)
{
	return SYS4(__NR_openat, AT_FDCWD, path, flags, mode);
}
static inline long sys_close(int fd) { return SYS1(__NR_close, fd); }
static inline long sys_read(int fd, void *data, size_t size) { return SYS3(__NR_read, fd, data, size); }
static inline long sys_write(int fd, const void *data, size_t size) { return SYS3(__NR_write, fd, data, size); }
static inline long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return SYS3(__NR_ioctl, fd, request, argument);
}
static inline long sys_mkdir(const char *path, int mode) { return SYS3(__NR_mkdirat, AT_FDCWD, path, mode); }
static inline long sys_mknod(const char *path, int mode, int major, int minor)
{
	return SYS4(__NR_mknodat, AT_FDCWD, path, mode, (major << 8) | minor);
}
static inline long sys_symlink(const char *to, const char *path)
{
	return SYS3(__NR_symlinkat, to, AT_FDCWD, path);
}
static inline long sys_access(const char *path, int mode) { return SYS3(__NR_faccessat, AT_FDCWD, path, mode); }
static inline long sys_statx(const char *path, struct statx *result)
{
	return SYS5(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE | STATX_MODE, result);
}
static inline long sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
			     const char *data)
{
	return SYS5(__NR_mount, source, target, type, flags, data);
}
static inline long sys_dup3(int from, int to) { return SYS3(__NR_dup3, from, to, 0); }
static inline long sys_pipe(int fds[2], int flags) { return SYS2(__NR_pipe2, fds, flags); }
static inline long sys_fork(void) { return SYS5(__NR_clone, SIGCHLD, 0, 0, 0, 0); }
static inline long sys_setsid(void) { return SYS0(__NR_setsid); }
static inline long sys_chdir(const char *path) { return SYS1(__NR_chdir, path); }
static inline long sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return SYS3(__NR_execve, path, argv, envp);
}
static inline void __attribute__((noreturn)) sys_exit(int status)
{
	for (;;)
		SYS1(__NR_exit_group, status);
}
static inline long sys_wait(int *status, int options) { return SYS4(__NR_wait4, -1, status, options, 0); }
static inline long sys_kill(int pid, int signal) { return SYS2(__NR_kill, pid, signal); }
static inline long sys_ppoll(void *fds, unsigned count, const timespec *timeout, const uint64_t *mask)
{
	return SYS5(__NR_ppoll, fds, count, timeout, mask, sizeof *mask);
}
static inline long sys_getpid(void) { return SYS0(__NR_getpid); }
static inline long sys_uname(struct new_utsname *result) { return SYS1(__NR_uname, result); }
static inline void sys_sync(void) { SYS0(__NR_sync); }

/* util.c */
uint64_t monotonic_ns(void);
void sleep_ms(long milliseconds);
long write_all(int fd, const void *data, size_t size);
long set_signal(int number, void (*handler)(int));

#define CLOCK_MONOTONIC_ID 1
#define WAIT_NOHANG 1

#endif
