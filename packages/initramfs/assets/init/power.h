#ifndef INIT_POWER_H
#define INIT_POWER_H

#include "config.h"

/* Ends every process, writes caches back, then does what the image asked for. Never returns. */
void __attribute__((noreturn)) power_end(enum after after);

#endif
