#include "mounts.h"
#include "channel.h"

#include <linux/mount.h>

struct mount {
	const char *type, *target, *data;
	unsigned long flags;
	int mode;
};

static long mount_one(const struct mount *mount)
{
	long error = sys_mkdir(mount->target, mount->mode);
	if (error && error != -EEXIST) {
		note("cannot create %s: %s", mount->target, error_text(error));
		return error;
	}
	error = sys_mount(mount->type, mount->target, mount->type, mount->flags, mount->data);
	/* EBUSY: the kernel did it already (CONFIG_DEVTMPFS_MOUNT does not for an initramfs, but may some day). */
	if (error && error != -EBUSY)
		note("no %s on %s: %s", mount->type, mount->target, error_text(error));
	return error == -EBUSY ? 0 : error;
}

/* Without devtmpfs: the devices that a program may expect, numbers from Documentation/admin-guide/devices.txt. */
static void make_devices(void)
{
	static const struct {
		const char *path;
		int major, minor, mode;
	} devices[] = {
		{"/dev/null", 1, 3, 0666},   {"/dev/zero", 1, 5, 0666},	    {"/dev/full", 1, 7, 0666},
		{"/dev/random", 1, 8, 0666}, {"/dev/urandom", 1, 9, 0666},  {"/dev/kmsg", 1, 11, 0644},
		{"/dev/tty", 5, 0, 0666},    {"/dev/console", 5, 1, 0600},  {"/dev/ptmx", 5, 2, 0666},
		{"/dev/tty0", 4, 0, 0620},   {"/dev/ttyS0", 4, 64, 0660},   {"/dev/ttyS1", 4, 65, 0660},
		{"/dev/hvc0", 229, 0, 0660},
	};
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		sys_mknod(devices[i].path, S_IFCHR | devices[i].mode, devices[i].major, devices[i].minor);
}

static void link_standard_streams(void)
{
	sys_symlink("/proc/self/fd", "/dev/fd");
	sys_symlink("/proc/self/fd/0", "/dev/stdin");
	sys_symlink("/proc/self/fd/1", "/dev/stdout");
	sys_symlink("/proc/self/fd/2", "/dev/stderr");
}

void mounts_make(void)
{
	static const struct mount dev = {"devtmpfs", "/dev", "mode=0755", MS_NOSUID, 0755};
	static const struct mount others[] = {
		{"proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555},
		{"sysfs", "/sys", "", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555},
		{"devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, 0755},
		{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, 01777},
		{"tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV, 01777},
		{"tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV, 0755},
	};
	/* umask 0: modes below are meant as written. */
	SYS1(__NR_umask, 0);
	if (mount_one(&dev))
		make_devices();
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		mount_one(&others[i]);
	link_standard_streams();
	SYS1(__NR_umask, 022);
}
