#include "program.h"
#include "console.h"
#include "channel.h"

static int tee = -1;

void pump_open(const struct config *config)
{
	if (!config->tee)
		return;
	long fd = sys_open(config->tee, O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0)
		note("cannot copy the output to %s: %s", config->tee, error_text(fd));
	else
		tee = (int)fd;
}

/* Everything that is there now. A pipe whose last user has left ends. */
void pump_output(struct program *program)
{
	static char buffer[4096];
	while (program->master >= 0) {
		long got = sys_read(program->master, buffer, sizeof buffer);
		if (got == -EINTR)
			continue;
		if (got == -EAGAIN)
			return;
		if (got <= 0) {
			sys_close(program->master);
			program->master = -1;
			return;
		}
		write_all(console_fd(), buffer, (size_t)got);
		if (tee >= 0)
			write_all(tee, buffer, (size_t)got);
	}
}

/* What the program does not take yet stays here, and the console is not read meanwhile. */
void pump_input(struct program *program, struct pump_input *input, bool console_readable)
{
	if (console_readable && !input->length) {
		long got = sys_read(console_fd(), input->data, sizeof input->data);
		if (got > 0)
			input->length = (size_t)got;
		else if (got != -EINTR && got != -EAGAIN)
			input->closed = true;
	}
	if (!input->length || program->master < 0)
		return;
	long written = sys_write(program->master, input->data, input->length);
	if (written <= 0)
		return;
	input->length -= (size_t)written;
	memmove(input->data, input->data + written, input->length);
}
