#include "posix_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/posix/process_internal.h"

uint64_t tp_posix_clock(struct tp_io *io, enum tp_clock clock)
{
    const uint64_t ns = tp_posix_clock_ns(clock);

    return clock == TP_CLOCK_MONOTONIC ? ns - tp_posix_of(io)->epoch_ns : ns;
}

uint32_t tp_posix_unsubmitted(const struct tp_io *io)
{
    const struct tp_posix_io *self = (const struct tp_posix_io *)(const void *)io;

    return self->trying.count + self->workers.unsent.count + tp_posix_feedable(self);
}

/* ------------------------------------------------------------------ the threads */

/* A direct read waits for the disk, however it is asked not to. */
static int32_t opened(struct tp_posix_io *self, int32_t fd, bool direct)
{
    const int32_t value = tp_posix_opened(self, fd, TP_POSIX_FILE);

    if (value >= 0)
        self->files[value].cached = !direct;
    return value;
}

/* The owner's part of what a thread has done: its result becomes the operation's. */
static int32_t finish(struct tp_posix_io *self, const struct tp_posix_record *record)
{
    const uint32_t kind = record->request.kind;
    const int32_t result = record->result;

    if (kind == TP_CLOSE && result == -EINTR)
        return 0; /* closed all the same */
    if (result < 0 || (tp_kind_info[kind].traits & TP_GIVES_FD) == 0)
        return result;
    if (kind == TP_OPEN)
        return opened(self, result, record->request.b.options.direct);
    if (record->cancelled != 0 && kind == TP_CONNECT) {
        (void)close(result);
        return -ECANCELED;
    }
    return tp_posix_socket_made(self, result, tp_posix_sort_given(kind));
}

static void reap_workers(struct tp_posix_io *self)
{
    while (self->workers.finished.count > 0 && tp_io_completions_room(&self->io) > 0) {
        struct tp_posix_record *record =
            tp_posix_list_pop(&self->records, &self->workers.finished);
        const struct tp_request request = record->request;
        const int32_t value = finish(self, record);

        tp_posix_record_free(&self->records, record);
        tp_posix_unhold(self, &request);
        tp_io_complete(&self->io, request.handle, value, 0);
    }
}

/* Sends what was collected during the tick to the threads. */
static void send_jobs(struct tp_posix_io *self)
{
    if (self->workers.unsent.count == 0 || tp_posix_workers_send(&self->workers) == 0)
        return;
    tp_log_write(&self->io.log, TP_LOG_ERROR, "no worker thread can be started", NULL, 0);
    tp_posix_workers_collect(&self->workers);
}

/* ------------------------------------------------------------------ readiness */

static void try_all(struct tp_posix_io *self)
{
    while (self->trying.count > 0 && tp_io_completions_room(&self->io) > 0) {
        struct tp_posix_record *record = tp_posix_list_pop(&self->records, &self->trying);
        const uint64_t handle = record->request.handle;
        int32_t value;

        if (!tp_posix_try(self, record, &value))
            continue;
        tp_posix_record_free(&self->records, record);
        tp_io_complete(&self->io, handle, value, 0);
    }
}

static void take_event(struct tp_posix_io *self, const struct tp_posix_event *event)
{
    const uint32_t number = (uint32_t)event->fd;

    if (event->fd == self->wake_fds[0]) {
        tp_posix_wake_drain(self);
        return;
    }
    tp_assert(number < self->files_count && self->files[number].watched);
    if ((event->what & TP_POSIX_ENDED) != 0)
        self->files[number].ended = true;
    if ((event->what & TP_POSIX_CAN_READ) != 0)
        tp_posix_go_on(self, number, TP_POSIX_READING);
    if ((event->what & TP_POSIX_CAN_WRITE) != 0)
        tp_posix_go_on(self, number, TP_POSIX_WRITING);
}

/* The one wait of an iteration. Those that may go on are behind nothing: a close that was
 * not yet tried would leave them with a fd that is another's. */
static int ask(struct tp_posix_io *self, uint64_t timeout_ns)
{
    int count;

    tp_assert(self->trying.count == 0);
    self->io.stats.enters++;
    count =
        tp_posix_ready_wait(&self->ready, timeout_ns, self->events, TP_POSIX_EVENTS_MAX);
    for (int i = 0; i < count; i++)
        take_event(self, &self->events[i]);
    return count;
}

/* ------------------------------------------------------------------ an iteration */

/* All that needs no wait. */
static void work(struct tp_posix_io *self)
{
    tp_posix_wake_look(self);
    tp_posix_feed(self);
    send_jobs(self);
    reap_workers(self);
    try_all(self);
    send_jobs(self); /* closes that waited for a thread, or for their turn */
}

/* A host sleeps on the fd: whatever a poll would find makes it readable. */
static void leave_to_host(struct tp_posix_io *self)
{
    if (!self->hosted)
        return;
    if (!tp_posix_wake_arm(self) || self->workers.finished.count > 0 ||
        self->trying.count > 0)
        tp_posix_wake_write(self);
}

static bool may_ask(struct tp_posix_io *self)
{
    return self->trying.count == 0 && (self->pending > 0 || self->hosted) &&
           tp_io_completions_room(&self->io) > 0;
}

static void look_round(struct tp_posix_io *self)
{
    if (may_ask(self) && ask(self, 0) > 0)
        work(self);
}

void tp_posix_poll(struct tp_io *io)
{
    struct tp_posix_io *self = tp_posix_of(io);

    tp_posix_check_owner(self);
    if (self->hosted)
        tp_posix_wake_disarm(self);
    work(self);
    look_round(self);
    leave_to_host(self);
}

/* Waits until an operation may go on, somebody wakes, or the time is over. A signal does
 * not end the wait: whoever wants that calls tp_io_wake() in the handler. Nor does a wake
 * whose reason was found before it was written. */
static void sleep_until(struct tp_posix_io *self, uint64_t deadline_ns)
{
    const uint64_t before = self->io.stats.enters;
    uint64_t timeout_ns = TP_NEVER;
    int count;

    if (!tp_posix_wake_arm(self))
        timeout_ns = 0;
    do {
        if (deadline_ns != TP_NEVER && timeout_ns != 0) {
            const uint64_t now_ns = tp_posix_clock(&self->io, TP_CLOCK_MONOTONIC);

            timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        }
        count = ask(self, timeout_ns);
    } while (count != 0 && timeout_ns != 0 && self->trying.count == 0 &&
             !tp_posix_wake_is_there(self));
    self->io.stats.enters_extra += self->io.stats.enters - before - 1;
    tp_posix_wake_disarm(self);
    work(self);
}

void tp_posix_park(struct tp_io *io, uint64_t deadline_ns)
{
    struct tp_posix_io *self = tp_posix_of(io);
    const uint32_t before = io->completions.count;

    tp_posix_check_owner(self);
    if (self->hosted)
        tp_posix_wake_disarm(self);
    work(self);
    if (self->woken || io->completions.count > before || io->rejected_count > 0 ||
        self->trying.count > 0 || tp_io_completions_room(io) == 0)
        look_round(self);
    else
        sleep_until(self, deadline_ns);
    leave_to_host(self);
    self->woken = false;
}

int tp_posix_pollable(const struct tp_io *io)
{
    /* The caller does not see it change, though the first call makes wakes be written. */
    struct tp_posix_io *self = tp_posix_of((struct tp_io *)(uintptr_t)io);

    if (!self->hosted) {
        self->hosted = true;
        leave_to_host(self);
    }
    return self->ready.fd;
}
