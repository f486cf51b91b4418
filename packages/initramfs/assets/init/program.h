/* The one program that the appliance is for. */
#ifndef INIT_PROGRAM_H
#define INIT_PROGRAM_H

#include "config.h"

struct program {
	int pid;	/* 0 before it runs and after it ended */
	bool ended;
	int wait_status; /* as wait(2) gives it */
	int master;	/* our side of the program's terminal when its output is copied, else -1 */
};

/* Starts it on the console. If it cannot be started it counts as ended with status 127 (not found) or 126. */
void program_start(struct program *program, const struct config *config);
/* Notes that a child ended. */
void program_reaped(struct program *program, int pid, int status);
/* Copies what it printed meanwhile, prints the end marker and tells the host. */
void program_finish(struct program *program, const struct config *config);

/* pump.c: between the program's terminal and the console. */
void pump_open(const struct config *config);
void pump_output(struct program *program);
struct pump_input {
	char data[256];
	size_t length;
	bool closed;
};
void pump_input(struct program *program, struct pump_input *input, bool console_readable);

#endif
