#include "program.h"
#include "channel.h"
#include "console.h"

#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

/* 0 and the path to execute, or a negative errno: POSIX "Command Search and Execution". */
static long find(const struct config *config, const char *name, struct text *path)
{
	const char *directories = "";
	struct statx stat;
	long best = -ENOENT;
	for (int i = 0; i < config->env_count; i++)
		if (text_starts(config->env[i], "PATH="))
			directories = config->env[i] + 5;
	if (text_find(name, '/')) {
		text_add(path, "%s", name);
		return sys_statx(name, &stat);
	}
	for (const char *at = directories; *at;) {
		path->length = 0;
		path->data[0] = 0;
		while (*at && *at != ':')
			text_add(path, "%c", *at++);
		at += *at == ':';
		text_add(path, "/%s", name);
		if (sys_statx(path->data, &stat) || (stat.stx_mode & S_IFMT) != S_IFREG)
			continue;
		if (stat.stx_mode & 0111)
			return 0;
		best = -EACCES;
	}
	return best;
}

/* execve(2) says ENOENT also when the file is there but the program that should run it is not. */
static void explain(struct text *why, const char *path, long error)
{
	char head[128] = {0};
	struct statx stat;
	if (error != -ENOENT || sys_statx(path, &stat)) {
		text_add(why, "%s", error_text(error));
		return;
	}
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		sys_read((int)fd, head, sizeof head - 1);
		sys_close((int)fd);
	}
	if (!text_starts(head, "#!")) {
		text_add(why, "its dynamic loader is missing");
		return;
	}
	char *name = head + 2;
	while (*name == ' ' || *name == '\t')
		name++;
	char *end = name;
	while (*end > ' ')
		end++;
	bool carriage_return = *end == '\r';
	*end = 0;
	text_add(why, "its interpreter \"%s\" is missing%s", name,
		 carriage_return ? " (the first line ends in a carriage return)" : "");
}

static void cannot_run(struct program *program, const char *name, const char *path, long error)
{
	TEXT(why, 256);
	explain(&why, path, error);
	fail(error, name, "cannot run \"%s\": %s", name, why.data);
	program->ended = true;
	program->wait_status = (error == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE) << 8;
}

/* Our end is returned, *theirs set: a pseudo terminal, or a pipe where the kernel has none. */
static int open_pump(int *theirs, bool raw)
{
	long master = sys_open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (master >= 0) {
		int unlock = 0;
		sys_ioctl((int)master, TIOCSPTLCK, &unlock);
		long slave = sys_ioctl((int)master, TIOCGPTPEER, (void *)(long)(O_RDWR | O_NOCTTY | O_CLOEXEC));
		if (slave >= 0) {
			*theirs = (int)slave;
			tty_set(*theirs, raw ? TTY_EXACT : TTY_COOKED);
			return (int)master;
		}
		sys_close((int)master);
	}
	int pipe[2];
	note("no pseudo terminal for the copied output; using a pipe");
	if (sys_pipe(pipe, O_CLOEXEC))
		return -1;
	SYS3(__NR_fcntl, pipe[0], F_SETFL, O_NONBLOCK);
	*theirs = pipe[1];
	return pipe[0];
}

/* When the leader of a session ends, the kernel hangs up its terminal and throws away what that has not sent yet
   (disassociate_ctty): so it is /init that leads the session, and the program a process group in its foreground.
   ^Z does not stop that one, as no shell could continue it: for the kernel it is orphaned (will_become_orphaned_pgrp).
   /dev/console never becomes a controlling terminal by being opened, only on request (tty_open). */
static bool take_terminal(int terminal)
{
	struct termios tty;
	if (sys_ioctl(terminal, TCGETS, &tty))
		return false;
	set_signal(SIGTTOU, SIG_IGN); /* /init sets modes and prints from the background */
	sys_setsid();
	sys_ioctl(terminal, TIOCSCTTY, 0);
	return true;
}

