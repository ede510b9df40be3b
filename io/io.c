#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/arguments.h"
#include "io/buf_pool.h"
#include "io/fd_table.h"
#include "io/recv_pool.h"
#include "io/submit.h"

/* The handle of the blocking helpers: the largest there is, so that nobody counts up to it.
 */
#define BLOCKING_HANDLE TP_HANDLE_MAX

int tp_io_init(struct tp_io *io, const struct tp_io_backend *backend,
               const struct tp_io_bounds *bounds, const struct tp_allocator *allocator,
               const struct tp_log *log)
{
    static const struct tp_io empty;

    *io = empty;
    io->backend = backend;
    io->allocator = allocator;
    io->caps.notes = "";
    for (uint32_t kind = 0; kind < TP_KINDS; kind++)
        io->caps.kinds[kind].how = TP_HOW_INLINE;
    if (log != NULL)
        io->log = *log;
    if (bounds->ops_max == 0 || bounds->completions_max == 0 || bounds->fds_max == 0)
        return -EINVAL;
    io->ops_max = bounds->ops_max;
    io->fds = tp_fd_table_create(bounds->fds_max, allocator);
    io->rejected = tp_alloc(allocator, bounds->ops_max * sizeof *io->rejected, 64);
    if (io->fds == NULL || io->rejected == NULL ||
        tp_completions_init(&io->completions, bounds->completions_max, allocator) < 0)
        goto out;
#ifdef TP_CHECKED
    io->loans = tp_loans_create(io, bounds->ops_max);
    if (io->loans == NULL)
        goto out;
#endif
    return 0;
out:
    tp_io_deinit(io);
    return -ENOMEM;
}

static void report_leaks(struct tp_io *io)
{
    if (io->fds != NULL && io->fds->open_count > 0) {
        for (uint32_t number = 0; number < io->fds->numbers; number++) {
            const struct tp_fd_entry *entry = &io->fds->entries[number];
            struct tp_log_field fields[] = {{"fd", NULL, number},
                                            {"file", entry->file ? entry->file : "?", 0},
                                            {"line", NULL, entry->line}};

            if (entry->open != 0)
                tp_log_write(&io->log, TP_LOG_WARNING, "fd left open", fields, 3);
        }
    }
    if (io->bufs != NULL && io->bufs->taken > 0) {
        for (uint32_t index = 0; index < io->bufs->count; index++) {
            const struct tp_pooled *item = &io->bufs->items[index];
            struct tp_log_field fields[] = {{"buffer", NULL, index},
                                            {"file", item->file, 0},
                                            {"line", NULL, item->line}};

            if (item->file != NULL)
                tp_log_write(&io->log, TP_LOG_WARNING, "registered buffer not released",
                             fields, 3);
        }
    }
    for (uint32_t index = 0; io->recv_bufs != NULL && index < io->recv_bufs->count;
         index++) {
        const struct tp_recv_buf *item = &io->recv_bufs->items[index];
        struct tp_log_field fields[] = {{"buffer", NULL, index},
                                        {"file", item->file ? item->file : "?", 0},
                                        {"line", NULL, item->line}};

        if (item->state == TP_RECV_USER)
            tp_log_write(&io->log, TP_LOG_WARNING, "receive buffer not given back", fields,
                         3);
    }
}

void tp_io_deinit(struct tp_io *io)
{
    report_leaks(io);
    if (io->completions.items != NULL)
        tp_completions_deinit(&io->completions, io->allocator);
    tp_fd_table_destroy(io->fds, io->allocator);
    tp_buf_pool_destroy(io->bufs, io->allocator);
    tp_recv_pool_destroy(io->recv_bufs, io->allocator);
    tp_free(io->allocator, io->rejected, io->ops_max * sizeof *io->rejected, 64);
#ifdef TP_CHECKED
    tp_loans_destroy(io->loans);
    io->loans = NULL;
#endif
    io->fds = NULL;
    io->bufs = NULL;
    io->recv_bufs = NULL;
    io->rejected = NULL;
}

int tp_io_set_bufs(struct tp_io *io, void *memory, uint32_t count, uint32_t size_bytes)
{
    tp_assert(io->bufs == NULL && count > 0);
    tp_assert(io->block_size != 0 && (uintptr_t)memory % io->block_size == 0 &&
              size_bytes % io->block_size == 0);
    io->bufs = tp_buf_pool_create(memory, count, size_bytes, io->allocator);
    return io->bufs == NULL ? -ENOMEM : 0;
}

