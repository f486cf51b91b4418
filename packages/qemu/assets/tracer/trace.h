/* What the tracer sees of a program: its system calls, each kind told once. */
#ifndef TRACER_TRACE_H
#define TRACER_TRACE_H

#include "../agent/sys.h"

#include <linux/ptrace.h>

#define DETAIL_SIZE 224

/* A process or thread under trace, between the entry to a system call and its result. */
struct task {
	int pid;
	bool inside, foreign;
	uint64_t number;
	char detail[DETAIL_SIZE];
};

/* detail.c: the arguments that decide what a call needs of the kernel, as text; "" for most calls. */
void detail_of(struct task *task, const __u64 args[6]);

/* record.c */
void record_to(int fd);
/* One line for each call, result and detail that was not there before. */
void record(const struct task *task, int64_t result);
/* The last line: that nothing is missing, or how many lines there was no room for. */
void record_end(void);

static inline long sys_ptrace(long request, int pid, long address, const void *data)
{
	return SYS4(__NR_ptrace, request, pid, address, data);
}

#endif
