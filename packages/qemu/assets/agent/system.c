#include "system.h"

#include "frame.h"
#include "link.h"

#include <linux/mount.h>
#include <linux/random.h>
#include <linux/reboot.h>

static void mount_if_missing(const char *sign, const char *type, const char *target)
{
	if (sys_access(sign) == 0)
		return;
	SYS3(__NR_mkdirat, AT_FDCWD, target, 0755);
	SYS5(__NR_mount, type, target, type, MS_NOSUID, "");
}

void system_prepare(void)
{
	mount_if_missing("/proc/self", "proc", "/proc");
	mount_if_missing("/sys/class", "sysfs", "/sys");
	mount_if_missing("/dev/null", "devtmpfs", "/dev");
	if (SYS0(__NR_getpid) == 1) {
		mount_if_missing("/tmp", "tmpfs", "/tmp");
		mount_if_missing("/run", "tmpfs", "/run");
	}
	/* An init without a console has none of the three. */
	for (long fd = 0; fd >= 0 && fd <= 2;) {
		fd = sys_open("/dev/null", O_RDWR, 0);
		if (fd > 2)
			sys_close((int)fd);
	}
}

long system_reseed(const uint8_t *payload, size_t length)
{
	enum { TIME = 16, MAX_ENTROPY = 512 };
	if (length < TIME || length > TIME + MAX_ENTROPY)
		return -EINVAL;
	/* A socket is no guest. */
	if (link_channel() == CHANNEL_SOCKET)
		return -EPERM;
	timespec now = {(int64_t)get64(payload), (int64_t)get64(payload + 8)};
	struct {
		int bits, size;
		uint8_t bytes[MAX_ENTROPY];
	} pool = {(int)(length - TIME) * 8, (int)(length - TIME), {0}};
	memcpy(pool.bytes, payload + TIME, length - TIME);
	long fd = sys_open("/dev/urandom", O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long error = sys_ioctl((int)fd, RNDADDENTROPY, &pool);
	if (!error)
		error = sys_ioctl((int)fd, RNDRESEEDCRNG, NULL);
	sys_close((int)fd);
	return error ? error : SYS2(__NR_clock_settime, CLOCK_REALTIME_ID, &now);
}

/* reboot(2) silently halts where no driver can switch off (kernel/reboot.c), and a halted machine runs for ever; so ask
   first. ACPI switches a PC off, PSCI or SBI the others. */
static bool can_power_off(void)
{
	static const char *const signs[] = {
		"/sys/firmware/acpi/tables",
		"/proc/acpi",
		"/sys/firmware/devicetree/base/psci",
		"/sys/firmware/devicetree/base/poweroff",
	};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (sys_access(signs[i]) == 0)
			return true;
	return false;
}

void system_power_off(void)
{
	SYS0(__NR_sync);
	if (can_power_off())
		SYS4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
	SYS4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0);
}
