#include "report.h"
#include "channel.h"

#define SETTLE_MS 300
/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000ul

struct snapshot {
	const char *name;
	const char *path; /* NULL: not a file */
	struct bytes bytes;
	uint64_t at;
};

static struct snapshot snapshots[] = {
	{"/proc/version", "/proc/version", {0}, 0},
	{"/proc/meminfo", "/proc/meminfo", {0}, 0},
	{"/proc/modules", "/proc/modules", {0}, 0},
	{"/proc/uptime", "/proc/uptime", {0}, 0},
	{"/proc/cmdline", "/proc/cmdline", {0}, 0},
	{"processes", NULL, {0}, 0},
	{"stat.0", "/proc/stat", {0}, 0},
	{"interrupts.0", "/proc/interrupts", {0}, 0},
	{"stat.1", "/proc/stat", {0}, 0},
	{"interrupts.1", "/proc/interrupts", {0}, 0},
};
#define PROCESSES 5
#define WINDOW_START 6
#define WINDOW_END 8
#define ALL (sizeof snapshots / sizeof *snapshots)

static enum { IDLE, SETTLING, MEASURING } state;
static uint64_t deadline;
static long window;

/* "pid (comm) state ppid pgrp session tty_nr tpgid flags ..." of proc(5) becomes "pid ppid kthread state comm".
   The name may hold spaces and parentheses; the last ")" ends it. */
static void add_process(struct bytes *to, char *stat)
{
	char *name = (char *)text_find(stat, '('), *end = NULL;
	if (!name)
		return;
	for (char *c = name; *c; c++)
		if (*c == ')')
			end = c;
	if (!end || !end[1] || !end[2])
		return;
	*end = 0;
	char state = end[2];
	const char *rest = end + 3;
	unsigned long fields[6] = {0}; /* ppid pgrp session tty_nr tpgid flags */
	for (int i = 0; i < 6; i++) {
		while (*rest == ' ' || *rest == '-')
			rest++;
		fields[i] = text_number(rest, &rest);
	}
	for (char *c = name + 1; *c; c++)
		if (*c == '\n')
			*c = '?';
	TEXT(line, 160);
	text_add(&line, "%lu %lu %d %c %s\n", text_number(stat, NULL), fields[0], (fields[5] & PF_KTHREAD) != 0,
		 state, name + 1);
	bytes_append(to, line.data, line.length);
}

static void read_processes(struct bytes *to)
{
	static char buffer[4096];
	long fd = sys_open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	long got;
	while ((got = SYS3(__NR_getdents64, fd, buffer, sizeof buffer)) > 0) {
		for (long at = 0; at < got;) {
			struct dirent64 *entry = (struct dirent64 *)(buffer + at);
			at += entry->length;
			if (entry->name[0] < '1' || entry->name[0] > '9')
				continue;
			TEXT(path, 48);
			struct bytes stat = {0};
			text_add(&path, "/proc/%s/stat", entry->name);
			/* It may have ended since: then it is no process any more. */
			if (bytes_read_file(&stat, path.data) == 0 && stat.length)
				add_process(to, stat.data);
			bytes_free(&stat);
		}
	}
	sys_close((int)fd);
}

static void take(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct snapshot *snapshot = &snapshots[i];
		snapshot->at = monotonic_ns();
		if (snapshot->path)
			bytes_read_file(&snapshot->bytes, snapshot->path);
		else
			read_processes(&snapshot->bytes);
	}
}

static void send_all(void)
{
	for (size_t i = 0; i < ALL; i++) {
		struct snapshot *snapshot = &snapshots[i];
		/* A kernel without modules has no /proc/modules; an absent file is an absent frame. */
		if (snapshot->bytes.data) {
			TEXT(head, 96);
			text_add(&head, "{\"name\":\"%s\",\"monotonic_ns\":%lu}\n", snapshot->name, snapshot->at);
			channel_frame("file", head.data, head.length, snapshot->bytes.data, snapshot->bytes.length);
		}
		bytes_free(&snapshot->bytes);
	}
	channel_send("report-end", "{\"window_ms\":%ld,\"monotonic_ns\":%lu}", window, monotonic_ns());
}

void report_begin(long window_ms)
{
	if (state != IDLE)
		return;
	window = window_ms;
	take(0, WINDOW_START);
	/* What was sent just before must have left the serial port: its interrupts are ours, not the system's. */
	channel_drain();
	state = SETTLING;
	deadline = monotonic_ns() + SETTLE_MS * 1000000ull;
}

bool report_running(void)
{
	return state != IDLE;
}

uint64_t report_deadline(void)
{
	return deadline;
}

void report_step(void)
{
	if (state == IDLE || monotonic_ns() < deadline)
		return;
	if (state == SETTLING) {
		take(WINDOW_START, WINDOW_END);
		state = MEASURING;
		deadline = snapshots[WINDOW_START].at + (uint64_t)window * 1000000ull;
		return;
	}
	take(WINDOW_END, ALL);
	send_all();
	state = IDLE;
}