int tp_io_set_recv_bufs(struct tp_io *io, void *memory, uint32_t count, uint32_t size_bytes)
{
    tp_assert(io->recv_bufs == NULL && count < UINT32_C(1) << 24);
    io->recv_bufs = tp_recv_pool_create(memory, count, size_bytes, io->allocator);
    return io->recv_bufs == NULL ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ submission */

static void check_handle(const struct tp_io *io, const struct tp_request *request)
{
    if (request->handle == 0)
        tp_assert(request->kind == TP_CANCEL);
    tp_assert(request->handle <= TP_HANDLE_MAX);
    if (request->handle != 0 && io->in_flight >= io->ops_max)
        tp_stopf(
            __FILE__, __LINE__,
            "%u operations are in flight, which is the bound (ops_max) of this Io: ask "
            "tp_io_room() before submitting %s",
            io->in_flight, tp_kind_info[request->kind].name);
}

void tp_io_pass_rare(struct tp_io *io, const struct tp_request *request, uint32_t traits)
{
    int32_t error;

    check_handle(io, request);
    io->stats.submitted[request->kind]++;
    if (request->handle != 0)
        io->in_flight++;
    error = tp_io_arguments_error(io, request, traits);
    if (error < 0) {
        tp_io_complete_later(io, request->handle, error);
        return;
    }
    tp_io_begin_loan(io, request);
    if (request->kind == TP_CLOSE)
        tp_fd_table_close(io->fds, request->fd);
    if (request->len > TP_LEN_MAX) {
        struct tp_request shorter = *request;

        shorter.len = TP_LEN_MAX;
        io->backend->submit(io, &shorter);
        return;
    }
    io->backend->submit(io, request);
}

void tp_io_submit(struct tp_io *io, const struct tp_request *request)
{
    uint32_t traits;

    tp_assert(request->kind < TP_KINDS);
    traits = tp_kind_info[request->kind].traits;
    tp_assert((traits & TP_NOT_IO) == 0);
    tp_io_pass(io, request, traits);
}

void tp_io_complete_later(struct tp_io *io, uint64_t handle, int32_t value)
{
    struct tp_completion *item;

    tp_assert(io->rejected_count < io->ops_max);
    item = &io->rejected[(io->rejected_head + io->rejected_count) % io->ops_max];
    io->rejected_count++;
    item->handle = handle;
    item->value = value;
    item->flags = 0;
}

/* ------------------------------------------------------------------ completion */

static void deliver_rejected(struct tp_io *io)
{
    while (io->rejected_count > 0 && tp_io_completions_room(io) > 0) {
        struct tp_completion item = io->rejected[io->rejected_head];

        io->rejected_head = (io->rejected_head + 1) % io->ops_max;
        io->rejected_count--;
        tp_io_complete(io, item.handle, item.value, item.flags);
    }
}

/* Gives the number of completions that are there already. Operations in flight become fewer
 * in a poll only, so this is where most are. */
static uint32_t before_poll(struct tp_io *io)
{
    uint32_t before;

    io->stuck = false;
    io->enters_before = io->stats.enters - io->stats.enters_extra;
    if (io->in_flight > io->stats.in_flight_max)
        io->stats.in_flight_max = io->in_flight;
    (void)tp_io_completions_room(io); /* moves claimed ones out of the way */
    before = io->completions.count;
    deliver_rejected(io);
    return before;
}

static void after_poll(struct tp_io *io, uint32_t before)
{
    uint32_t brought = io->completions.count - before;
    uint64_t entered = io->stats.enters - io->stats.enters_extra - io->enters_before;

    if (__builtin_expect(entered > 1, 0))
        tp_stopf(__FILE__, __LINE__,
                 "the %s backend entered the kernel %llu times in one iteration (law 6)",
                 io->backend->name, (unsigned long long)entered);
    io->now_read = false;
    io->wall_read = false;
    io->stats.polls++;
    if (brought > io->stats.completions_max)
        io->stats.completions_max = brought;
}

void tp_io_poll(struct tp_io *io)
{
    uint32_t before = before_poll(io);

    io->backend->poll(io);
    after_poll(io, before);
}

void tp_io_park(struct tp_io *io, uint64_t deadline_ns)
{
    uint32_t before;

    tp_assert(!io->in_tick);
    tp_assert(io->in_flight > 0 || deadline_ns != TP_NEVER || io->wakes_expected > 0);
    before = before_poll(io);
    if (io->completions.count > before)
        io->backend->poll(io); /* something has arrived already: do not sleep */
    else
        io->backend->park(io, deadline_ns);
    io->stats.parks++;
    after_poll(io, before);
}

bool tp_io_get_cqe(struct tp_io *io, uint64_t handle, struct tp_completion *ret_completion)
{
    if (!tp_completions_take(&io->completions, handle, ret_completion))
        return false;
    if ((ret_completion->flags & TP_MORE) == 0)
        tp_io_end_loan(io, handle);
    return true;
}

void tp_io_end_loan(struct tp_io *io, uint64_t handle)
{
#ifdef TP_CHECKED
    tp_loans_end(io->loans, handle);
#else
    (void)io, (void)handle;
#endif
}

void tp_io_complete_recv(struct tp_io *io, uint64_t handle, uint32_t buf_index,
                         uint32_t len_bytes)
{
    tp_assert(len_bytes > 0 && len_bytes <= INT32_MAX);
    tp_recv_pool_deliver(io->recv_bufs, buf_index, len_bytes);
    if (io->recv_bufs->with_user > io->stats.recv_bufs_max)
        io->stats.recv_bufs_max = io->recv_bufs->with_user;
    tp_io_complete(io, handle, (int32_t)len_bytes,
                   TP_MORE | (buf_index + 1) << TP_COMPLETION_BUF_SHIFT);
}

struct tp_buf *tp_io_recv_buf(struct tp_io *io, const struct tp_completion *completion)
{
    uint32_t number = completion->flags >> TP_COMPLETION_BUF_SHIFT;

    if (number == 0)
        return NULL;
    tp_assert(io->recv_bufs != NULL && number <= io->recv_bufs->count);
    return &io->recv_bufs->items[number - 1].buf;
}

void(tp_io_give_back)(struct tp_io *io, struct tp_buf *buf, const char *file, int line)
{
    tp_recv_pool_give_back(io->recv_bufs, buf, file, line);
}

struct tp_completions *tp_io_completions(struct tp_io *io)
{
    return &io->completions;
}

uint32_t tp_io_in_flight(const struct tp_io *io)
{
    return io->in_flight;
}

uint32_t tp_io_room(const struct tp_io *io)
{
    return io->ops_max - io->in_flight;
}

uint32_t tp_io_unsubmitted(const struct tp_io *io)
{
    return io->rejected_count + io->backend->unsubmitted(io);
}

int tp_io_fd(const struct tp_io *io)
{
    return io->backend->pollable(io);
}

void tp_io_wake(struct tp_io *io)
{
    io->backend->wake(io);
}

/* ------------------------------------------------------------------ files, clocks, buffers
 */

bool tp_io_fd_opened(struct tp_io *io, uint32_t number)
{
    return tp_fd_table_open(io->fds, number);
}

struct tp_fd tp_io_into_fd(struct tp_io *io, int32_t value)
{
    tp_assert(value >= 0);
    return tp_fd_table_get(io->fds, (uint32_t)value);
}

void tp_io_fd_site(struct tp_io *io, int32_t value, const char *file, uint32_t line)
{
    tp_assert(value >= 0 && (uint32_t)value < io->fds->capacity);
    io->fds->entries[value].file = file;
    io->fds->entries[value].line = line;
}

uint64_t tp_io_now_ns(struct tp_io *io)
{
    if (!io->now_read) {
        io->now_ns = io->backend->clock(io, TP_CLOCK_MONOTONIC);
        io->now_read = true;
    }
    return io->now_ns;
}

uint64_t tp_io_wall_ns(struct tp_io *io)
{
    if (!io->wall_read) {
        io->wall_ns = io->backend->clock(io, TP_CLOCK_WALL);
        io->wall_read = true;
    }
    return io->wall_ns;
}

void tp_io_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    io->backend->random(io, ret_bytes, len_bytes);
}

