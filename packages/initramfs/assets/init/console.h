/* What a person, or the program that reads the serial line, sees. */
#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

#include "text.h"

/* Opens /dev/console, also as standard input, output and error; /dev/null if the kernel has no console. */
void console_open(void);
int console_fd(void);
/* One line, "init: ..." */
void say(const char *format, ...);

enum tty_mode { TTY_AS_FOUND, TTY_COOKED, TTY_EXACT, TTY_CHANNEL };
/* Sets how a terminal treats bytes; silently does nothing to what is no terminal. */
void tty_set(int fd, enum tty_mode mode);
/* Waits until the terminal has sent everything. */
void tty_drain(int fd);

/* Only panics reach the console from here on: program output must not be mixed with the kernel's log. */
void console_quiet_kernel(void);
/* "\n\x1e[appliance TOKEN what]\n", byte for byte. */
void console_marker(const char *token, const char *what);

#endif
