/* Finds the channel to the host: the virtio port named "agent", or the second serial port. */
#ifndef AGENT_PORTS_H
#define AGENT_PORTS_H

#include "frame.h"

/* A descriptor, or -1: not yet. May wait for two seconds when a driver has only just taken on its device. */
int ports_open(const char *device, enum channel *channel);
/* The virtio port, for a link that waits on the serial one. */
int ports_open_virtio(void);

#endif
