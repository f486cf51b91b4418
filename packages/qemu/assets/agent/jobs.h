/* What the host has asked for and what is not yet done: programs that run, files that are read or written. */
#ifndef AGENT_JOBS_H
#define AGENT_JOBS_H

#include "frame.h"

enum {
	MAX_JOBS = 32,
	INPUT_WINDOW = 65536, /* what the host may send ahead of what the program reads */
};

void jobs_init(void);
/* A frame that starts a job or is for one; false when it makes no sense. */
bool jobs_frame(const struct frame *frame);
/* Ends all at once, without a word. */
void jobs_abandon(void);
/* Takes note of the programs that have ended. */
void jobs_reap(void);
/* Adds what is to be waited for; true when there is something to do without waiting. */
bool jobs_poll(struct pollfd *fds, unsigned *count);
enum { JOB_POLLFDS = 3 * MAX_JOBS };
/* Moves bytes, at most one frame of output. */
void jobs_work(const struct pollfd *fds, unsigned count);
void job_end(uint32_t id, enum end how, uint32_t value);

#endif
