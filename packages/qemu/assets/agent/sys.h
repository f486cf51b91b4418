/* System calls by name, each returning a negative errno on failure. No libc: the types that user space shares with
   the kernel come from its uapi headers. Only calls that every Linux machine has. */
#ifndef AGENT_SYS_H
#define AGENT_SYS_H

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(AGENT_HOSTED)
#include "arch/hosted.h"
#elif defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/arm64.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "arch/riscv64.h"
#else
#error "the agent has no system call layer for this machine yet; see arch/"
#endif

typedef struct __kernel_timespec timespec;

/* include/linux/dirent.h and include/linux/signal_types.h; neither is exported to user space. */
struct dirent64 {
	uint64_t ino;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SIGNAL_BIT(number) (1ull << ((number) - 1))
#define CLOCK_REALTIME_ID 0
#define CLOCK_MONOTONIC_ID 1
#define WAIT_NOHANG 1

#define SYS0(n) raw_syscall(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) raw_syscall(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) raw_syscall(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) raw_syscall(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) raw_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) raw_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static inline long sys_open(const char *path, int flags, int mode)
{
	return SYS4(__NR_openat, AT_FDCWD, path, flags, mode);
}
static inline void sys_close(int fd)
{
	if (fd >= 0)
		SYS1(__NR_close, fd);
}
static inline long sys_read(int fd, void *data, size_t size) { return SYS3(__NR_read, fd, data, size); }
static inline long sys_write(int fd, const void *data, size_t size) { return SYS3(__NR_write, fd, data, size); }
static inline long sys_ioctl(int fd, unsigned long request, const void *argument)
{
	return SYS3(__NR_ioctl, fd, request, argument);
}
static inline long sys_access(const char *path) { return SYS3(__NR_faccessat, AT_FDCWD, path, 0); }
static inline void __attribute__((noreturn)) sys_exit(int status)
{
	for (;;)
		SYS1(__NR_exit_group, status);
}

/* util.c */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
size_t strlen(const char *text);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
/* "a" "b" joined into to, which has size bytes; what does not fit is cut. */
void text_join(char *to, size_t size, const char *a, const char *b, const char *c);
/* A number in the base, up to the first other character. */
unsigned long text_number(const char *text, unsigned base);
uint64_t monotonic_ns(void);
void sleep_ms(long milliseconds);
long set_signal(int number, void (*handler)(int));
/* The start of a file as text, without its last newline; its length or a negative errno. */
long read_text(const char *path, char *to, size_t size);
/* Calls visit with each name in a directory until it returns true, which is then the result. */
bool each_name(const char *directory, bool (*visit)(const char *name, void *context), void *context);

#endif
