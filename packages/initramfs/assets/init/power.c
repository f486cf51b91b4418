#include "power.h"
#include "channel.h"
#include "console.h"

static void __attribute__((noreturn)) reboot_as(int command)
{
	SYS4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, 0);
	/* Nothing left to try: an /init that returns would make the kernel panic. */
	for (;;)
		sleep_ms(1000000);
}

/* reboot(2) with POWER_OFF silently halts where no driver can switch off (kernel/reboot.c), and a halted
   virtual machine runs for ever; so ask first. ACPI switches a PC off, PSCI or SBI the others. */
static bool can_power_off(void)
{
	static const char *const signs[] = {
		"/sys/firmware/acpi/tables",
		"/proc/acpi",
		"/sys/firmware/devicetree/base/psci",
		"/sys/firmware/devicetree/base/poweroff",
	};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (sys_access(signs[i], 0) == 0)
			return true;
	return false;
}

static bool children_left(void)
{
	int status;
	long pid;
	while ((pid = sys_wait(&status, WAIT_NOHANG)) > 0)
		;
	return pid == 0;
}

static void end_processes(void)
{
	if (!children_left())
		return;
	sys_kill(-1, SIGTERM);
	for (int i = 0; i < 200 && children_left(); i++)
		sleep_ms(10);
	sys_kill(-1, SIGKILL);
	for (int i = 0; i < 100 && children_left(); i++)
		sleep_ms(10);
}

void power_end(enum after after)
{
	end_processes();
	sys_sync();
	channel_send("end", "{\"monotonic_ns\":%lu}", monotonic_ns());
	channel_drain();
	tty_drain(console_fd());
	if (after == AFTER_HALT)
		reboot_as(LINUX_REBOOT_CMD_HALT);
	if (after == AFTER_REBOOT || !can_power_off())
		reboot_as(LINUX_REBOOT_CMD_RESTART);
	reboot_as(LINUX_REBOOT_CMD_POWER_OFF);
}
