#include "ports.h"

#define PORT_NAME "agent"
/* The name of a port comes by a message after the driver has started. */
enum { NAME_TRIES = 200, NAME_MS = 10 };

static bool open_if_named(const char *name, void *context)
{
	char path[300], text[64];
	text_join(path, sizeof path, "/sys/class/virtio-ports/", name, "/name");
	if (read_text(path, text, sizeof text) < 0 || !text_equal(text, PORT_NAME))
		return false;
	text_join(path, sizeof path, "/dev/", name, "");
	long fd = sys_open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
	*(int *)context = (int)fd;
	return fd >= 0;
}

int ports_open_virtio(void)
{
	int fd = -1;
	return each_name("/sys/class/virtio-ports", open_if_named, &fd) ? fd : -1;
}

/* VIRTIO_ID_CONSOLE of include/uapi/linux/virtio_ids.h, with a driver. */
static bool is_driven_console(const char *name, void *context)
{
	char path[300], text[64];
	(void)context;
	text_join(path, sizeof path, "/sys/bus/virtio/devices/", name, "/device");
	if (read_text(path, text, sizeof text) < 0 || !text_equal(text, "0x0003"))
		return false;
	text_join(path, sizeof path, "/sys/bus/virtio/devices/", name, "/driver");
	return sys_access(path) == 0;
}

/* Bytes as they are: no echo, no lines, no signals, no flow control. */
static bool make_raw(int fd)
{
	struct termios tty;
	if (sys_ioctl(fd, TCGETS, &tty))
		return false;
	tty.c_iflag = IGNBRK | IGNPAR;
	tty.c_oflag = 0;
	tty.c_lflag = 0;
	tty.c_cflag = (tty.c_cflag & CBAUD) | CS8 | CREAD | CLOCAL;
	tty.c_cc[VMIN] = 1;
	tty.c_cc[VTIME] = 0;
	return sys_ioctl(fd, TCSETS, &tty) == 0 && sys_ioctl(fd, TCFLSH, (void *)TCIFLUSH) == 0;
}

static int open_device(const char *device)
{
	return (int)sys_open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
}

/* A serial port without hardware opens and then fails at everything (serial8250: type "unknown"). */
static bool has_hardware(int fd)
{
	struct termios tty;
	return fd >= 0 && sys_ioctl(fd, TCGETS, &tty) == 0;
}

/* The second one that there is, else the console. */
static int open_serial(enum channel *channel)
{
	static const char *const names[] = {"/dev/ttyAMA0", "/dev/ttyS0", "/dev/ttyS1", "/dev/ttyS2", "/dev/ttyS3"};
	int console = -1;
	*channel = CHANNEL_TTY;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		int fd = open_device(names[i]);
		if (!has_hardware(fd)) {
			sys_close(fd);
		} else if (console < 0) {
			console = fd;
		} else {
			sys_close(console);
			return fd;
		}
	}
	*channel = CHANNEL_CONSOLE;
	return console;
}

/* What the kernel prints would damage the frames: let it be silent but for emergencies, which end all anyway. */
static void silence_kernel(void)
{
	long fd = sys_open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	sys_write((int)fd, "1", 1);
	sys_close((int)fd);
}

int ports_open(const char *device, enum channel *channel)
{
	if (device && *device >= '0' && *device <= '9') {
		/* Inherited: a test. */
		int fd = (int)text_number(device, 10);
		*channel = CHANNEL_SOCKET;
		SYS3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
		return SYS3(__NR_fcntl, fd, F_SETFL, O_NONBLOCK) == 0 ? fd : -1;
	}
	if (!device) {
		*channel = CHANNEL_VIRTIO;
		int fd = ports_open_virtio();
		for (int i = 0; fd < 0 && i < NAME_TRIES; i++) {
			if (!each_name("/sys/bus/virtio/devices", is_driven_console, NULL))
				break;
			sleep_ms(NAME_MS);
			fd = ports_open_virtio();
		}
		if (fd >= 0)
			return fd;
	}
	*channel = CHANNEL_TTY;
	int fd = device ? open_device(device) : open_serial(channel);
	if (fd >= 0 && *channel == CHANNEL_CONSOLE)
		silence_kernel();
	if (fd >= 0 && !make_raw(fd)) {
		/* A virtio port that was named. */
		*channel = CHANNEL_VIRTIO;
		if (has_hardware(fd) || !device) {
			sys_close(fd);
			return -1;
		}
	}
	return fd;
}
