/* embed_poll.c - Tempest inside a loop of one's own that sleeps in poll(2). */
#include <poll.h>
#include <tempest/io/auto/auto.h>

#include "beat.h"

/* 0; or -1 when the machines wait for something that cannot come. */
static int loop(struct tp_scheduler *scheduler, int pipe_in)
{
    struct pollfd fds[2] = {{.fd = pipe_in, .events = POLLIN},
                            {.fd = tp_scheduler_fd(scheduler), .events = POLLIN}};

    for (;;) {
        enum tp_progress progress = tp_scheduler_tick(scheduler);
        if (progress == TP_FINISHED)
            return 0;
        if (progress == TP_STUCK)
            return -1;
        if (poll(fds, 2, progress == TP_PROGRESS ? 0 : sleep_ms(scheduler)) < 0)
            continue; /* interrupted by a signal */
        if ((fds[0].revents & POLLIN) != 0)
            look_after_the_pipe(pipe_in);
    }
}

int main(void)
{
    struct beat beat = {0};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int ends[2], status, error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "embed_poll: %s\n", tp_auto_io_refusal(error)), 1;
    if (pipe(ends) != 0)
        return perror("pipe"), 1;
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    beat.pipe_out = ends[1];
    tp_spawn(scheduler, &beat.machine, beat_tick, "beat");
    status = loop(scheduler, ends[0]);
    close(ends[1]);
    while (look_after_the_pipe(ends[0]))
        ;
    printf("finished\n");
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return status < 0;
}
