/* The wire format, the same in both directions; src/agent/frame.ts is the host's side of it.
   A header of seven little-endian 32-bit words, then the payload:

	magic, type, job, sequence, length of the payload, CRC-32 of the payload, CRC-32 of the words before

   The sequence counts the frames of a session in each direction; a hello starts a session and is always number 0. */
#ifndef AGENT_FRAME_H
#define AGENT_FRAME_H

#include "sys.h"

#define FRAME_MAGIC 0x4154451eu
enum {
	FRAME_HEADER = 28,
	MAX_IN = 65536,
	MAX_OUT = 1048576,
};

enum frame_type {
	/* From the host. */
	FRAME_HELLO = 1, /* 8 bytes that the answer repeats; ends an earlier session with all its jobs */
	FRAME_EXEC = 2, /* records: arg=, env=, cwd=, stdin=null */
	FRAME_READ = 3, /* records: path=, fifo=1 */
	FRAME_WRITE = 4, /* records: path=, mode= in octal; the content comes as input */
	FRAME_INPUT = 5, /* bytes, at most as many as there is credit for; empty: the end */
	FRAME_CREDIT = 6, /* u32: so many more bytes may be sent; in both directions */
	FRAME_KILL = 7, /* u32: signal */
	FRAME_RESEED = 8, /* u64 seconds, u64 nanoseconds of the time of day, then entropy */
	FRAME_POWEROFF = 9,
	FRAME_BYE = 10, /* the end of a poweroff has been read */
	FRAME_PING = 11,
	/* To the host. */
	FRAME_READY = 64, /* the agent has opened the channel */
	FRAME_WELCOME = 65, /* the answer to a hello: its 8 bytes, u32 version, u32 channel, u32 credit for input */
	FRAME_OUTPUT = 66,
	FRAME_ERRORS = 67,
	FRAME_END = 68, /* the last one of a job: u32 enum end, u32 value, u64 ns, u64 bytes of output, u64 of errors,
			   then what wait4(2) tells of a program: u64 each of user and system time in us, of the largest
			   resident set in KiB, minor and major faults, voluntary and involuntary context switches */
	FRAME_DAMAGED = 69, /* text: what was not understood; the session is over */
	FRAME_PONG = 70,
};

enum end { END_EXIT = 0, END_SIGNAL = 1, END_DONE = 2, END_ERROR = 3 };

/* CONSOLE: the only serial port, which the kernel and others write to as well. */
enum channel { CHANNEL_SOCKET = 0, CHANNEL_TTY = 1, CHANNEL_VIRTIO = 2, CHANNEL_CONSOLE = 3 };

struct frame {
	uint32_t type, job, length;
	const uint8_t *payload;
};

void crc32_prepare(void);
uint32_t crc32(const void *data, size_t size);
uint32_t get32(const uint8_t *from);
void put32(uint8_t *to, uint32_t value);
uint64_t get64(const uint8_t *from);
void put64(uint8_t *to, uint64_t value);

#endif
