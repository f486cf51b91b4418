#include "console.h"

static int console = -1;
static struct termios found;
static bool is_terminal;

int console_fd(void)
{
	return console;
}

void console_open(void)
{
	long fd = sys_open("/dev/console", O_RDWR | O_NOCTTY, 0);
	if (fd < 0)
		fd = sys_open("/dev/null", O_RDWR, 0);
	if (fd < 0)
		return;
	/* The kernel gives /init standard streams only if the archive holds /dev/console. */
	for (int standard = 0; standard < 3; standard++)
		if (fd != standard)
			sys_dup3((int)fd, standard);
	if (fd > 2)
		sys_close((int)fd);
	console = 1;
	is_terminal = sys_ioctl(console, TCGETS, &found) == 0;
}

void say(const char *format, ...)
{
	TEXT(line, 512);
	va_list args;
	va_start(args, format);
	text_add(&line, "init: ");
	text_add_args(&line, format, args);
	va_end(args);
	if (line.length > line.size - 2)
		line.length = line.size - 2;
	text_add(&line, "\n");
	write_all(console, line.data, line.length);
}

static void make_exact(struct termios *tty)
{
	/* Output byte for byte; no echo of what the host sends, no flow control that it could trip.
	   Lines and ^C, ^D keep their meaning. */
	tty->c_oflag &= ~(tcflag_t)OPOST;
	tty->c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	tty->c_iflag &= ~(tcflag_t)(IXON | IXOFF);
}

static void make_channel(struct termios *tty)
{
	/* cfmakeraw(3), and no hang-up when the last user closes. */
	tty->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	tty->c_oflag &= ~(tcflag_t)OPOST;
	tty->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	tty->c_cflag &= ~(tcflag_t)(CSIZE | PARENB | HUPCL | CBAUD);
	tty->c_cflag |= CS8 | CREAD | CLOCAL | B115200;
	tty->c_cc[VMIN] = 1;
	tty->c_cc[VTIME] = 0;
}

void tty_set(int fd, enum tty_mode mode)
{
	struct termios tty;
	if (sys_ioctl(fd, TCGETS, &tty) < 0)
		return;
	switch (mode) {
	case TTY_AS_FOUND:
		if (!is_terminal)
			return;
		tty = found;
		break;
	case TTY_COOKED:
		tty.c_iflag |= ICRNL | IXON;
		tty.c_oflag |= OPOST | ONLCR;
		tty.c_lflag |= ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN;
		break;
	case TTY_EXACT:
		make_exact(&tty);
		break;
	case TTY_CHANNEL:
		make_channel(&tty);
		break;
	}
	/* TCSETSW: what is already queued still goes out in the old mode. */
	sys_ioctl(fd, TCSETSW, &tty);
}

void tty_drain(int fd)
{
	sys_ioctl(fd, TCSBRK, (void *)1);
}

void console_quiet_kernel(void)
{
	/* syslog(2), action 8: only levels below 1, that is KERN_EMERG, are printed. */
	SYS3(__NR_syslog, 8, 0, 1);
}

void console_marker(const char *token, const char *what)
{
	if (!token)
		return;
	TEXT(line, 160);
	text_add(&line, "\n\x1e[appliance %s %s]\n", token, what);
	tty_set(console, TTY_EXACT);
	write_all(console, line.data, line.length);
	tty_drain(console);
}
