/* /init of an appliance: prepares the system, runs one program, tells the host how it went, switches off. */
#define INIT_DEFINE_ENTRY
#include "capabilities.h"
#include "channel.h"
#include "config.h"
#include "console.h"
#include "modules.h"
#include "mounts.h"
#include "net.h"
#include "power.h"
#include "program.h"
#include "report.h"
#include "settings.h"

static struct config config;
static struct program program;
static struct pump_input input;
static bool channel_deaf; /* the host's side is gone: polling it would spin */
static uint64_t kill_at; /* when a poweroff that the host asked for turns from SIGTERM to SIGKILL */

static void child_ended(int signal)
{
	(void)signal; /* only there to interrupt ppoll(2) */
}

static void open_channel(bool last_try)
{
	if (!config.channel || channel_is_open())
		return;
	long error = channel_open(config.channel);
	if (error && last_try)
		say("no control channel on %s: %s", config.channel, error_text(error));
}

static void greet(uint64_t started)
{
	struct new_utsname name;
	sys_uname(&name);
	channel_send("init", "{\"release\":\"%j\",\"machine\":\"%j\",\"monotonic_ns\":%lu,\"bundle\":\"%j\"}", name.release,
		     name.machine, started, config.bundle ? config.bundle : "");
	if (config.channel && !channel_is_open())
		say("the control channel on %s does not work", config.channel);
	notes_flush();
}

static void prepare(void)
{
	uint64_t started = monotonic_ns();
	mounts_make();
	console_open();
	config_read(&config);
	open_channel(false);
	if (channel_is_open())
		greet(started);
	if (config.hostname)
		SYS2(__NR_sethostname, config.hostname, strlen(config.hostname));
	modules_load(&config);
	if (!channel_is_open()) {
		/* The channel's own driver may have been among the modules. */
		open_channel(true);
		greet(started);
	}
	if (config.problem[0])
		fail(-EINVAL, "config", "a record of the configuration is not understood: %s", config.problem);
	capabilities_restore(&config);
	settings_apply(&config);
	net_loopback_up();
	net_up(&config);
	pump_open(&config);
}

static void reap(void)
{
	int status;
	long pid;
	while ((pid = sys_wait(&status, WAIT_NOHANG)) > 0)
		program_reaped(&program, (int)pid, status);
}

static void obey(void)
{
	long argument = 0;
	enum command command;
	while ((command = channel_command(&argument)) != COMMAND_NONE) {
		if (command == COMMAND_REPORT) {
			report_begin(argument);
		} else if (!kill_at) {
			sys_kill(-1, SIGTERM);
			kill_at = monotonic_ns() + 2000000000u;
		}
	}
}

/* One round of waiting: for a child, the host, the program's terminal, or the next moment of the report. */
static void wait_for_something(void)
{
	static const uint64_t all_signals_allowed = 0;
	/* A negative descriptor is skipped by poll. */
	bool takes_input = config.stdin_console && program.master >= 0 && !input.closed;
	struct pollfd fds[] = {
		{channel_deaf ? -1 : channel_fd(), POLLIN, 0},
		{program.master, (short)(POLLIN | (input.length ? POLLOUT : 0)), 0},
		{takes_input && !input.length ? console_fd() : -1, POLLIN, 0},
	};
	uint64_t until = 0, now = monotonic_ns();
	if (report_running())
		until = report_deadline();
	if (kill_at && (!until || kill_at < until))
		until = kill_at;
	uint64_t left = until > now ? until - now : 0;
	timespec timeout = {(long)(left / 1000000000u), (long)(left % 1000000000u)};

	/* ppoll lets SIGCHLD in only while it waits, so that none is missed; no signalfd, which a tiny kernel lacks. */
	sys_ppoll(fds, sizeof fds / sizeof *fds, until ? &timeout : NULL, &all_signals_allowed);
	pump_output(&program);
	if (takes_input)
		pump_input(&program, &input, fds[2].revents != 0);
	if (fds[0].revents & POLLIN)
		obey();
	else if (fds[0].revents)
		channel_deaf = true;
	reap();
	report_step();
	if (kill_at && monotonic_ns() >= kill_at) {
		sys_kill(-1, SIGKILL);
		kill_at = 0;
	}
}

void __attribute__((noreturn, used)) init_main(void)
{
	const uint64_t blocked = SIGNAL_BIT(SIGCHLD);
	SYS4(__NR_rt_sigprocmask, SIG_BLOCK, &blocked, NULL, sizeof blocked);
	set_signal(SIGCHLD, child_ended);
	set_signal(SIGPIPE, SIG_IGN);
	prepare();

	program_start(&program, &config);
	while (!program.ended)
		wait_for_something();
	program_finish(&program, &config);

	while (report_running())
		wait_for_something();
	if (config.report_ms && channel_is_open()) {
		report_begin(config.report_ms);
		while (report_running())
			wait_for_something();
	}
	power_end(config.after);
}
