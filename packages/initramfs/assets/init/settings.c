#include "settings.h"
#include "channel.h"

static long write_setting(const char *path, const char *value)
{
	/* Nothing else needs debugfs, so that it is mounted for whom a setting takes there. */
	if (text_starts(path, "/sys/kernel/debug/"))
		sys_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, "");
	long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long error = write_all((int)fd, value, strlen(value));
	sys_close((int)fd);
	return error;
}

void settings_apply(const struct config *config)
{
	for (int i = 0; i < config->setting_count; i++) {
		const char *value = text_find(config->settings[i], ' ');
		TEXT(path, 256);
		if (!value || (size_t)(value - config->settings[i]) >= sizeof path_data) {
			fail(-EINVAL, "setting", "a setting is not understood: %s", config->settings[i]);
			continue;
		}
		memcpy(path_data, config->settings[i], (size_t)(value - config->settings[i]));
		path_data[value - config->settings[i]] = 0;
		long error = write_setting(path_data, value + 1);
		if (error < 0)
			fail(error, path_data, "cannot write \"%s\" to %s: %s", value + 1, path_data, error_text(error));
	}
}
