/* What concerns the whole guest. */
#ifndef AGENT_SYSTEM_H
#define AGENT_SYSTEM_H

#include "sys.h"

/* Mounts /proc, /sys and /dev where they are missing, and opens the first three descriptors if they are not. */
void system_prepare(void);
/* The payload of FRAME_RESEED; zero or a negative errno. */
long system_reseed(const uint8_t *payload, size_t length);
void system_power_off(void);

#endif
