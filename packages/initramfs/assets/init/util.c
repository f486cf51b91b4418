#include "sys.h"
#include "text.h"

#include <linux/mman.h>

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

long write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size) {
		long written = sys_write(fd, at, size);
		if (written == -EINTR)
			continue;
		if (written == -EAGAIN) {
			struct pollfd wait = {fd, POLLOUT, 0};
			sys_ppoll(&wait, 1, NULL, &(uint64_t){~0ull});
			continue;
		}
		if (written <= 0)
			return written ? written : -EIO;
		at += written;
		size -= (size_t)written;
	}
	return 0;
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

static long bytes_grow(struct bytes *bytes)
{
	size_t wanted = bytes->capacity ? bytes->capacity * 2 : 16384;
	long address = bytes->data
		? SYS4(__NR_mremap, bytes->data, bytes->capacity, wanted, MREMAP_MAYMOVE)
		: SYS6(__NR_mmap, 0, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address < 0 && address > -4096)
		return address;
	bytes->data = (char *)address;
	bytes->capacity = wanted;
	return 0;
}

long bytes_append(struct bytes *to, const char *data, size_t length)
{
	while (to->capacity - to->length < length + 1) {
		long error = bytes_grow(to);
		if (error)
			return error;
	}
	memcpy(to->data + to->length, data, length);
	to->length += length;
	to->data[to->length] = 0;
	return 0;
}

long bytes_read_file(struct bytes *to, const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long result;
	for (;;) {
		if (to->capacity - to->length < 4096 && (result = bytes_grow(to)) < 0)
			break;
		/* One byte stays free: the content is always NUL-terminated. */
		result = sys_read((int)fd, to->data + to->length, to->capacity - to->length - 1);
		if (result == -EINTR)
			continue;
		if (result <= 0)
			break;
		to->length += (size_t)result;
	}
	if (to->data)
		to->data[to->length] = 0;
	sys_close((int)fd);
	return result;
}

void bytes_free(struct bytes *bytes)
{
	if (bytes->data)
		SYS2(__NR_munmap, bytes->data, bytes->capacity);
	*bytes = (struct bytes){0};
}
