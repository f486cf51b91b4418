#include "frame.h"

/* CRC-32 as in zlib, eight bytes a step (Sarwate's table, and those of the seven bytes behind it). */
static uint32_t tables[8][256];

void crc32_prepare(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;
		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
		tables[0][i] = value;
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 255];
}

typedef uint64_t __attribute__((may_alias)) word;

static uint32_t by_tables(uint32_t crc, const uint8_t *at, size_t size)
{
	for (; size && (uintptr_t)at & 7; size--)
		crc = crc >> 8 ^ tables[0][(crc ^ *at++) & 255];
	/* All machines of the agent are little-endian. */
	for (; size >= 8; size -= 8, at += 8) {
		uint64_t v = *(const word *)at ^ crc;
		crc = tables[7][v & 255] ^ tables[6][v >> 8 & 255] ^ tables[5][v >> 16 & 255] ^
		      tables[4][v >> 24 & 255] ^ tables[3][v >> 32 & 255] ^ tables[2][v >> 40 & 255] ^
		      tables[1][v >> 48 & 255] ^ tables[0][v >> 56];
	}
	while (size--)
		crc = crc >> 8 ^ tables[0][(crc ^ *at++) & 255];
	return crc;
}

/* Long data is folded first, which an emulated processor does in a third of the time: its loads from tables are dear.
   CRC-32's polynomial divides x^19200 + x^9920 + x^7488 + x^5696 + 1, so that the remainder stays when a word of 64
   bits is taken away and added to those that come 145, 183, 211 and 300 words later. In the end only the last 300
   words are not zero. */
enum { FOLD_A = 145, FOLD_B = 183, FOLD_C = 211, FOLD_D = 300 };

static uint32_t folded(uint32_t crc, const uint8_t *data, size_t size)
{
	/* What each word has become; zeros stand before the first. */
	static uint64_t became[FOLD_D + MAX_OUT / 8];
	const word *in = (const word *)data;
	uint64_t *to = became + FOLD_D;
	size_t words = size / 8, rest = words - FOLD_D;
	to[0] = in[0] ^ crc;
	for (size_t k = 1; k < rest; k++)
		to[k] = in[k] ^ *(to + k - FOLD_A) ^ *(to + k - FOLD_B) ^ *(to + k - FOLD_C) ^ *(to + k - FOLD_D);
	for (size_t k = rest; k < words; k++)
		to[k] = in[k] ^ (k - FOLD_A < rest ? *(to + k - FOLD_A) : 0) ^
			(k - FOLD_B < rest ? *(to + k - FOLD_B) : 0) ^ (k - FOLD_C < rest ? *(to + k - FOLD_C) : 0) ^
			*(to + k - FOLD_D);
	crc = by_tables(0, (const uint8_t *)(to + rest), 8 * FOLD_D);
	return by_tables(crc, data + 8 * words, size % 8);
}

uint32_t crc32(const void *data, size_t size)
{
	bool fold = size >= 4 * 8 * FOLD_D && size <= MAX_OUT && ((uintptr_t)data & 7) == 0;
	return ~(fold ? folded(~0u, data, size) : by_tables(~0u, data, size));
}

uint32_t get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

uint64_t get64(const uint8_t *from)
{
	return get32(from) | (uint64_t)get32(from + 4) << 32;
}

void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)value);
	put32(to + 4, (uint32_t)(value >> 32));
}
