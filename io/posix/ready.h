/** io/posix/ready.h - which fds are ready: the part that each system has its own call for.
 *
 * Edge-triggered: an event comes when a fd has become readable or writable, once, so
 * whoever sees one goes on until the fd would block. A fd that is added while it is ready
 * brings an event too. Nothing else of PosixIo knows the call behind it: ready_epoll.c, and
 * one file more for a system with another.
 */
#ifndef TEMPEST_IO_POSIX_READY_H
#define TEMPEST_IO_POSIX_READY_H

#include "io/base.h"

enum tp_posix_what {
    TP_POSIX_CAN_READ = 1,
    TP_POSIX_CAN_WRITE = 2,
    TP_POSIX_ENDED = 4, /* the peer has sent all, or the connection is broken */
};

struct tp_posix_event {
    int fd;
    uint32_t what; /* enum tp_posix_what */
};

struct tp_posix_ready {
    int fd;      /* readable while there is an event; -1: none */
    bool coarse; /* the system waits in whole milliseconds */
};

extern const char tp_posix_ready_name[];

/** 0, or -errno. */
int tp_posix_ready_open(struct tp_posix_ready *ready);
void tp_posix_ready_close(struct tp_posix_ready *ready);

/** Tells of a fd from now on, in both directions. 0, or -errno. */
int tp_posix_ready_add(struct tp_posix_ready *ready, int fd);

/** The same, for as long as it is readable (level-triggered). */
int tp_posix_ready_add_level(struct tp_posix_ready *ready, int fd);

/** No more; before the fd is closed. */
void tp_posix_ready_remove(struct tp_posix_ready *ready, int fd);

/** Waits for events, at most `timeout_ns` (TP_NEVER: no limit). Returns how many came, or
 * -EINTR: a signal has ended it. */
int tp_posix_ready_wait(struct tp_posix_ready *ready, uint64_t timeout_ns,
                        struct tp_posix_event *ret_events, uint32_t events_max);

#endif
