#include "linux_internal.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "io/posix/process_internal.h"
#include "io/recv_pool.h"

uint64_t tp_linux_clock(struct tp_io *io, enum tp_clock clock)
{
    const uint64_t ns = tp_posix_clock_ns(clock);

    return clock == TP_CLOCK_MONOTONIC ? ns - tp_linux_of(io)->epoch_ns : ns;
}

static int enter(struct tp_linux_io *self, uint32_t min_complete, uint64_t timeout_ns)
{
    self->io.stats.enters++;
    return tp_linux_ring_enter(&self->ring, min_complete, timeout_ns);
}

/* Whether only an enter can tell if something has completed: without TASKRUN_FLAG. */
static bool must_ask(struct tp_linux_io *self)
{
    return tp_linux_ring_is_silent(&self->ring) &&
           (tp_linux_ring_in_flight(&self->ring) > (self->wake_armed ? 1U : 0U) ||
            self->workers.outstanding > 0 ||
            atomic_load_explicit(&self->wake_reasons, memory_order_relaxed) != 0);
}

static void enter_with_reason(struct tp_linux_io *self)
{
    if (tp_linux_ring_pending(&self->ring) > 0 || tp_linux_ring_has_work(&self->ring) ||
        must_ask(self))
        (void)enter(self, 0, 0);
}

/* Sends what was collected during the tick to the worker threads. */
static void send_jobs(struct tp_linux_io *self)
{
    if (tp_posix_workers_send(&self->workers) < 0) {
        tp_log_write(&self->io.log, TP_LOG_ERROR, "no worker thread can be started", NULL,
                     0);
        tp_posix_workers_collect(&self->workers);
    }
}

static bool has_returned_bufs(const struct tp_linux_io *self)
{
    const struct tp_recv_pool *pool = self->io.recv_bufs;

    return pool != NULL && (pool->returned_count > 0 || self->recv.starved.count > 0);
}

void tp_linux_poll(struct tp_io *io)
{
    struct tp_linux_io *self = tp_linux_of(io);

    tp_linux_check_owner(self);
    tp_linux_watch_end(self);
    if (has_returned_bufs(self))
        tp_linux_recv_refill(self);
    if (self->workers.unsent.count > 0)
        send_jobs(self);
    enter_with_reason(self);
    tp_linux_reap(self);
    tp_linux_release(self);
    tp_linux_watch_begin(self);
}

/* Valgrind stops all threads of the program while one is in io_uring_enter, so that a
 * worker could never end the wait. It knows that poll blocks. */
static int wait_on_valgrind(struct tp_linux_io *self, uint64_t timeout_ns)
{
    struct pollfd fd = {.fd = tp_linux_watch_fd(self), .events = POLLIN};
    const struct timespec timeout = {(time_t)(timeout_ns / 1000000000U),
                                     (long)(timeout_ns % 1000000000U)};

    tp_assert(fd.fd >= 0);
    (void)enter(self, 0, 0);
    tp_linux_watch_begin(self);
    if (tp_linux_ring_ready(&self->ring) == 0)
        (void)ppoll(&fd, 1, timeout_ns == TP_NEVER ? NULL : &timeout, NULL);
    tp_linux_watch_end(self);
    return enter(self, 0, 0);
}

/* Waits in the kernel until the completion queue has something or the time is over. A
 * signal does not end the wait: whoever wants that calls tp_io_wake() in the handler. */
static void wait_in_kernel(struct tp_linux_io *self, uint64_t deadline_ns)
{
    const uint64_t before = self->io.stats.enters;
    uint64_t timeout_ns = TP_NEVER;
    int error = 0;

    do {
        if (deadline_ns != TP_NEVER) {
            const uint64_t now_ns = tp_linux_clock(&self->io, TP_CLOCK_MONOTONIC);

            timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        }
        if (timeout_ns == 0)
            enter_with_reason(self);
        else
            error = self->on_valgrind ? wait_on_valgrind(self, timeout_ns)
                                      : enter(self, 1, timeout_ns);
    } while (timeout_ns != 0 && (error == 0 || error == -EINTR) &&
             tp_linux_ring_ready(&self->ring) == 0 &&
             tp_linux_ring_pending(&self->ring) == 0);
    if (self->io.stats.enters > before + 1) /* a signal came, or Valgrind is there */
        self->io.stats.enters_extra += self->io.stats.enters - before - 1;
}

void tp_linux_park(struct tp_io *io, uint64_t deadline_ns)
{
    struct tp_linux_io *self = tp_linux_of(io);

    tp_linux_check_owner(self);
    tp_linux_watch_end(self);
    if (has_returned_bufs(self))
        tp_linux_recv_refill(self);
    if (self->workers.unsent.count > 0)
        send_jobs(self);
    if (self->woken || self->workers.finished.count > 0 ||
        tp_linux_ring_ready(&self->ring) > 0 || tp_io_completions_room(io) == 0)
        enter_with_reason(self);
    else
        wait_in_kernel(self, deadline_ns);
    tp_linux_reap(self);
    tp_linux_release(self);
    tp_linux_watch_begin(self);
    self->woken = false;
}
