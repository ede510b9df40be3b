/* embed_libuv.c - Tempest inside libuv's loop: a poll handle for its fd, a timer for its
 * timeout. */
#include <tempest/io/auto/auto.h>
#include <uv.h>

#include "beat.h"

struct host {
    struct tp_scheduler *scheduler;
    uv_poll_t ready;  /* the scheduler's fd */
    uv_timer_t timer; /* its timeout, or another round at once */
    uv_poll_t pipe;   /* the host's own business */
    int pipe_in;
    int status;
};

static void on_timer(uv_timer_t *timer);

static void stop(struct host *host, int status)
{
    host->status = status;
    uv_close((uv_handle_t *)&host->ready, NULL);
    uv_close((uv_handle_t *)&host->timer, NULL);
    uv_close((uv_handle_t *)&host->pipe, NULL);
}

/* One iteration; then libuv is told how long to sleep. Not a loop until there is nothing
 * left to do: the host's other handles get their turn in between. */
static void pump(struct host *host)
{
    enum tp_progress progress = tp_scheduler_tick(host->scheduler);

    if (progress == TP_FINISHED || progress == TP_STUCK) {
        stop(host, progress == TP_FINISHED ? 0 : -1);
        return;
    }
    int ms = progress == TP_PROGRESS ? 0 : sleep_ms(host->scheduler);
    if (ms < 0)
        uv_timer_stop(&host->timer);
    else
        uv_timer_start(&host->timer, on_timer, (uint64_t)ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_ready(uv_poll_t *ready, int status, int events)
{
    (void)status, (void)events;
    pump(ready->data);
}

static void on_pipe(uv_poll_t *pipe, int status, int events)
{
    (void)status, (void)events;
    look_after_the_pipe(((struct host *)pipe->data)->pipe_in);
}

static void run(struct host *host)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    uv_poll_init(&loop, &host->ready, tp_scheduler_fd(host->scheduler));
    uv_poll_init(&loop, &host->pipe, host->pipe_in);
    uv_timer_init(&loop, &host->timer);
    host->ready.data = host->timer.data = host->pipe.data = host;
    uv_poll_start(&host->ready, UV_READABLE, on_ready);
    uv_poll_start(&host->pipe, UV_READABLE, on_pipe);
    pump(host); /* submits what is queued, and sets the timer */
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

int main(void)
{
    struct beat beat = {0};
    struct host host = {0};
    struct tp_io *io;
    int ends[2], error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "embed_libuv: %s\n", tp_auto_io_refusal(error)), 1;
    if (pipe(ends) != 0)
        return perror("pipe"), 1;
    host.scheduler = tp_scheduler_create(io, 16);
    tp_assert(host.scheduler != NULL);
    host.pipe_in = ends[0];
    beat.pipe_out = ends[1];
    tp_spawn(host.scheduler, &beat.machine, beat_tick, "beat");
    run(&host);
    close(ends[1]);
    while (look_after_the_pipe(ends[0]))
        ;
    printf("finished\n");
    tp_scheduler_destroy(host.scheduler);
    tp_io_destroy(io);
    return host.status < 0;
}
