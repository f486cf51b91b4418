#include "link.h"

static int descriptor = -1;
static enum channel kind;
static bool session;
static uint32_t next_in, next_out;

/* Aligned so that payloads are, for the sum over them. */
static _Alignas(8) uint8_t out[FRAME_HEADER + 4 + MAX_OUT + 65536];
static size_t out_start, out_end;
static _Alignas(8) uint8_t in[2 * (FRAME_HEADER + MAX_IN)];
static size_t in_start, in_end;

/* A frame begins here when nothing waits, so that its payload lies at a multiple of 8. */
enum { ORIGIN = 4 };

void link_open(int fd, enum channel channel)
{
	descriptor = fd;
	kind = channel;
	session = false;
	in_start = in_end = 0;
	out_start = out_end = ORIGIN;
	next_in = next_out = 0;
	link_send(FRAME_READY, 0, "", 0);
}

void link_close(void)
{
	sys_close(descriptor);
	descriptor = -1;
	session = false;
}

int link_fd(void) { return descriptor; }
enum channel link_channel(void) { return kind; }
size_t link_share(void) { return kind == CHANNEL_TTY || kind == CHANNEL_CONSOLE ? 4096 : MAX_OUT; }
bool link_idle(void) { return out_start == out_end; }
bool link_room(void) { return sizeof out - out_end >= LINK_ANSWER; }
uint8_t *link_payload(void) { return out + ORIGIN + FRAME_HEADER; }
bool link_in_session(void) { return session; }

void link_session(bool open)
{
	session = open;
	next_in = 1; /* after the hello */
	if (open)
		next_out = 0;
}

static void finish(uint8_t *frame, enum frame_type type, uint32_t job, size_t length)
{
	put32(frame, FRAME_MAGIC);
	put32(frame + 4, type);
	put32(frame + 8, job);
	put32(frame + 12, next_out++);
	put32(frame + 16, (uint32_t)length);
	put32(frame + 20, crc32(frame + FRAME_HEADER, length));
	put32(frame + 24, crc32(frame, 24));
	out_end = (size_t)(frame - out) + FRAME_HEADER + length;
}

void link_commit(enum frame_type type, uint32_t job, size_t length)
{
	out_start = out_end = ORIGIN;
	finish(out + ORIGIN, type, job, length);
}

void link_send(enum frame_type type, uint32_t job, const void *payload, size_t length)
{
	if (descriptor < 0)
		return;
	if (link_idle())
		out_start = out_end = ORIGIN;
	memcpy(out + out_end + FRAME_HEADER, payload, length);
	finish(out + out_end, type, job, length);
}

bool link_flush(void)
{
	while (out_start < out_end) {
		long written = sys_write(descriptor, out + out_start, out_end - out_start);
		if (written == -EINTR)
			continue;
		if (written == -EAGAIN || written == 0)
			return true;
		if (written < 0)
			return false;
		out_start += (size_t)written;
	}
	return true;
}

bool link_receive(size_t *count)
{
	if (in_start > 0) {
		memmove(in, in + in_start, in_end - in_start);
		in_end -= in_start;
		in_start = 0;
	}
	*count = 0;
	if (in_end == sizeof in)
		return true;
	long got = sys_read(descriptor, in + in_end, sizeof in - in_end);
	if (got == -EINTR || got == -EAGAIN)
		return true;
	if (got <= 0)
		return false;
	in_end += (size_t)got;
	*count = (size_t)got;
	return true;
}

/* Moves to where a frame may begin. */
static void seek_magic(void)
{
	for (; in_end - in_start >= 4; in_start++)
		if (get32(in + in_start) == FRAME_MAGIC)
			return;
}

enum received link_next(struct frame *frame, const char **damage)
{
	for (;;) {
		*damage = NULL;
		if (!session)
			seek_magic();
		size_t have = in_end - in_start;
		if (have < FRAME_HEADER)
			return RECEIVED_NOTHING;
		const uint8_t *header = in + in_start;
		uint32_t length = get32(header + 16);
		*frame = (struct frame){get32(header + 4), get32(header + 8), length, header + FRAME_HEADER};
		bool hello = frame->type == FRAME_HELLO && length == 8;
		if (get32(header) != FRAME_MAGIC || get32(header + 24) != crc32(header, 24) || length > MAX_IN)
			*damage = "a frame's header is damaged";
		else if (have < FRAME_HEADER + length)
			return RECEIVED_NOTHING;
		else if (get32(header + 20) != crc32(frame->payload, length))
			*damage = "a frame's content is damaged";
		else if (hello)
			;
		else if (session && get32(header + 12) != next_in)
			*damage = "frames are missing";
		if (*damage) {
			/* A later frame may begin within what looked like this one. */
			in_start++;
			if (session)
				return RECEIVED_DAMAGE;
			continue;
		}
		in_start += FRAME_HEADER + length;
		if (hello)
			return RECEIVED_HELLO;
		if (session) {
			next_in++;
			return RECEIVED_FRAME;
		}
	}
}
