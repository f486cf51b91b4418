/* The agent: runs programs and moves files in the guest for the host, as src/agent/ of @justenough/qemu asks.

	/agent &         from the guest's own init
	rdinit=/agent    as init itself
	/agent DEVICE    on a port that is named

   It serves one host at a time, for ever. */
#define AGENT_DEFINE_ENTRY
#include "jobs.h"
#include "link.h"
#include "ports.h"
#include "system.h"

enum { VERSION = 2, RETRY_MS = 100, BYE_MS = 2000 };

static const char *device;
static uint64_t nonce;
static uint64_t power_off_at; /* 0: not asked for */

static void child_ended(int signal)
{
	(void)signal; /* only there to interrupt ppoll(2) */
}

static void welcome(const struct frame *hello)
{
	uint64_t wanted = get64(hello->payload);
	/* The host repeats its hello until the answer is there. */
	if (!link_in_session() || wanted != nonce) {
		jobs_abandon();
		nonce = wanted;
		link_session(true);
	}
	uint8_t payload[20];
	memcpy(payload, hello->payload, 8);
	put32(payload + 8, VERSION);
	put32(payload + 12, link_channel());
	put32(payload + 16, INPUT_WINDOW);
	link_send(FRAME_WELCOME, 0, payload, sizeof payload);
}

static void damaged(const char *what)
{
	jobs_abandon();
	link_send(FRAME_DAMAGED, 0, what, strlen(what));
	link_session(false);
}

static void obey(const struct frame *frame)
{
	long error;
	switch (frame->type) {
	case FRAME_PING:
		link_send(FRAME_PONG, 0, "", 0);
		break;
	case FRAME_RESEED:
		error = system_reseed(frame->payload, frame->length);
		job_end(frame->job, error ? END_ERROR : END_DONE, (uint32_t)-error);
		break;
	case FRAME_POWEROFF:
		if (link_channel() == CHANNEL_SOCKET) {
			job_end(frame->job, END_ERROR, EPERM);
			break;
		}
		SYS0(__NR_sync);
		job_end(frame->job, END_DONE, 0);
		power_off_at = monotonic_ns() + BYE_MS * 1000000ull;
		break;
	case FRAME_BYE:
		if (power_off_at)
			system_power_off();
		break;
	default:
		if (!jobs_frame(frame))
			damaged("a frame makes no sense");
	}
}

static void listen(void)
{
	struct frame frame;
	const char *damage;
	while (link_room()) {
		switch (link_next(&frame, &damage)) {
		case RECEIVED_NOTHING:
			return;
		case RECEIVED_HELLO:
			welcome(&frame);
			break;
		case RECEIVED_DAMAGE:
			damaged(damage);
			break;
		case RECEIVED_FRAME:
			obey(&frame);
		}
	}
}

/* All that has come, which may be many small pieces, but not for ever. */
static bool hear(void)
{
	size_t got = 1;
	for (int i = 0; i < 32 && got > 0 && link_room(); i++) {
		if (!link_receive(&got))
			return false;
		listen();
	}
	return true;
}

/* One round: waits until something can be done, and does it. False when the channel is broken. */
static bool serve(void)
{
	static const uint64_t all_signals_allowed = 0;
	struct pollfd fds[1 + JOB_POLLFDS];
	unsigned count = 1;
	bool busy = jobs_poll(fds, &count);
	fds[0] = (struct pollfd){link_fd(), (short)((link_room() ? POLLIN : 0) | (link_idle() ? 0 : POLLOUT)), 0};
	bool looking = !device && link_channel() != CHANNEL_VIRTIO && !link_in_session();
	timespec timeout = {0, busy ? 0 : RETRY_MS * 1000000};
	/* ppoll lets SIGCHLD in only while it waits, so that none is missed. */
	SYS5(__NR_ppoll, fds, count, busy || looking || power_off_at ? &timeout : NULL, &all_signals_allowed, 8);
	jobs_reap();
	if (fds[0].revents & POLLIN && !hear())
		return false;
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) && !(fds[0].revents & POLLIN))
		return false;
	listen(); /* what there was no room to answer before */
	jobs_work(fds, count);
	if (!link_flush())
		return false;
	if (power_off_at && monotonic_ns() >= power_off_at)
		system_power_off();
	int fd = looking && !link_in_session() ? ports_open_virtio() : -1;
	if (fd >= 0) {
		link_close();
		link_open(fd, CHANNEL_VIRTIO);
	}
	return true;
}

void __attribute__((noreturn, used)) agent_start(long *stack)
{
	const uint64_t blocked = SIGNAL_BIT(SIGCHLD);
	device = stack[0] > 1 ? (const char *)stack[2] : NULL;
	/* A kernel hands the words that it does not know to its init. */
	if (SYS0(__NR_getpid) == 1 && device && *device != '/')
		device = NULL;
	crc32_prepare();
	jobs_init();
	SYS4(__NR_rt_sigprocmask, SIG_BLOCK, &blocked, NULL, sizeof blocked);
	set_signal(SIGCHLD, child_ended);
	set_signal(SIGPIPE, SIG_IGN);
	system_prepare();
	for (;;) {
		enum channel channel;
		int fd = ports_open(device, &channel);
		if (fd >= 0) {
			link_open(fd, channel);
			while (serve())
				;
			jobs_abandon();
			link_close();
			if (channel == CHANNEL_SOCKET)
				sys_exit(0);
		}
		sleep_ms(RETRY_MS);
	}
}
