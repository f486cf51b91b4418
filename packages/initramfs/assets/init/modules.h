#ifndef INIT_MODULES_H
#define INIT_MODULES_H

#include "config.h"

/* Loads the modules in the order given: the image's builder has put dependencies first. */
void modules_load(const struct config *config);

#endif
