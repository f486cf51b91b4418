/* The control channel: frames to the host, one line each, that survive next to any noise on the line.
   \x1e<seq> <type> <base64 payload> <crc32 of "seq type base64" in hex>\n
   The checksum is zlib's. */
#ifndef INIT_CHANNEL_H
#define INIT_CHANNEL_H

#include "text.h"

/* 0, or why the device could not be opened. */
long channel_open(const char *path);
bool channel_is_open(void);
int channel_fd(void);
void channel_drain(void);

void channel_frame(const char *type, const char *head, size_t head_length, const char *body, size_t body_length);
void channel_send(const char *type, const char *format, ...);

/* Something tolerated. Kept until the channel opens; without one it goes to the console. */
void note(const char *format, ...);
void notes_flush(void);
/* Something that was asked for and could not be done: a line on the console and a frame. */
void fail(long error, const char *what, const char *format, ...);

enum command { COMMAND_NONE, COMMAND_REPORT, COMMAND_POWEROFF };
/* The next whole line from the host, if there is one. */
enum command channel_command(long *argument);

#endif
