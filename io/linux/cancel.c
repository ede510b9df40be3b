#include "linux_internal.h"

#include <errno.h>

/* With handle 0 nobody waits for the outcome. */
static void answer(struct tp_linux_io *self, const struct tp_request *request,
                   int32_t value)
{
    if (request->handle != 0)
        tp_io_complete_later(&self->io, request->handle, value);
}

/* It has not begun and never will. */
static void stop_before_start(struct tp_linux_io *self, struct tp_posix_record *record)
{
    const struct tp_request request = record->request;

    tp_posix_record_settle(record, -ECANCELED);
    tp_posix_record_free(&self->records, record);
    tp_linux_unhold(self, &request);
    if (request.handle != 0)
        tp_io_complete_later(&self->io, request.handle, -ECANCELED);
}

static void fill_cancel(struct tp_linux_io *self, uint64_t target_data, uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_ASYNC_CANCEL,
        .fd = -1,
        .address = target_data,
        .user_data = user_data,
    };

    tp_assert(tp_linux_ring_space(&self->ring) > 0);
    self->ring.uncounted++;
    tp_linux_ring_fill(&self->ring, entry);
}

static void cancel_in_ring(struct tp_linux_io *self, const struct tp_request *request,
                           uint64_t target_data)
{
    fill_cancel(self, target_data,
                request->handle == 0
                    ? tp_linux_internal_data(TP_LINUX_SILENT, 0)
                    : tp_linux_tagged(TP_LINUX_TAG_CANCEL, request->handle));
}

/* An operation without a record has one of two names, and nobody knows which: both are
 * tried. */
static void cancel_plain(struct tp_linux_io *self, const struct tp_request *request)
{
    const uint64_t target = request->a.target;
    uint64_t user_data = tp_linux_internal_data(TP_LINUX_SILENT, 0);

    if (request->handle != 0) {
        struct tp_posix_record *record = tp_posix_record_make(&self->records, request);

        record->state = TP_POSIX_IN_RING;
        record->result = -ENOENT;
        user_data = tp_linux_tagged(TP_LINUX_TAG_TRY,
                                    tp_posix_record_number(&self->records, record));
    }
    fill_cancel(self, target, user_data);
    fill_cancel(self, tp_linux_tagged(TP_LINUX_TAG_WAITS, target), user_data);
}

void tp_linux_stop_in_ring(struct tp_linux_io *self, const struct tp_posix_record *record)
{
    fill_cancel(self,
                tp_linux_tagged(TP_LINUX_TAG_RECORD,
                                tp_posix_record_number(&self->records, record)),
                tp_linux_internal_data(TP_LINUX_SILENT, 0));
}

/* Whether a connect has no socket yet: it will not get to its second step. */
static bool stops_between_steps(const struct tp_posix_record *record)
{
    return record->request.kind == TP_CONNECT && record->fd < 0;
}

static void cancel_running(struct tp_linux_io *self, const struct tp_request *request,
                           const struct tp_posix_record *record)
{
    if (record->request.kind == TP_CANCEL) {
        answer(self, request, -ENOENT);
    } else if (stops_between_steps(record)) {
        answer(self, request, 0);
    } else if ((tp_kind_info[record->request.kind].traits & TP_MANY) != 0) {
        /* If it is between two entries, the kernel does not find it, but it will stop. */
        tp_linux_stop_in_ring(self, record);
        answer(self, request, 0);
    } else {
        cancel_in_ring(self, request,
                       tp_linux_tagged(TP_LINUX_TAG_RECORD,
                                       tp_posix_record_number(&self->records, record)));
    }
}

static void cancel_recorded(struct tp_linux_io *self, const struct tp_request *request,
                            struct tp_posix_record *record)
{
    /* A close that is stopped would leave a file open that nobody can name any more. */
    if (record->request.kind == TP_CLOSE) {
        answer(self, request, -EALREADY);
        return;
    }
    record->cancelled = 1;
    switch ((enum tp_posix_state)__atomic_load_n(&record->state, __ATOMIC_RELAXED)) {
    case TP_POSIX_WAITING:
        tp_posix_list_remove(&self->records, &self->waiting, record);
        break;
    case TP_POSIX_STALLED:
        tp_posix_list_remove(&self->records, &self->stalled, record);
        break;
    case TP_POSIX_IN_RING:
        cancel_running(self, request, record);
        return;
    case TP_POSIX_STARVED:
        tp_linux_recv_unstarve(self, record);
        tp_linux_end_later(self, record, -ECANCELED);
        answer(self, request, 0);
        return;
    case TP_POSIX_UNSENT:
    case TP_POSIX_QUEUED:
    case TP_POSIX_RUNNING:
    case TP_POSIX_FINISHED:
        if (!tp_posix_workers_withdraw(&self->workers, record)) {
            answer(self, request, stops_between_steps(record) ? 0 : -EALREADY);
            return;
        }
        break;
    case TP_POSIX_FREE:
    case TP_POSIX_CLOSING:
    case TP_POSIX_TRYING:
    case TP_POSIX_PENDING:
        tp_unreachable();
    }
    stop_before_start(self, record);
    answer(self, request, 0);
}

void tp_linux_cancel(struct tp_linux_io *self, const struct tp_request *request)
{
    struct tp_posix_record *record =
        tp_posix_record_find(&self->records, request->a.target);

    if (record != NULL)
        cancel_recorded(self, request, record);
    else if (request->a.target == 0 || request->a.target > TP_HANDLE_MAX)
        answer(self, request, -ENOENT);
    else
        cancel_plain(self, request);
}
