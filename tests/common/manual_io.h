/** tests/common/manual_io.h - an Io whose completions and clock the test decides.
 *
 * Operations are noted in order of submission and complete when the test says so, in that
 * order within one poll; the shots of a multishot come before what follows it. Every NOP
 * completes by itself with the next poll. A cancel makes its target complete with
 * -ECANCELED, unless it is completing already or `ignore_cancels`. Parking with nothing
 * that could complete moves the clock to the deadline; with no deadline either it is a
 * failure of the test.
 */
#ifndef TESTS_COMMON_MANUAL_IO_H
#define TESTS_COMMON_MANUAL_IO_H

#include "io/io.h"

struct manual_op {
    struct tp_request request;
    char path[64];
    int32_t value;
    bool completing, done;
};

/* A completion of a multishot that goes on. */
struct manual_shot {
    uint64_t handle;
    int32_t value;
    uint32_t buf; /* index of a receive buffer, if it has one */
    bool has_buf;
};

struct manual_io {
    struct tp_io io;
    struct manual_op ops[8192];     /* in order of submission */
    struct manual_shot shots[1024]; /* not delivered yet, in order */
    uint32_t count, shot_count;
    uint32_t delivered_from; /* everything below is done */
    uint64_t now_ns, wall_ns;
    uint32_t cancels;  /* that came in */
    uint32_t unpolled; /* submitted since the last poll */
    uint32_t begins;   /* so many polls to come begin something that the next one submits */
    uint32_t woken;
    bool ignore_cancels;
    uint64_t slept_until; /* of the last park that had to sleep */
};

void manual_io_init(struct manual_io *manual);
void manual_io_deinit(struct manual_io *manual);

/** The newest operation of `kind` that has not completed; NULL if there is none. */
struct manual_op *manual_find(struct manual_io *manual, enum tp_kind kind);

/** Completes it with the next poll. Of what gives a fd, a value >= 0 opens that number. */
void manual_complete(struct manual_op *op, int32_t value);

/** A completion of an accept_many with the next poll: a connection with that fd number. */
void manual_shot(struct manual_io *manual, struct manual_op *op, int32_t value);

/** A completion of a recv_many with the next poll: these bytes, in a receive buffer. */
void manual_receive(struct manual_io *manual, struct manual_op *op, const char *text);

/** How many operations have not completed. */
uint32_t manual_pending(const struct manual_io *manual);

#endif
