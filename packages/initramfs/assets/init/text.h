/* Strings and bytes without a libc. */
#ifndef INIT_TEXT_H
#define INIT_TEXT_H

#include "sys.h"

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

bool text_equal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
const char *text_find(const char *text, char wanted);
/* The decimal number at the start of text, 0 if there is none; *rest (optional) is set after it. */
unsigned long text_number(const char *text, const char **rest);

/* Appends to a bounded buffer, always NUL-terminated; what does not fit is cut. */
struct text {
	char *data;
	size_t size;
	size_t length;
};
#define TEXT(name, bytes)           \
	char name##_data[bytes];    \
	struct text name = {name##_data, bytes, 0}; \
	name##_data[0] = 0

/* %s %c %d %ld %u %lu %x, and %j: a string as the inside of a JSON string. */
void text_add(struct text *to, const char *format, ...);
void text_add_args(struct text *to, const char *format, va_list args);

const char *error_text(long error);

/* A whole file in memory of its own; free with bytes_free(). */
struct bytes {
	char *data;
	size_t length;
	size_t capacity;
};
long bytes_read_file(struct bytes *to, const char *path);
long bytes_append(struct bytes *to, const char *data, size_t length);
void bytes_free(struct bytes *bytes);

#endif
