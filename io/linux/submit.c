#include "entries_internal.h"

/* ------------------------------------------------------------------ holding back */

/* Counts an operation that has not begun (or no longer does) with the fds that it is about.
 * A close is never counted: it is what waits for the others. */
static void hold(struct tp_linux_io *self, const struct tp_request *request, bool begins)
{
    uint32_t numbers[2];
    const uint32_t count = tp_posix_fds_of(request, numbers);

    if (request->kind == TP_CLOSE)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct tp_linux_file *file = &self->files.items[numbers[i]];

        tp_assert(numbers[i] < self->files.capacity && (begins || file->held > 0));
        file->held += begins ? 1U : UINT32_MAX;
    }
}

static void stall(struct tp_linux_io *self, struct tp_posix_record *record)
{
    record->state = TP_POSIX_STALLED;
    tp_posix_list_append(&self->records, &self->stalled, record);
    hold(self, &record->request, true);
}

bool tp_linux_make_space(struct tp_linux_io *self)
{
    if (tp_linux_ring_space(&self->ring) >= TP_LINUX_ENTRIES_MAX)
        return true;
    tp_linux_ring_flush(&self->ring);
    self->io.stats.enters++;
    self->io.stats.enters_extra++;
    return tp_linux_ring_space(&self->ring) >= TP_LINUX_ENTRIES_MAX;
}

/* The user_data of an operation without a record. One that may wait for a peer for ever is
 * not under the cap. */
static inline uint64_t plain_data(struct tp_linux_io *self,
                                  const struct tp_request *request)
{
    if ((tp_kind_info[request->kind].traits & TP_WAITS) == 0)
        return request->handle;
    self->ring.uncounted++;
    return tp_linux_tagged(TP_LINUX_TAG_WAITS, request->handle);
}

/* Puts an operation with a record into the ring; there is space. */
static void place(struct tp_linux_io *self, struct tp_posix_record *record)
{
    const uint32_t kind = record->request.kind;

    if (kind == TP_CANCEL) {
        const struct tp_request request = record->request;

        tp_posix_record_free(&self->records, record);
        tp_linux_cancel(self, &request);
        return;
    }
    if (self->route[kind] == TP_LINUX_ROUTE_PLAIN) {
        tp_linux_fill_plain(self, &record->request, plain_data(self, &record->request));
        tp_posix_record_free(&self->records, record);
        return;
    }
    if (kind == TP_CLOSE && self->files.items[record->request.fd.number].starved > 0)
        tp_linux_recv_closed(self, record->request.fd.number);
    record->state = TP_POSIX_IN_RING;
    if ((tp_kind_info[kind].traits & (TP_NEVER_WAITS | TP_WAITS)) != 0) {
        record->uncounted = 1;
        self->ring.uncounted++;
    }
    tp_linux_fill_recorded(self, record);
}

static void place_or_stall(struct tp_linux_io *self, struct tp_posix_record *record)
{
    if (tp_linux_make_space(self))
        place(self, record);
    else
        stall(self, record);
}

/* A close that nothing is left to wait for. */
static void close_at_last(struct tp_linux_io *self, uint32_t number)
{
    struct tp_linux_file *file = &self->files.items[number];
    struct tp_posix_record *record;

    if (file->held > 0 || file->closing == 0)
        return;
    record = tp_posix_record_at(&self->records, file->closing);
    file->closing = 0;
    tp_assert(record->state == TP_POSIX_CLOSING);
    place_or_stall(self, record);
}

void tp_linux_go_on(struct tp_linux_io *self, struct tp_posix_record *record)
{
    if (tp_linux_ring_space(&self->ring) >= TP_LINUX_ENTRIES_MAX)
        place(self, record);
    else
        stall(self, record);
}

void tp_linux_unhold(struct tp_linux_io *self, const struct tp_request *request)
{
    uint32_t numbers[2];
    const uint32_t count = tp_posix_fds_of(request, numbers);

    hold(self, request, false);
    for (uint32_t i = 0; i < count && request->kind != TP_CLOSE; i++)
        close_at_last(self, numbers[i]);
}

static void release_list(struct tp_linux_io *self, struct tp_posix_list *list, bool capped)
{
    const uint32_t space = capped ? 1 : TP_LINUX_ENTRIES_MAX; /* a close is never capped */

    while (list->count > 0 && tp_linux_ring_space(&self->ring) >= space &&
           (!capped || tp_linux_below_cap(self))) {
        struct tp_posix_record *record = tp_posix_list_pop(&self->records, list);
        const struct tp_request request = record->request; /* place() may free it */

        place(self, record);
        tp_linux_unhold(self, &request);
    }
}

void tp_linux_release(struct tp_linux_io *self)
{
    if (!self->wake_armed && tp_linux_ring_space(&self->ring) > 0)
        tp_linux_wake_arm(self);
    if (self->stalled.count > 0)
        release_list(self, &self->stalled, false);
    if (self->waiting.count > 0)
        release_list(self, &self->waiting, true);
}

