/* The channel to the host: frames in and out of one descriptor that never blocks. */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include "frame.h"

/* What one frame from the host may bring forth in answers. */
#define LINK_ANSWER 1024

void link_open(int fd, enum channel channel);
void link_close(void);
int link_fd(void);
enum channel link_channel(void);
/* The most that one frame of output should carry, so that others get their turn. */
size_t link_share(void);

/* Nothing waits to be written. */
bool link_idle(void);
/* There is room for the answers to one more frame. */
bool link_room(void);
/* Where a payload may be put, when the link is idle, for link_commit to send. */
uint8_t *link_payload(void);
void link_commit(enum frame_type type, uint32_t job, size_t length);
void link_send(enum frame_type type, uint32_t job, const void *payload, size_t length);
/* Writes what the channel takes now; false when it is broken. */
bool link_flush(void);

/* Reads what there is; false when the channel is broken. */
bool link_receive(size_t *count);
enum received { RECEIVED_NOTHING, RECEIVED_FRAME, RECEIVED_HELLO, RECEIVED_DAMAGE };
/* The next frame that has come, whose payload stays until the next link_receive. Outside of a session anything but a
   hello is passed over. */
enum received link_next(struct frame *frame, const char **damage);
void link_session(bool open);
bool link_in_session(void);

#endif