static void __attribute__((noreturn)) child(const struct config *config, const char *path, int terminal,
					    bool is_terminal, int report)
{
	const uint64_t none = 0;
	long error, group = sys_getpid();
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
	SYS2(__NR_setpgid, 0, 0);
	if (is_terminal)
		sys_ioctl(terminal, TIOCSPGRP, &(int){(int)group});
	set_signal(SIGCHLD, SIG_DFL);
	set_signal(SIGPIPE, SIG_DFL);
	set_signal(SIGTTOU, SIG_DFL);
	int input = terminal;
	if (!config->stdin_console || !is_terminal)
		input = (int)sys_open("/dev/null", O_RDONLY | O_CLOEXEC, 0);
	/* Any of the three may itself be 0, 1 or 2: first move them out of the way. */
	int high_in = (int)SYS3(__NR_fcntl, input, F_DUPFD_CLOEXEC, 10);
	int high_out = (int)SYS3(__NR_fcntl, terminal, F_DUPFD_CLOEXEC, 10);
	sys_dup3(high_in, 0);
	sys_dup3(high_out, 1);
	sys_dup3(high_out, 2);
	error = config->cwd ? sys_chdir(config->cwd) : 0;
	if (!error)
		error = sys_execve(path, config->args, config->env);
	else
		error = -ENOTDIR;
	write_all(report, &error, sizeof error);
	sys_exit(STATUS_NOT_FOUND);
}

void program_start(struct program *program, const struct config *config)
{
	TEXT(path, 4096);
	int report[2], terminal = console_fd();
	long error;
	program->master = -1;
	if (!config->arg_count) {
		fail(-EINVAL, "", "there is no program to run: /etc/appliance/init has no \"arg\" record");
		program->ended = true;
		program->wait_status = STATUS_NOT_FOUND << 8;
		return;
	}
	if ((error = find(config, config->args[0], &path))) {
		cannot_run(program, config->args[0], path.data, error);
		return;
	}
	sys_pipe(report, O_CLOEXEC);
	if (config->tee && (program->master = open_pump(&terminal, config->raw)) < 0)
		terminal = console_fd();

	console_quiet_kernel();
	console_marker(config->token, "start");
	/* With a pump the program's terminal does the cooking, so the console must pass bytes through. */
	tty_set(console_fd(), program->master >= 0 ? TTY_CHANNEL : config->raw ? TTY_EXACT : TTY_COOKED);

	bool is_terminal = take_terminal(terminal);
	long pid = sys_fork();
	if (pid == 0)
		child(config, path.data, terminal, is_terminal, report[1]);
	sys_close(report[1]);
	/* A terminal that nobody had open for a moment would be gone for good; a pipe has to end. */
	if (terminal != console_fd() && !is_terminal)
		sys_close(terminal);
	/* The pipe closes at a successful exec; otherwise it brings the reason. */
	long failed = pid;
	if (pid > 0)
		failed = sys_read(report[0], &error, sizeof error) == sizeof error ? error : 0;
	sys_close(report[0]);
	if (failed) {
		pump_output(program);
		console_marker(config->token, "end");
		tty_set(console_fd(), TTY_AS_FOUND);
		cannot_run(program, config->args[0], path.data, failed);
		return;
	}
	program->pid = (int)pid;
	channel_send("start", "{\"pid\":%ld,\"monotonic_ns\":%lu}", pid, monotonic_ns());
}

void program_reaped(struct program *program, int pid, int status)
{
	if (pid != program->pid || program->ended)
		return;
	program->ended = true;
	program->wait_status = status;
}

void program_finish(struct program *program, const struct config *config)
{
	uint64_t now = monotonic_ns();
	if (program->pid) {
		pump_output(program);
		tty_drain(console_fd());
		console_marker(config->token, "end");
		tty_set(console_fd(), TTY_AS_FOUND);
	}
	program->pid = 0;
	int status = program->wait_status;
	if (status & 0x7f)
		channel_send("exit", "{\"signal\":%d,\"monotonic_ns\":%lu}", status & 0x7f, now);
	else
		channel_send("exit", "{\"status\":%d,\"monotonic_ns\":%lu}", status >> 8 & 0xff, now);
}