/* ------------------------------------------------------------------ submission */

static void submit_close(struct tp_linux_io *self, struct tp_posix_record *record)
{
    struct tp_linux_file *file = &self->files.items[record->request.fd.number];

    if (file->held > 0) {
        tp_assert(file->closing == 0);
        record->state = TP_POSIX_CLOSING;
        file->closing = tp_posix_record_number(&self->records, record);
    } else {
        place_or_stall(self, record);
    }
}

/* Whether a thread does it, or its first step. */
static bool starts_on_thread(const struct tp_linux_io *self,
                             const struct tp_request *request)
{
    const struct tp_socket_options *options = &request->b.socket;

    if (request->kind != TP_CONNECT)
        return self->route[request->kind] == TP_LINUX_ROUTE_WORKER;
    return self->sockets_by_thread || request->a.address->family == TP_ADDRESS_UNIX ||
           options->recv_buffer_bytes != 0 || options->send_buffer_bytes != 0 ||
           options->keep_alive_s != 0 || options->no_delay;
}

static void submit_recorded(struct tp_linux_io *self, const struct tp_request *request)
{
    struct tp_posix_record *record = tp_posix_record_make(&self->records, request);
    const uint32_t traits = tp_kind_info[request->kind].traits;

    if (request->kind == TP_CLOSE) {
        submit_close(self, record);
    } else if (starts_on_thread(self, request)) {
        hold(self, request, true);
        tp_posix_workers_add(&self->workers, record);
    } else if ((traits & (TP_NEVER_WAITS | TP_WAITS)) == 0 && !tp_linux_below_cap(self)) {
        hold(self, request, true);
        record->state = TP_POSIX_WAITING;
        tp_posix_list_append(&self->records, &self->waiting, record);
        self->io.stats.held_back++;
    } else {
        place_or_stall(self, record);
    }
}

static void submit_cancel(struct tp_linux_io *self, const struct tp_request *request)
{
    if (tp_linux_make_space(self)) {
        tp_linux_cancel(self, request);
        return;
    }
    stall(self, tp_posix_record_make(&self->records, request));
}

/* Whether it needs no asking. True: `ret_value` is the result. */
static bool is_answered(const struct tp_linux_io *self, const struct tp_request *request,
                        int32_t *ret_value)
{
    const bool on_fd = (tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0;

    return on_fd && tp_posix_sort_answers(
                        (enum tp_posix_sort)self->files.items[request->fd.number].sort,
                        request, ret_value);
}

/* What tp_linux_submit() does not do itself. */
static __attribute__((noinline)) void submit_rare(struct tp_linux_io *self,
                                                  const struct tp_request *request)
{
    const uint32_t unbounded = TP_WAITS | TP_NEVER_WAITS;
    int32_t value;

    if (*self->alive == 0)
        tp_linux_check_owner(self);
    if (is_answered(self, request, &value))
        tp_io_complete_later(&self->io, request->handle, value);
    else if (self->route[request->kind] == TP_LINUX_ROUTE_PLAIN &&
             tp_linux_ring_space(&self->ring) > 0 &&
             (tp_linux_below_cap(self) ||
              (tp_kind_info[request->kind].traits & unbounded) != 0))
        tp_linux_fill_plain(self, request, plain_data(self, request));
    else if (request->kind == TP_CANCEL)
        submit_cancel(self, request);
    else if (request->kind == TP_SIGNAL)
        tp_linux_signal_submit(self, request);
    else
        submit_recorded(self, request);
}

/* Whether an operation goes into the ring as it is. */
static inline bool is_ready(const struct tp_linux_io *self,
                            const struct tp_request *request)
{
    return *self->alive != 0 && self->route[request->kind] == TP_LINUX_ROUTE_PLAIN &&
           tp_linux_below_cap(self) && tp_linux_ring_space(&self->ring) > 0;
}

/* By itself, so that the way of the others needs no registers for it. */
static __attribute__((noinline)) void submit_message(struct tp_linux_io *self,
                                                     const struct tp_request *request)
{
    if ((request->kind != TP_RECV && request->kind != TP_SEND) || request->len == 0 ||
        !tp_linux_files_settled(&self->files, request->fd.number, TP_POSIX_STREAM)) {
        submit_rare(self, request);
        return;
    }
    self->ring.uncounted++;
    tp_linux_fill_message(self, request,
                          tp_linux_tagged(TP_LINUX_TAG_WAITS, request->handle));
}

void tp_linux_submit(struct tp_io *io, const struct tp_request *request)
{
    struct tp_linux_io *self = tp_linux_of(io);

    if (__builtin_expect(!is_ready(self, request), 0))
        submit_rare(self, request);
    else if ((request->kind == TP_READ || request->kind == TP_WRITE) &&
             tp_linux_files_settled(&self->files, request->fd.number, TP_POSIX_FILE))
        tp_linux_fill_transfer(self, request, request->handle);
    else if (request->kind == TP_NOP)
        tp_linux_fill_nop(self, request->handle);
    else
        submit_message(self, request);
}
