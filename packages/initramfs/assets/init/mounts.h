#ifndef INIT_MOUNTS_H
#define INIT_MOUNTS_H

/* The file systems that programs take for granted. What the kernel was built without becomes a note. */
void mounts_make(void);

#endif
