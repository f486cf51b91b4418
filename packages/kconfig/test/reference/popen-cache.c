/*
 * Loaded into the reference conf (LD_PRELOAD): keeps what each shell command printed, in the directory that
 * KCONFIG_POPEN_CACHE names, and answers from there the next time. Conf itself stays as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

FILE *popen(const char *command, const char *mode)
{
	FILE *(*real_popen)(const char *, const char *) = dlsym(RTLD_NEXT, "popen");
	int (*real_pclose)(FILE *) = dlsym(RTLD_NEXT, "pclose");
	const char *directory = getenv("KCONFIG_POPEN_CACHE");
	char kept[4096], beside[4200], buffer[65536];
	uint64_t hash = 14695981039346656037u;
	const char *at;
	FILE *file, *pipe;
	size_t length;

	if (!directory)
		return real_popen(command, mode);
	for (at = command; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	snprintf(kept, sizeof(kept), "%s/%016llx", directory, (unsigned long long)hash);
	file = fopen(kept, "r");
	if (file)
		return file;
	pipe = real_popen(command, mode);
	if (!pipe)
		return NULL;
	snprintf(beside, sizeof(beside), "%s.%d", kept, (int)getpid());
	file = fopen(beside, "w");
	if (!file)
		abort();
	while ((length = fread(buffer, 1, sizeof(buffer), pipe)) > 0)
		fwrite(buffer, 1, length, file);
	real_pclose(pipe);
	fclose(file);
	rename(beside, kept);
	return fopen(kept, "r");
}

int pclose(FILE *stream)
{
	int (*real_pclose)(FILE *) = dlsym(RTLD_NEXT, "pclose");

	if (!getenv("KCONFIG_POPEN_CACHE"))
		return real_pclose(stream);
	fclose(stream);
	return 0;
}
