#ifndef INIT_CAPABILITIES_H
#define INIT_CAPABILITIES_H

#include "config.h"

/* Gives programs the file capabilities that they had in the archive they come from: cpio cannot hold them. */
void capabilities_restore(const struct config *config);

#endif
