#include "trace.h"

#include <linux/sched.h>

/* Longer strings are cut: what matters is in front. */
static void read_string(int pid, uint64_t address, char *to, size_t size)
{
	size_t length = 0;
	while (address && length + 1 < size) {
		/* The system call, unlike libc's ptrace(3), puts the word where data points. */
		uint64_t word = 0;
		uint64_t aligned = address & ~7ull;
		if (sys_ptrace(PTRACE_PEEKDATA, pid, (long)aligned, &word) < 0)
			break;
		for (unsigned at = (unsigned)(address - aligned); at < 8 && length + 1 < size; at++) {
			char c = (char)(word >> (8 * at));
			if (!c) {
				to[length] = 0;
				return;
			}
			/* The line's own marks. */
			to[length++] = c == '\n' || c == '\t' || c == '\r' ? '?' : c;
		}
		address = aligned + 8;
	}
	to[length] = 0;
}

static char *add_hex(char *to, uint64_t value)
{
	int shift = 60;
	while (shift && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[value >> shift & 15];
	*to = 0;
	return to;
}

/* Numbers in hexadecimal with blanks between. */
static void numbers(struct task *task, const __u64 *values, int count)
{
	char *at = task->detail;
	for (int i = 0; i < count; i++) {
		if (i)
			*at++ = ' ';
		at = add_hex(at, values[i]);
	}
}

/* Only what the kernel itself makes: files of a disk need nothing but what holds them. */
static void special_path(struct task *task, uint64_t address)
{
	read_string(task->pid, address, task->detail, DETAIL_SIZE);
	const char *path = task->detail;
	if (!text_starts(path, "/proc") && !text_starts(path, "/sys") && !text_starts(path, "/dev"))
		task->detail[0] = 0;
}

/* The device that a descriptor leads to, and the request. */
static void device_request(struct task *task, uint64_t fd, uint64_t request)
{
	char link[64] = "/proc/", number[24], name[24];
	char target[DETAIL_SIZE - 24];
	char *end = number + sizeof number - 1;
	*end = 0;
	for (unsigned pid = (unsigned)task->pid; pid; pid /= 10)
		*--end = (char)('0' + pid % 10);
	char *at = name + sizeof name - 1;
	*at = 0;
	do
		*--at = (char)('0' + fd % 10);
	while (fd /= 10);
	text_join(link, sizeof link, "/proc/", end, "/fd/");
	text_join(link + strlen(link), sizeof link - strlen(link), at, "", "");
	long length = SYS4(__NR_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
	if (length <= 0)
		return;
	target[length] = 0;
	if (!text_starts(target, "/dev/"))
		return;
	char hex[20];
	add_hex(hex, request & 0xffffffffu);
	text_join(task->detail, DETAIL_SIZE, target, " ", hex);
}

void detail_of(struct task *task, const __u64 args[6])
{
	task->detail[0] = 0;
	/* Another table of numbers: none of those below. */
	if (task->foreign)
		return;
	switch (task->number) {
#ifdef __NR_open
	case __NR_open:
	case __NR_stat:
	case __NR_lstat:
	case __NR_access:
	case __NR_readlink:
#endif
	case __NR_chdir:
	case __NR_statfs:
		special_path(task, args[0]);
		break;
	case __NR_openat:
	case __NR_openat2:
	case __NR_newfstatat:
	case __NR_statx:
	case __NR_faccessat:
	case __NR_faccessat2:
	case __NR_readlinkat:
	case __NR_inotify_add_watch:
		special_path(task, args[1]);
		break;
	case __NR_execve:
	case __NR_fsopen:
		read_string(task->pid, args[0], task->detail, DETAIL_SIZE);
		break;
	case __NR_mount:
		read_string(task->pid, args[2], task->detail, DETAIL_SIZE);
		break;
	case __NR_ioctl:
		device_request(task, args[0], args[1]);
		break;
	case __NR_clone3: {
		/* struct clone_args begins with the flags. */
		__u64 flags = 0;
		sys_ptrace(PTRACE_PEEKDATA, task->pid, (long)args[0], &flags);
		numbers(task, &flags, 1);
		break;
	}
	case __NR_socket:
	case __NR_socketpair:
		numbers(task, args, 3);
		break;
	case __NR_mmap: {
		const __u64 huge = args[3] & 0x40000; /* MAP_HUGETLB */
		if (huge)
			numbers(task, &huge, 1);
		break;
	}
	case __NR_clone: {
		/* Without the signal at its end. */
		const __u64 flags = args[0] & ~0xffull;
		numbers(task, &flags, 1);
		break;
	}
	case __NR_unshare:
	case __NR_prctl:
	case __NR_seccomp:
	case __NR_bpf:
	case __NR_timer_create:
	case __NR_clock_gettime:
		numbers(task, args, 1);
		break;
	case __NR_setns:
	case __NR_fcntl:
	case __NR_memfd_create:
		numbers(task, args + 1, 1);
		break;
	case __NR_madvise:
		numbers(task, args + 2, 1);
		break;
	}
}