uint32_t tp_io_block_size(const struct tp_io *io)
{
    return io->block_size;
}

struct tp_buf *(tp_io_acquire_buf)(struct tp_io *io, const char *file, int line)
{
    struct tp_buf *buf =
        io->bufs == NULL ? NULL : tp_buf_pool_acquire(io->bufs, file, line);

    if (buf == NULL)
        io->stats.bufs_exhausted++;
    return buf;
}

void(tp_io_release_buf)(struct tp_io *io, struct tp_buf *buf, const char *file, int line)
{
    if (io->bufs == NULL)
        tp_stop(file, line, "released a buffer to an Io that has no registered buffers");
    tp_buf_pool_release(io->bufs, buf, file, line);
}

/* ------------------------------------------------------------------ what it is and did */

const struct tp_io_caps *tp_io_caps(const struct tp_io *io)
{
    return &io->caps;
}

void tp_io_caps_print(const struct tp_io *io, char *ret_text, size_t size_bytes)
{
    static const char *const hows[] = {"not available", "inline", "worker"};
    size_t used = 0;

    tp_assert(size_bytes > 0);
    ret_text[0] = '\0';
    for (uint32_t kind = 0; kind < TP_KINDS && used < size_bytes; kind++) {
        if ((tp_kind_info[kind].traits & TP_NOT_IO) != 0)
            continue;
        used += (size_t)snprintf(ret_text + used, size_bytes - used, "%-14s %-13s %s\n",
                                 tp_kind_info[kind].name, hows[io->caps.kinds[kind].how],
                                 io->caps.kinds[kind].why ? io->caps.kinds[kind].why : "");
    }
    if (used < size_bytes && io->caps.refused < 0)
        used += (size_t)snprintf(ret_text + used, size_bytes - used,
                                 "in place of a backend that was refused: %s\n",
                                 tp_errno_name(io->caps.refused));
    if (used < size_bytes)
        (void)snprintf(ret_text + used, size_bytes - used, "%s", io->caps.notes);
}

