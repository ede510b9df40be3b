#include "posix_internal.h"

#include <errno.h>

/* With handle 0 nobody waits for the outcome. */
static void answer(struct tp_posix_io *self, const struct tp_request *request,
                   int32_t value)
{
    if (request->handle != 0)
        tp_io_complete_later(&self->io, request->handle, value);
}

void tp_posix_end_later(struct tp_posix_io *self, struct tp_posix_record *record,
                        int32_t value)
{
    const uint64_t handle = record->request.handle;

    if (record->fd >= 0) /* of a connect, or of a signal: no fd that a user knows */
        (void)tp_posix_close_fd(self, record->fd);
    tp_posix_record_free(&self->records, record);
    tp_io_complete_later(&self->io, handle, value);
}

/* A thread has it, or will have it. A connect to a path is looked at again when the thread
 * is done; what else has begun cannot be stopped. */
static void cancel_at_thread(struct tp_posix_io *self, const struct tp_request *request,
                             struct tp_posix_record *record)
{
    const struct tp_request target = record->request;

    record->cancelled = 1;
    if (tp_posix_workers_withdraw(&self->workers, record)) {
        tp_posix_end_later(self, record, -ECANCELED);
        tp_posix_unhold(self, &target);
        answer(self, request, 0);
        return;
    }
    answer(self, request, target.kind == TP_CONNECT ? 0 : -EALREADY);
}

void tp_posix_cancel(struct tp_posix_io *self, const struct tp_request *request)
{
    struct tp_posix_record *record =
        tp_posix_record_find(&self->records, request->a.target);

    if (record == NULL) {
        answer(self, request, -ENOENT);
        return;
    }
    /* A close that is stopped would leave a file open that nobody can name any more. */
    if (record->request.kind == TP_CLOSE) {
        answer(self, request, -EALREADY);
        return;
    }
    switch ((enum tp_posix_state)__atomic_load_n(&record->state, __ATOMIC_RELAXED)) {
    case TP_POSIX_TRYING:
        tp_posix_list_remove(&self->records, &self->trying, record);
        break;
    case TP_POSIX_PENDING:
        tp_posix_stop_waiting(self, record);
        break;
    case TP_POSIX_STARVED:
        tp_posix_unstarve(self, record);
        break;
    case TP_POSIX_UNSENT:
    case TP_POSIX_QUEUED:
    case TP_POSIX_RUNNING:
    case TP_POSIX_FINISHED:
        cancel_at_thread(self, request, record);
        return;
    case TP_POSIX_FREE:
    case TP_POSIX_WAITING:
    case TP_POSIX_STALLED:
    case TP_POSIX_CLOSING:
    case TP_POSIX_IN_RING:
        tp_unreachable();
    }
    tp_posix_end_later(self, record, -ECANCELED);
    answer(self, request, 0);
}
