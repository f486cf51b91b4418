/* Starts a program as the records of a frame say. */
#ifndef AGENT_PROGRAM_H
#define AGENT_PROGRAM_H

#include "sys.h"

struct program {
	int pid;
	int in, out, err; /* our ends of its pipes */
};

/* Zero, or a negative errno. The records are NUL-terminated, the last one too. */
long program_start(struct program *program, const char *records, size_t length);
/* The value of the first record of that key, which has its "="; NULL without one. */
const char *record_find(const char *records, size_t length, const char *key);

#endif
