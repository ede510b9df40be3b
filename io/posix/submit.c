#include "posix_internal.h"

#define CACHED_BYTES_MAX 65536U

#define TRY    TP_POSIX_ROUTE_TRY
#define THREAD TP_POSIX_ROUTE_THREAD

const uint8_t tp_posix_routes[TP_KINDS] = {
    [TP_NOP] = TRY,
    [TP_OPEN] = THREAD,
    [TP_CLOSE] = TP_POSIX_ROUTE_CLOSE,
    [TP_READ] = THREAD,
    [TP_WRITE] = THREAD,
    [TP_FSYNC] = THREAD,
    [TP_FSTAT] = THREAD,
    [TP_TRUNCATE] = THREAD,
    [TP_FALLOCATE] = THREAD,
    [TP_FIND_DATA] = THREAD,
    [TP_SET_MODE] = THREAD,
    [TP_LIST_DIR] = THREAD,
    [TP_STAT] = THREAD,
    [TP_RENAME] = THREAD,
    [TP_REMOVE] = THREAD,
    [TP_CREATE_DIR] = THREAD,
    [TP_CREATE_DIR_ALL] = THREAD,
    [TP_REMOVE_DIR] = THREAD,
    [TP_SYNC_DIR] = THREAD,
    [TP_SYMLINK] = THREAD,
    [TP_READ_LINK] = THREAD,
    [TP_CANCEL] = TP_POSIX_ROUTE_CANCEL,
    [TP_LOCK] = THREAD,
    [TP_LISTEN] = THREAD, /* the name of a path may be on a slow file system */
    [TP_CONNECT] = TP_POSIX_ROUTE_CONNECT,
    [TP_ACCEPT] = TRY,
    [TP_ACCEPT_MANY] = TRY,
    [TP_RECV] = TRY,
    [TP_RECV_MANY] = TRY,
    [TP_SEND] = TRY,
    [TP_SEND_BUFS] = TRY,
    [TP_SHUTDOWN] = TRY,
    [TP_SET_SOCKET] = TRY,
    [TP_SOCKET_ADDRESS] = TRY,
    [TP_RESOLVE] = THREAD,
    [TP_OFFLOAD] = THREAD,
    [TP_SIGNAL] = TRY,
    [TP_BIND] = THREAD,
    [TP_SEND_TO] = TRY,
    [TP_RECV_FROM] = TRY,
};

/* Counts an operation with the fds that it is about, while it is the threads': none of them
 * may be closed under it, since the number may be another's at once. A close is not
 * counted: it is what waits for the others. */
static void hold(struct tp_posix_io *self, const struct tp_request *request)
{
    uint32_t numbers[2];
    const uint32_t count = tp_posix_fds_of(request, numbers);

    for (uint32_t i = 0; i < count && request->kind != TP_CLOSE; i++)
        self->files[numbers[i]].held++;
}

/* A close that nothing is left to wait for. */
static void close_at_last(struct tp_posix_io *self, uint32_t number)
{
    struct tp_posix_file *file = &self->files[number];
    struct tp_posix_record *record;

    if (file->held > 0 || file->closing == 0)
        return;
    record = tp_posix_record_at(&self->records, file->closing);
    file->closing = 0;
    tp_assert(record->state == TP_POSIX_CLOSING);
    tp_posix_try_later(self, record);
}

void tp_posix_to_thread(struct tp_posix_io *self, struct tp_posix_record *record)
{
    hold(self, &record->request);
    tp_posix_workers_add(&self->workers, record);
}

void tp_posix_unhold(struct tp_posix_io *self, const struct tp_request *request)
{
    uint32_t numbers[2];
    const uint32_t count = tp_posix_fds_of(request, numbers);

    for (uint32_t i = 0; i < count && request->kind != TP_CLOSE; i++) {
        tp_assert(self->files[numbers[i]].held > 0);
        self->files[numbers[i]].held--;
        close_at_last(self, numbers[i]);
    }
}

void tp_posix_try_later(struct tp_posix_io *self, struct tp_posix_record *record)
{
    record->state = TP_POSIX_TRYING;
    tp_posix_list_append(&self->records, &self->trying, record);
}

/* Whether it needs no asking. True: `ret_value` is the result. */
static bool is_answered(const struct tp_posix_io *self, const struct tp_request *request,
                        int32_t *ret_value)
{
    const bool on_fd = (tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0;

    return on_fd &&
           tp_posix_sort_answers((enum tp_posix_sort)self->files[request->fd.number].sort,
                                 request, ret_value);
}

/* Whether a read may find in memory what it wants, and is short enough not to keep the
 * loop from others while that is copied. */
static bool may_be_cached(const struct tp_posix_io *self, const struct tp_request *request)
{
    return request->kind == TP_READ && request->len <= CACHED_BYTES_MAX &&
           self->files[request->fd.number].cached;
}

/* Whether a thread begins it. To connect to a path is to look for it on a file system. */
static bool starts_on_thread(const struct tp_posix_io *self,
                             const struct tp_request *request)
{
    const uint8_t route = tp_posix_routes[request->kind];

    if (may_be_cached(self, request))
        return false;
    return route == THREAD || (route == TP_POSIX_ROUTE_CONNECT &&
                               request->a.address->family == TP_ADDRESS_UNIX);
}

void tp_posix_submit(struct tp_io *io, const struct tp_request *request)
{
    struct tp_posix_io *self = tp_posix_of(io);
    struct tp_posix_record *record;
    int32_t value;

    if (request->kind == TP_CANCEL) {
        tp_posix_cancel(self, request);
        return;
    }
    if (is_answered(self, request, &value)) {
        tp_io_complete_later(io, request->handle, value);
        return;
    }
    record = tp_posix_record_make(&self->records, request);
    if (starts_on_thread(self, request)) {
        tp_posix_to_thread(self, record);
    } else {
        tp_posix_try_later(self, record);
    }
}
