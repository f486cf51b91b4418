/* Runs a program and tells which system calls it and all that it starts make:

       /tracer DEVICE PROGRAM [ARGUMENT…]

   Lines go to the device; the program's exit status becomes the tracer's. ptrace(2) is in every kernel. */
#define AGENT_DEFINE_ENTRY
#include "trace.h"

#define TASKS 4096
#define WAIT_ALL 0x40000000 /* __WALL: threads too */

#if defined(__x86_64__)
#define OWN_ARCH 0xc000003eu
#elif defined(__aarch64__)
#define OWN_ARCH 0xc00000b7u
#else
#define OWN_ARCH 0xc00000f3u
#endif

static struct task tasks[TASKS];

static struct task *task_of(int pid, bool *is_new)
{
	struct task *free = NULL;
	*is_new = false;
	for (int i = 0; i < TASKS; i++) {
		if (tasks[i].pid == pid)
			return &tasks[i];
		if (!free && !tasks[i].pid)
			free = &tasks[i];
	}
	*is_new = true;
	if (free) {
		memset(free, 0, sizeof *free);
		free->pid = pid;
	}
	return free;
}

static void syscall_stop(struct task *task)
{
	struct ptrace_syscall_info info;
	if (sys_ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		task->inside = true;
		task->foreign = info.arch != OWN_ARCH;
		task->number = info.entry.nr;
		detail_of(task, info.entry.args);
		/* It has no exit. */
		if (!task->foreign && (task->number == __NR_exit_group || task->number == __NR_exit))
			record(task, 0);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->inside) {
		task->inside = false;
		record(task, info.exit.is_error ? info.exit.rval : 0);
	}
}

/* The signal that the task is to get when it goes on. */
static long stopped(struct task *task, int status, bool is_new)
{
	const int signal = status >> 8 & 0xff;
	if (signal == (SIGTRAP | 0x80)) {
		if (task)
			syscall_stop(task);
		return 0;
	}
	if (status >> 16)
		return 0; /* a child was made, or a program loaded: the child stops by itself */
	if (signal == SIGSTOP && is_new)
		return 0; /* the first stop of every child */
	return signal;
}

static void __attribute__((noreturn)) start(char **argv, char **envp)
{
	char path[256];
	sys_ptrace(PTRACE_TRACEME, 0, 0, NULL);
	SYS2(__NR_kill, SYS0(__NR_getpid), SIGSTOP);
	const char *search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	bool plain = true;
	for (const char *c = argv[0]; *c; c++)
		plain = plain && *c != '/';
	for (char **variable = envp; *variable; variable++)
		if (text_starts(*variable, "PATH="))
			search = *variable + 5;
	if (!plain)
		SYS3(__NR_execve, argv[0], argv, envp);
	while (plain && *search) {
		size_t length = 0;
		while (search[length] && search[length] != ':')
			length++;
		if (length + strlen(argv[0]) + 2 <= sizeof path) {
			memcpy(path, search, length);
			path[length] = '/';
			memcpy(path + length + 1, argv[0], strlen(argv[0]) + 1);
			SYS3(__NR_execve, path, argv, envp);
		}
		search += length + (search[length] == ':');
	}
	sys_exit(127);
}

static int follow(int program)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, result = 1;
	bool options_set = false;
	for (;;) {
		long pid = SYS4(__NR_wait4, -1, &status, WAIT_ALL, NULL);
		if (pid == -EINTR)
			continue;
		if (pid < 0)
			return result;
		bool is_new;
		struct task *task = task_of((int)pid, &is_new);
		if ((status & 0xff) != 0x7f) {
			if (pid == program)
				result = status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
			if (task)
				task->pid = 0;
			continue;
		}
		if (!options_set)
			options_set = sys_ptrace(PTRACE_SETOPTIONS, (int)pid, 0, (const void *)options) == 0;
		const long signal = stopped(task, status, is_new);
		sys_ptrace(PTRACE_SYSCALL, (int)pid, 0, (const void *)signal);
	}
}

void __attribute__((noreturn, used)) agent_start(long *stack)
{
	const long argc = stack[0];
	char **argv = (char **)(stack + 1);
	if (argc < 3)
		sys_exit(2);
	/* Without a carrier it must not hold up the open. */
	long port = sys_open(argv[1], O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (port < 0)
		sys_exit(126);
	const long program = SYS5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	if (program == 0)
		start(argv + 2, argv + argc + 1);
	/* They are for the program; when it has ended, so has the tracer. */
	set_signal(SIGTERM, SIG_IGN);
	set_signal(SIGINT, SIG_IGN);
	set_signal(SIGHUP, SIG_IGN);
	record_to((int)port);
	const int result = program < 0 ? 1 : follow((int)program);
	record_end();
	sys_exit(result);
}
