#include "channel.h"
#include "console.h"

static int channel = -1;
static unsigned long sequence;
static char pending_data[2048];
static struct text pending_notes = {pending_data, sizeof pending_data, 0};

static char out[4096];
static size_t out_length;
static uint32_t crc;

int channel_fd(void)
{
	return channel;
}

bool channel_is_open(void)
{
	return channel >= 0;
}

long channel_open(const char *path)
{
	/* O_NONBLOCK so that a line without carrier cannot hold up the open; reads stay non-blocking. */
	long fd = sys_open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	/* A serial port without hardware opens and then fails at everything (serial8250: type "unknown"). */
	struct termios tty;
	long error = sys_ioctl((int)fd, TCGETS, &tty);
	if (error == -EIO) {
		sys_close((int)fd);
		return error;
	}
	tty_set((int)fd, TTY_CHANNEL);
	channel = (int)fd;
	return 0;
}

void channel_drain(void)
{
	if (channel >= 0)
		tty_drain(channel);
}

static void flush(void)
{
	/* A host that went away must not stop the appliance: the channel is given up instead. */
	if (out_length && write_all(channel, out, out_length) < 0) {
		sys_close(channel);
		channel = -1;
	}
	out_length = 0;
}

static void put(const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (out_length == sizeof out)
			flush();
		out[out_length++] = data[i];
		crc ^= (uint8_t)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
}

/* Three bytes in, four characters out; the encoder's state lives across the two parts of a payload. */
struct base64 {
	uint32_t bits;
	int count;
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_put(struct base64 *state, const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		state->bits = state->bits << 8 | (uint8_t)data[i];
		if (++state->count < 3)
			continue;
		const char four[] = {digits[state->bits >> 18 & 63], digits[state->bits >> 12 & 63],
				     digits[state->bits >> 6 & 63], digits[state->bits & 63]};
		put(four, 4);
		*state = (struct base64){0, 0};
	}
}

static void base64_end(struct base64 *state)
{
	if (state->count == 0)
		return;
	/* RFC 4648 section 4: one byte left makes "xx==", two make "xxx=". */
	uint32_t bits = state->bits << (state->count == 1 ? 16 : 8);
	const char four[] = {digits[bits >> 18 & 63], digits[bits >> 12 & 63],
			     state->count == 1 ? '=' : digits[bits >> 6 & 63], '='};
	put(four, 4);
}

void channel_frame(const char *type, const char *head, size_t head_length, const char *body, size_t body_length)
{
	if (channel < 0)
		return;
	TEXT(start, 64);
	text_add(&start, "%lu %s ", sequence++, type);
	out[0] = '\x1e';
	out_length = 1;
	crc = ~0u;
	put(start.data, start.length);
	struct base64 state = {0, 0};
	base64_put(&state, head, head_length);
	base64_put(&state, body, body_length);
	base64_end(&state);
	TEXT(end, 16);
	text_add(&end, " %x\n", ~crc);
	put(end.data, end.length);
	flush();
}

void channel_send(const char *type, const char *format, ...)
{
	TEXT(payload, 1024);
	va_list args;
	va_start(args, format);
	text_add_args(&payload, format, args);
	va_end(args);
	channel_frame(type, payload.data, payload.length, "", 0);
}

void note(const char *format, ...)
{
	TEXT(line, 256);
	va_list args;
	va_start(args, format);
	text_add_args(&line, format, args);
	va_end(args);
	if (channel >= 0)
		channel_frame("note", line.data, line.length, "", 0);
	else
		text_add(&pending_notes, "%s\n", line.data);
}

void notes_flush(void)
{
	char *line = pending_notes.data;
	for (size_t i = 0; i < pending_notes.length; i++) {
		if (pending_notes.data[i] != '\n')
			continue;
		pending_notes.data[i] = 0;
		if (channel >= 0)
			channel_frame("note", line, strlen(line), "", 0);
		else
			say("note: %s", line);
		line = pending_notes.data + i + 1;
	}
	pending_notes.length = 0;
}

void fail(long error, const char *what, const char *format, ...)
{
	TEXT(line, 400);
	va_list args;
	va_start(args, format);
	text_add_args(&line, format, args);
	va_end(args);
	say("%s", line.data);
	channel_send("fail", "{\"what\":\"%j\",\"errno\":%ld,\"message\":\"%j\"}", what, error < 0 ? -error : error,
		     line.data);
}

enum command channel_command(long *argument)
{
	static char line[128];
	static size_t length;
	char c;
	long got;
	while (channel >= 0 && (got = sys_read(channel, &c, 1)) == 1) {
		if (c != '\n' && c != '\r') {
			if (length + 1 < sizeof line)
				line[length++] = c;
			continue;
		}
		line[length] = 0;
		length = 0;
		if (text_starts(line, "report ")) {
			*argument = (long)text_number(line + 7, NULL);
			return COMMAND_REPORT;
		}
		if (text_equal(line, "poweroff"))
			return COMMAND_POWEROFF;
		if (line[0])
			note("unknown command from the host: \"%s\"", line);
	}
	return COMMAND_NONE;
}
