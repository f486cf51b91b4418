#ifndef INIT_SETTINGS_H
#define INIT_SETTINGS_H

#include "config.h"

/* Writes what the configuration wants in files of /proc and /sys; what cannot be written is a failure. */
void settings_apply(const struct config *config);

#endif
