/*
 * The only program of a guest that unpacked an initramfs: prints every file of the root file system and what the
 * kernel said about the unpacking, as lines on QEMU's debug port, and resets the machine.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HASHED_BYTES (256 * 1024)
#define PATH_LIMIT (1024 * 1024)

static char path[PATH_LIMIT];
static uint32_t table[256];

/* A tty would take its time for every byte, the debug port takes them as they come. */
static void put(const char *text, size_t length)
{
	asm volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(0xe9) : "memory");
}

static void line(const char *text)
{
	put(text, strlen(text));
}

static void word(const char *text)
{
	char out[4];

	for (; *text; text++) {
		unsigned char byte = *text;
		int plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			    (byte >= 'a' && byte <= 'z') || byte == '_' || byte == '.' || byte == '/' || byte == '-';

		put(out, snprintf(out, sizeof(out), plain ? "%c" : "%%%02x", byte));
	}
}

static uint32_t hash(int directory, const char *name)
{
	static unsigned char buffer[HASHED_BYTES];
	uint32_t sum = ~0u;
	int file = openat(directory, name, O_RDONLY | O_NOFOLLOW);
	ssize_t length = 0, part;

	while (length < HASHED_BYTES && (part = read(file, buffer + length, HASHED_BYTES - length)) > 0)
		length += part;
	close(file);
	for (ssize_t i = 0; i < length; i++)
		sum = table[(sum ^ buffer[i]) & 255] ^ (sum >> 8);
	return ~sum;
}

static void show(int directory, const char *name, const struct stat *st)
{
	static char target[8192], out[256];
	static const char types[16] = "?pc?d?b?f?l?s???";
	ssize_t length;

	line("/");
	word(path);
	put(out, snprintf(out, sizeof(out), " %c %o %u %u %lu %lld ", types[(st->st_mode & S_IFMT) >> 12],
			  st->st_mode & 07777, st->st_uid, st->st_gid, (unsigned long)st->st_nlink,
			  S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? (long long)st->st_size : 0LL));
	if (S_ISREG(st->st_mode)) {
		put(out, snprintf(out, sizeof(out), "%x", hash(directory, name)));
	} else if (S_ISLNK(st->st_mode)) {
		length = readlinkat(directory, name, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = 0;
		line("=");
		word(target);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		put(out, snprintf(out, sizeof(out), "%u:%u", major(st->st_rdev), minor(st->st_rdev)));
	} else {
		line("-");
	}
	put(out, snprintf(out, sizeof(out), " %lld %llu\n", (long long)st->st_mtime, (unsigned long long)st->st_ino));
}

/* `length` is that of the path, which has no slash at its end. */
static void walk(int directory, const char *name, size_t length)
{
	struct stat st;
	struct dirent *entry;
	DIR *list;
	int child;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	show(directory, name, &st);
	if (!S_ISDIR(st.st_mode))
		return;
	child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	list = fdopendir(child);
	if (list == NULL) {
		line("! a directory that does not open\n");
		return;
	}
	while ((entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		size_t start = length > 0 ? length + 1 : 0;
		size_t end = start + strlen(entry->d_name);
		if (end >= sizeof(path))
			continue;
		if (length > 0)
			path[length] = '/';
		strcpy(path + start, entry->d_name);
		walk(child, path + start, end);
		path[length] = 0;
	}
	closedir(list);
}

int main(void)
{
	struct rlimit files = { 4096, 4096 };
	char *log;
	int size;

	iopl(3);
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = (table[i] >> 1) ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	setrlimit(RLIMIT_NOFILE, &files);
	walk(AT_FDCWD, "/", 0);
	size = klogctl(10, NULL, 0);
	log = malloc(size + 1);
	size = klogctl(3, log, size);
	log[size < 0 ? 0 : size] = 0;
	for (char *text = strtok(log, "\n"); text != NULL; text = strtok(NULL, "\n")) {
		if (strstr(text, "nitramfs") == NULL)
			continue;
		line("> ");
		word(text);
		line("\n");
	}
	line("END\n");
	outb(6, 0xcf9);
	for (;;)
		pause();
}