const struct tp_io_stats *tp_io_stats(const struct tp_io *io)
{
    return &io->stats;
}

void tp_io_destroy(struct tp_io *io)
{
    if (io != NULL)
        io->backend->destroy(io);
}

/* ------------------------------------------------------------------ blocking helpers */

int32_t tp_io_block_on(struct tp_io *io, struct tp_request request)
{
    struct tp_completion completion;

    if (io->in_tick)
        tp_stopf(__FILE__, __LINE__, "blocking %s inside a tick: submit it and wait",
                 tp_kind_info[request.kind].name);
    request.handle = BLOCKING_HANDLE;
    tp_io_submit(io, &request);
    tp_io_poll(io);
    while (!tp_io_get_cqe(io, BLOCKING_HANDLE, &completion)) {
        if (io->dead)
            return -ESHUTDOWN;
        if (io->stuck)
            tp_stopf(__FILE__, __LINE__, "blocking %s waits for what can never come",
                     tp_kind_info[request.kind].name);
        tp_io_park(io, TP_NEVER);
    }
    if (request.buf != NULL && (tp_kind_info[request.kind].traits & TP_LENDS_IN) != 0)
        request.buf->len = completion.value < 0 ? 0 : (uint32_t)completion.value;
    return completion.value;
}

int32_t tp_io_create_dir_all_blocking(struct tp_io *io, const char *path)
{
    return tp_io_block_on(io, tp_request_create_dir_all(path));
}

int32_t tp_io_list_dir_blocking(struct tp_io *io, const char *path,
                                int32_t (*each)(void *context,
                                                const struct tp_dir_entry *entry),
                                void *context)
{
    struct tp_open_options options = {.read = true};
    uint64_t memory[1024];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    int32_t value = tp_io_block_on(io, tp_request_open(path, options));
    int32_t result = 0;
    struct tp_fd dir;

    if (value < 0)
        return value;
    dir = tp_io_into_fd(io, value);
    while (result == 0 &&
           (value = tp_io_block_on(io, tp_request_list_dir(dir, &buf))) > 0) {
        const struct tp_dir_entry *entry = NULL;

        while (result == 0 && (entry = tp_dir_next(&buf, entry)) != NULL)
            result = each(context, entry);
    }
    (void)tp_io_block_on(io, tp_request_close(dir));
    return result != 0 ? result : value;
}
