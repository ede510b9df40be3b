/* embed_epoll.c - Tempest inside a loop of one's own that sleeps in epoll_wait(2). */
#include <sys/epoll.h>
#include <tempest/io/auto/auto.h>

#include "beat.h"

enum { EVENTS_MAX = 8 };

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* 0; or -1 when the machines wait for something that cannot come. */
static int loop(struct tp_scheduler *scheduler, int epoll, int pipe_in)
{
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        enum tp_progress progress = tp_scheduler_tick(scheduler);
        if (progress == TP_FINISHED)
            return 0;
        if (progress == TP_STUCK)
            return -1;
        /* That the scheduler's fd is readable needs no handling: every round ticks. */
        int count = epoll_wait(epoll, events, EVENTS_MAX,
                               progress == TP_PROGRESS ? 0 : sleep_ms(scheduler));
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == pipe_in)
                look_after_the_pipe(pipe_in);
        }
    }
}

int main(void)
{
    struct beat beat = {0};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int ends[2], epoll, status, error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "embed_epoll: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || pipe(ends) != 0 || watch(epoll, ends[0]) != 0 ||
        watch(epoll, tp_scheduler_fd(scheduler)) != 0)
        return perror("embed_epoll"), 1;
    beat.pipe_out = ends[1];
    tp_spawn(scheduler, &beat.machine, beat_tick, "beat");
    status = loop(scheduler, epoll, ends[0]);
    close(ends[1]);
    while (look_after_the_pipe(ends[0]))
        ;
    printf("finished\n");
    close(epoll);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return status < 0;
}
