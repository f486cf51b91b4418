/* What the running system says of itself, read without disturbing what is measured. */
#ifndef INIT_REPORT_H
#define INIT_REPORT_H

#include "sys.h"

/* Takes the snapshots of now, then is silent: a settling time, then a window of so many milliseconds at whose
   ends the interrupt counters are read. Everything is sent after it, so the serial line causes no interrupt
   inside. A second request while one runs is ignored. */
void report_begin(long window_ms);
bool report_running(void);
/* When report_step() wants to be called next, as monotonic_ns(). */
uint64_t report_deadline(void);
void report_step(void);

#endif
