#include "program.h"

enum {
	MAX_WORDS = 4096,
	PIPE_SIZE = 1 << 20,
	CLOSE_ON_EXEC = 4, /* CLOSE_RANGE_CLOEXEC of include/uapi/linux/close_range.h */
};

const char *record_find(const char *records, size_t length, const char *key)
{
	for (size_t at = 0; at < length; at += strlen(records + at) + 1)
		if (text_starts(records + at, key))
			return records + at + strlen(key);
	return NULL;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && *a != '=' && *a == *b)
		a++, b++;
	return *a == '=' && *b == '=';
}

/* The words of a program and its environment, in tables that only the child fills. */
static char *argv[MAX_WORDS + 1], *envp[MAX_WORDS + 1];

static long collect(char *records, size_t length)
{
	static char *const defaults[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
					 "TERM=linux"};
	unsigned args = 0, envs = 0;
	for (unsigned i = 0; i < sizeof defaults / sizeof *defaults; i++)
		envp[envs++] = defaults[i];
	for (size_t at = 0; at < length; at += strlen(records + at) + 1) {
		char *record = records + at;
		if (args == MAX_WORDS || envs == MAX_WORDS)
			return -E2BIG;
		if (text_starts(record, "arg=")) {
			argv[args++] = record + 4;
		} else if (text_starts(record, "env=")) {
			unsigned slot = 0;
			while (slot < envs && !same_name(envp[slot], record + 4))
				slot++;
			envp[slot] = record + 4;
			envs += slot == envs;
		}
	}
	argv[args] = envp[envs] = NULL;
	return args ? 0 : -EINVAL;
}

/* As execvp(3) does: the first that can be executed; what it says of one that exists goes before "not found". */
static long execute(void)
{
	const char *path = "";
	for (unsigned i = 0; envp[i]; i++)
		if (text_starts(envp[i], "PATH="))
			path = envp[i] + 5;
	for (const char *at = argv[0]; *at; at++)
		if (*at == '/')
			return SYS3(__NR_execve, argv[0], argv, envp);
	long error = -ENOENT;
	if (!*argv[0])
		return error;
	while (*path) {
		char directory[512], file[1024];
		size_t length = 0;
		for (; *path && *path != ':'; path++)
			if (length + 1 < sizeof directory)
				directory[length++] = *path;
		path += *path == ':';
		directory[length] = 0;
		text_join(file, sizeof file, directory, "/", argv[0]);
		long result = SYS3(__NR_execve, file, argv, envp);
		if (result != -ENOENT && result != -ENOTDIR)
			error = result;
	}
	return error;
}

static void __attribute__((noreturn)) child(char *records, size_t length, const int fds[3], int report)
{
	const uint64_t none = 0;
	SYS0(__NR_setsid);
	/* The three may have any numbers, even 0 to 2: copies above come first, so that none is written over. */
	int high[3];
	long error = 0;
	for (int i = 0; i < 3; i++)
		high[i] = (int)SYS3(__NR_fcntl, fds[i], F_DUPFD_CLOEXEC, 10);
	int high_report = (int)SYS3(__NR_fcntl, report, F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 3 && error >= 0; i++)
		error = SYS3(__NR_dup3, high[i], i, 0);
	/* What the agent itself was given stays with it; a kernel before 5.11 lacks the call. */
	SYS3(__NR_close_range, 3, ~0u, CLOSE_ON_EXEC);
	const char *cwd = record_find(records, length, "cwd=");
	if (error >= 0)
		error = SYS1(__NR_chdir, cwd ? cwd : "/");
	/* A shell that started the agent with "&" had it ignore some. */
	for (int signal = 1; signal <= 64; signal++)
		set_signal(signal, SIG_DFL);
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
	if (error >= 0)
		error = collect(records, length);
	if (error >= 0)
		error = execute();
	sys_write(high_report, &error, sizeof error);
	sys_exit(127);
}

static void close_pair(int pair[2])
{
	sys_close(pair[0]);
	sys_close(pair[1]);
}

long program_start(struct program *program, const char *records, size_t length)
{
	/* One pair each for input, output, errors, and for what goes wrong before the program runs. */
	int pairs[4][2];
	for (int i = 0; i < 4; i++) {
		long error = SYS2(__NR_pipe2, pairs[i], O_CLOEXEC);
		if (error) {
			while (i--)
				close_pair(pairs[i]);
			return error;
		}
	}
	if (record_find(records, length, "stdin=null")) {
		sys_close(pairs[0][1]);
		pairs[0][1] = -1;
		/* Without a /dev: the pipe, which has ended. */
		long null = sys_open("/dev/null", O_RDONLY | O_CLOEXEC, 0);
		if (null >= 0) {
			sys_close(pairs[0][0]);
			pairs[0][0] = (int)null;
		}
	}
	SYS3(__NR_fcntl, pairs[1][0], F_SETPIPE_SZ, PIPE_SIZE);
	long pid = SYS5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		const int fds[3] = {pairs[0][0], pairs[1][1], pairs[2][1]};
		/* A copy of its own, as the child's memory is: records may be changed by what reads them. */
		child((char *)records, length, fds, pairs[3][1]);
	}
	sys_close(pairs[0][0]);
	sys_close(pairs[1][1]);
	sys_close(pairs[2][1]);
	sys_close(pairs[3][1]);
	long error = pid < 0 ? pid : 0;
	/* Ends with the successful execve(2), which closes the other end. */
	if (pid > 0)
		while (sys_read(pairs[3][0], &error, sizeof error) == -EINTR)
			;
	sys_close(pairs[3][0]);
	if (error) {
		sys_close(pairs[0][1]);
		sys_close(pairs[1][0]);
		sys_close(pairs[2][0]);
		return error;
	}
	const int ours[3] = {pairs[0][1], pairs[1][0], pairs[2][0]};
	for (int i = 0; i < 3; i++)
		SYS3(__NR_fcntl, ours[i], F_SETFL, O_NONBLOCK);
	*program = (struct program){(int)pid, ours[0], ours[1], ours[2]};
	return 0;
}
