#include "sys.h"

#ifndef AGENT_HOSTED
/* The compiler may call these; written so that it does not turn them into calls of themselves. */
void *memcpy(void *to, const void *from, size_t size)
{
	return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
	/* At any address: machines that cannot, have a compiler that knows. */
	struct word {
		uint64_t value;
	} __attribute__((packed, may_alias));
	char *t = to;
	const char *f = from;
	if (t > f && t < f + size) {
		while (size--)
			t[size] = f[size];
		return to;
	}
	for (; size >= 8; size -= 8, t += 8, f += 8)
		((struct word *)t)->value = ((const struct word *)f)->value;
	while (size--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t size)
{
	for (char *t = to; size--;)
		*t++ = (char)value;
	return to;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}
#endif

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

bool text_starts(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

void text_join(char *to, size_t size, const char *a, const char *b, const char *c)
{
	const char *const parts[] = {a, b, c};
	size_t length = 0;
	for (int i = 0; i < 3; i++)
		for (const char *at = parts[i]; *at && length + 1 < size; at++)
			to[length++] = *at;
	to[length] = 0;
}

unsigned long text_number(const char *text, unsigned base)
{
	unsigned long number = 0;
	while (*text >= '0' && *text < (char)('0' + base))
		number = number * base + (unsigned long)(*text++ - '0');
	return number;
}

uint64_t monotonic_ns(void)
{
	timespec now = {0, 0};
	SYS2(__NR_clock_gettime, CLOCK_MONOTONIC_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sleep_ms(long milliseconds)
{
	timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	while (SYS2(__NR_nanosleep, &left, &left) == -EINTR)
		;
}

#ifdef ARCH_NEEDS_RESTORER
void arch_restorer(void);
#endif

long set_signal(int number, void (*handler)(int))
{
	struct kernel_sigaction action = {handler, 0, NULL, 0};
#ifdef ARCH_NEEDS_RESTORER
	action.flags |= SA_RESTORER;
	action.restorer = arch_restorer;
#endif
	return SYS4(__NR_rt_sigaction, number, &action, NULL, sizeof action.mask);
}

long read_text(const char *path, char *to, size_t size)
{
	to[0] = 0;
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long got = sys_read((int)fd, to, size - 1);
	sys_close((int)fd);
	if (got < 0)
		return got;
	if (got > 0 && to[got - 1] == '\n')
		got--;
	to[got] = 0;
	return got;
}

bool each_name(const char *directory, bool (*visit)(const char *name, void *context), void *context)
{
	_Alignas(8) char list[2048];
	bool found = false;
	long fd = sys_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	for (long got; !found && (got = SYS3(__NR_getdents64, fd, list, sizeof list)) > 0;) {
		for (long at = 0; !found && at < got;) {
			const struct dirent64 *entry = (const struct dirent64 *)(list + at);
			if (entry->name[0] != '.')
				found = visit(entry->name, context);
			at += entry->length;
		}
	}
	sys_close((int)fd);
	return found;
}
