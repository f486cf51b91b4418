#include "modules.h"
#include "channel.h"

static long load(const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long error = SYS3(__NR_finit_module, fd, "", 0);
	sys_close((int)fd);
	return error;
}

/* finit_module(2) says ENOENT for an unknown symbol as well as for a missing file. */
static const char *reason(const char *path, long error)
{
	if (error == -ENOENT && sys_access(path, 0) == 0)
		return "it needs a symbol that no loaded module has (see the kernel's log)";
	if (error == -ENOEXEC)
		return "it was built for another kernel";
	if (error == -ENOSYS)
		return "this kernel was built without modules";
	if (error == -EKEYREJECTED || error == -ENOKEY)
		return "this kernel wants a signature, and has no key that made one";
	return error_text(error);
}

void modules_load(const struct config *config)
{
	for (int i = 0; i < config->module_count; i++) {
		const char *path = config->modules[i];
		long error = load(path);
		if (error == -EEXIST)
			note("module %s was loaded already", path);
		else if (error == -ENODEV)
			note("module %s found no device of its own", path);
		else if (error < 0)
			fail(error, path, "cannot load module \"%s\": %s", path, reason(path, error));
	}
}
