/* beat.h - what the three embedding examples run: a machine that beats three times, and the
 * host's own business, a pipe, which stands for its sockets. */
#ifndef EXAMPLES_BEAT_H
#define EXAMPLES_BEAT_H

#include <errno.h>
#include <stdio.h>
#include <tempest/sm/periodic.h>
#include <tempest/tempest.h>
#include <unistd.h>

struct beat {
    struct tp_machine machine;
    struct tp_periodic periodic;
    int pipe_out;
};

static enum tp_step beat_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct beat *b = tp_container_of(machine, struct beat, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_periodic_init(cx, &b->periodic, 10 * 1000 * 1000, TP_PERIODIC_SKIP);
    while (b->periodic.told < 3) {
        TP_AWAIT(cx, tp_periodic_next(cx, &b->periodic), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        if (write(b->pipe_out, "!", 1) != 1)
            return tp_end(machine, -EIO);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* The host's business: false when there is no more of it. */
static bool look_after_the_pipe(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1)
        return false;
    printf("the host got %c\n", byte);
    return true;
}

/* Milliseconds to sleep, -1 for ever; rounded up, since too early would only mean another
 * round. */
static int sleep_ms(struct tp_scheduler *scheduler)
{
    int64_t ns = tp_scheduler_timeout_ns(scheduler);

    if (ns < 0)
        return -1;
    return ns > INT64_C(3600000000000) ? 3600000 : (int)((ns + 999999) / 1000000);
}

#endif
