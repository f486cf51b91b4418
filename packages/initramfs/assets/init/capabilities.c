#include "capabilities.h"
#include "channel.h"

#include <linux/capability.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value in hexadecimal, a colon, the path; returns the value's length, or 0 for a malformed record. */
static size_t parse(const char *record, uint8_t value[XATTR_CAPS_SZ], const char **path)
{
	size_t length = 0;
	while (length < XATTR_CAPS_SZ && digit(record[0]) >= 0 && digit(record[1]) >= 0) {
		value[length++] = (uint8_t)(digit(record[0]) << 4 | digit(record[1]));
		record += 2;
	}
	if (*record != ':')
		return 0;
	*path = record + 1;
	return length;
}

void capabilities_restore(const struct config *config)
{
	for (int i = 0; i < config->capability_count; i++) {
		uint8_t value[XATTR_CAPS_SZ];
		const char *path;
		size_t length = parse(config->capabilities[i], value, &path);
		if (!length) {
			fail(-EINVAL, "capability", "a record of file capabilities is not understood");
			continue;
		}
		long error = SYS5(__NR_lsetxattr, path, "security.capability", value, length, 0);
		/* The root file system is a tmpfs, or a ramfs, which has no attributes at all. */
		const char *reason = error == -EOPNOTSUPP ? "this kernel was built without TMPFS_XATTR" : error_text(error);
		if (error < 0)
			fail(error, path, "cannot set the file capabilities of \"%s\": %s", path, reason);
	}
}
