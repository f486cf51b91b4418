#include "text.h"

/* GCC may call these four for plain C (GCC manual, "Standards"), so they must exist. */
void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	while (size--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	if (t <= f)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint8_t *t = to;
	while (size--)
		*t++ = (uint8_t)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a, *y = b;
	for (; size; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

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

const char *text_find(const char *text, char wanted)
{
	for (; *text; text++)
		if (*text == wanted)
			return text;
	return NULL;
}

unsigned long text_number(const char *text, const char **rest)
{
	unsigned long value = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned long)(*text - '0');
	if (rest)
		*rest = text;
	return value;
}

static void add_char(struct text *to, char c)
{
	if (to->length + 1 >= to->size)
		return;
	to->data[to->length++] = c;
	to->data[to->length] = 0;
}

static void add_number(struct text *to, unsigned long value, unsigned base)
{
	char digits[24];
	int count = 0;
	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		add_char(to, digits[--count]);
}

static void add_json(struct text *to, const char *text)
{
	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;
		if (c == '"' || c == '\\') {
			add_char(to, '\\');
			add_char(to, (char)c);
		} else if (c < 0x20 || c > 0x7e) {
			/* File names are bytes: Latin-1 escapes keep the JSON valid whatever they hold. */
			static const char hex[] = "0123456789abcdef";
			const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
			for (size_t i = 0; i < sizeof escape; i++)
				add_char(to, escape[i]);
		} else {
			add_char(to, (char)c);
		}
	}
}

void text_add_args(struct text *to, const char *format, va_list args)
{
	for (; *format; format++) {
		if (*format != '%') {
			add_char(to, *format);
			continue;
		}
		bool is_long = *++format == 'l';
		if (is_long)
			format++;
		switch (*format) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++)
				add_char(to, *s);
			break;
		case 'j':
			add_json(to, va_arg(args, const char *));
			break;
		case 'c':
			add_char(to, (char)va_arg(args, int));
			break;
		case 'd': {
			long value = is_long ? va_arg(args, long) : va_arg(args, int);
			if (value < 0)
				add_char(to, '-');
			add_number(to, value < 0 ? -(unsigned long)value : (unsigned long)value, 10);
			break;
		}
		case 'u':
		case 'x': {
			unsigned long value = is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned);
			add_number(to, value, *format == 'x' ? 16 : 10);
			break;
		}
		case '%':
			add_char(to, '%');
			break;
		default:
			return;
		}
	}
}

void text_add(struct text *to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	text_add_args(to, format, args);
	va_end(args);
}

const char *error_text(long error)
{
	static char unknown[24];
	switch (error < 0 ? -error : error) {
	case EPERM: return "operation not permitted";
	case ENOENT: return "no such file";
	case EIO: return "input/output error";
	case ENXIO: return "no such device or address";
	case E2BIG: return "argument list too long";
	case ENOEXEC: return "not in a format that this kernel can execute";
	case ENOMEM: return "out of memory";
	case EACCES: return "permission denied";
	case EBUSY: return "busy";
	case EEXIST: return "exists already";
	case ENODEV: return "no such device, or not supported by this kernel";
	case ENOTDIR: return "not a directory";
	case EISDIR: return "is a directory";
	case EINVAL: return "invalid argument";
	case ENOSPC: return "no space left";
	case ELOOP: return "too many symbolic links";
	case ENOSYS: return "not supported by this kernel";
	case EAFNOSUPPORT: return "address family not supported by this kernel";
	case ENETDOWN: return "network is down";
	case ENETUNREACH: return "network is unreachable";
	case ETIMEDOUT: return "timed out";
	}
	struct text text = {unknown, sizeof unknown, 0};
	text_add(&text, "error %ld", error < 0 ? -error : error);
	return unknown;
}
