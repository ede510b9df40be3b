#include "posix.h"

#include <errno.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"
#include "io/posix/posix_internal.h"
#include "io/posix/process_internal.h"
#include "io/posix/system_internal.h"
#include "io/recv_pool.h"

#define DIRECT_BLOCK   4096U
#define OPS_LIMIT      (UINT32_C(1) << 24)
#define BUF_LIMIT      (UINT32_C(1) << 30)
#define RECV_BUF_LIMIT 32768U

/* Its address differs from thread to thread. */
static _Thread_local char thread_mark;

/* ------------------------------------------------------------------ the config */

static uint32_t or_default(uint32_t value, uint32_t usual)
{
    if (value == TP_POSIX_NONE)
        return 0;
    return value == 0 ? usual : value;
}

static bool is_in_range(const struct tp_posix_io_config *config)
{
    return config->ops_max > 0 && config->ops_max <= OPS_LIMIT &&
           config->completions_max > 0 && config->fds_max > 0 &&
           config->fds_max <= TP_POSIX_FDS_LIMIT && config->workers_max > 0 &&
           config->workers_max <= TP_POSIX_WORKERS_LIMIT &&
           (config->buf_count == 0 || config->buf_size > 0) &&
           config->buf_size <= BUF_LIMIT && config->recv_buf_count <= RECV_BUF_LIMIT &&
           (config->recv_buf_count == 0 || config->recv_buf_size > 0) &&
           config->recv_buf_size <= BUF_LIMIT;
}

/* The caller's config with the defaults filled in. -EINVAL when it is out of range. */
static int resolve(const struct tp_posix_io_config *given,
                   struct tp_posix_io_config *ret_config)
{
    static const struct tp_posix_io_config empty;
    struct tp_posix_io_config *config = ret_config;

    if (given != NULL && given->size != 0 && given->size != sizeof *config)
        return -EINVAL;
    *config = given == NULL ? empty : *given;
    config->ops_max = or_default(config->ops_max, 65536);
    config->completions_max = or_default(config->completions_max, 8192);
    config->fds_max = or_default(config->fds_max, tp_posix_fds_usual());
    config->buf_count = or_default(config->buf_count, 32);
    config->buf_size = or_default(config->buf_size, 65536);
    config->recv_buf_count = or_default(config->recv_buf_count, 256);
    config->recv_buf_size = or_default(config->recv_buf_size, 16384);
    config->workers_max = or_default(config->workers_max, 4);
    config->drain_ms_max = or_default(config->drain_ms_max, 5000);
    if (!is_in_range(config))
        return -EINVAL;
    config->buf_size = (config->buf_size + DIRECT_BLOCK - 1) / DIRECT_BLOCK * DIRECT_BLOCK;
    return 0;
}

/* ------------------------------------------------------------------ one owner */

void tp_posix_check_owner(const struct tp_posix_io *self)
{
    if (self->alive != NULL ? *self->alive == 0 : self->process != getpid())
        tp_stop(__FILE__, __LINE__,
                "a PosixIo is used in a child of fork(): create it after the fork");
    if (self->owner != &thread_mark)
        tp_stop(
            __FILE__, __LINE__,
            "a PosixIo is used by a thread that did not create it: only tp_io_wake() is "
            "for other threads");
}

/* ------------------------------------------------------------------ destruction */

/* Frees an Io without threads, however far its creation came. */
static void free_io(struct tp_posix_io *self)
{
    const struct tp_allocator *allocator = self->io.allocator;

    tp_posix_ready_close(&self->ready);
    for (uint32_t i = 0; i < 2; i++) {
        if (self->wake_fds[i] >= 0)
            (void)close(self->wake_fds[i]);
    }
    tp_posix_records_deinit(&self->records);
    tp_io_deinit(&self->io);
    tp_posix_unreserve(self->buf_memory, self->buf_bytes);
    tp_posix_unreserve(self->recv_memory, self->recv_bytes);
    tp_posix_alive_unmap(self->alive);
    tp_free(allocator, self->files, self->files_count * sizeof *self->files, 64);
    tp_free(allocator, self, sizeof *self, 64);
}

static void destroy(struct tp_io *io)
{
    struct tp_posix_io *self = tp_posix_of(io);

    tp_posix_check_owner(self);
    if (!tp_posix_workers_stop(&self->workers, tp_posix_clock_ns(TP_CLOCK_MONOTONIC) +
                                                   self->drain_ns_max)) {
        const struct tp_log_field left[] = {
            {"threads", NULL, self->workers.threads - self->workers.ended}};

        tp_log_write(&io->log, TP_LOG_ERROR,
                     "operations did not stop in time: their memory is leaked", left, 1);
        return;
    }
    tp_posix_records_settle(&self->records);
    tp_posix_close_all(io->fds);
    free_io(self);
}

/* ------------------------------------------------------------------ creation */

static const struct tp_io_backend backend = {
    .name = "posix",
    .submit = tp_posix_submit,
    .poll = tp_posix_poll,
    .park = tp_posix_park,
    .unsubmitted = tp_posix_unsubmitted,
    .pollable = tp_posix_pollable,
    .wake = tp_posix_wake,
    .clock = tp_posix_clock,
    .random = tp_posix_random,
    .destroy = destroy,
};

static int make_bufs(struct tp_posix_io *self, const struct tp_posix_io_config *config)
{
    int error = 0;

    if (config->buf_count > 0) {
        self->buf_bytes = (uint64_t)config->buf_count * config->buf_size;
        self->buf_memory = tp_posix_reserve(self->buf_bytes);
        if (self->buf_memory == NULL)
            return -ENOMEM;
        error = tp_io_set_bufs(&self->io, self->buf_memory, config->buf_count,
                               config->buf_size);
    }
    if (error == 0 && config->recv_buf_count > 0) {
        self->recv_bytes = (uint64_t)config->recv_buf_count * config->recv_buf_size;
        self->recv_memory = tp_posix_reserve(self->recv_bytes);
        if (self->recv_memory == NULL)
            return -ENOMEM;
        error = tp_io_set_recv_bufs(&self->io, self->recv_memory, config->recv_buf_count,
                                    config->recv_buf_size);
    }
    return error;
}

static int make_tables(struct tp_posix_io *self, const struct tp_posix_io_config *config)
{
    const struct tp_io_bounds bounds = {
        .ops_max = config->ops_max,
        .completions_max = config->completions_max,
        .fds_max = config->fds_max,
    };
    int error = tp_io_init(&self->io, &backend, &bounds, config->allocator, config->log);

    if (error < 0)
        return error;
    self->io.block_size = DIRECT_BLOCK;
    self->owner = &thread_mark;
    self->process = getpid();
    self->alive = tp_posix_alive_map();
    self->drain_ns_max = (uint64_t)config->drain_ms_max * 1000000U;
    self->epoch_ns = tp_posix_clock_ns(TP_CLOCK_MONOTONIC);
    self->files = tp_alloc(config->allocator, config->fds_max * sizeof *self->files, 64);
    if (self->files == NULL)
        return -ENOMEM;
    self->files_count = config->fds_max;
    error = make_bufs(self, config);
    return error < 0 ? error : tp_posix_records_init(&self->records, config->ops_max);
}

static int create(const struct tp_posix_io_config *config, struct tp_io **ret_io)
{
    struct tp_posix_io *self = tp_alloc(config->allocator, sizeof *self, 64);
    int error;

    if (self == NULL)
        return -ENOMEM;
    self->ready.fd = -1;
    self->wake_fds[0] = -1;
    self->wake_fds[1] = -1;
    atomic_init(&self->wake_reasons, 0);
    error = make_tables(self, config);
    if (error == 0)
        error = tp_posix_ready_open(&self->ready);
    if (error == 0)
        error = tp_posix_wake_init(self);
    if (error < 0) {
        free_io(self);
        return error;
    }
    tp_posix_workers_init(&self->workers, &self->records, config->workers_max);
    self->workers.notify = tp_posix_wake_results;
    self->workers.notify_context = self;
    tp_posix_describe(self);
    *ret_io = &self->io;
    return 0;
}

int tp_posix_io_create(const struct tp_posix_io_config *config, struct tp_io **ret_io)
{
    struct tp_posix_io_config resolved;
    int error = resolve(config, &resolved);

    if (error == 0)
        error = create(&resolved, ret_io);
    if (error < 0 && config != NULL) {
        const struct tp_log_field fields[] = {
            {"error", tp_errno_name(error), 0},
            {"what", tp_posix_io_refusal(error), 0},
        };

        tp_log_write(config->log, TP_LOG_WARNING, "PosixIo was not created", fields, 2);
    }
    return error;
}

void tp_posix_io_destroy(struct tp_io *io)
{
    if (io != NULL)
        tp_assert(io->backend == &backend);
    tp_io_destroy(io);
}

const char *tp_posix_io_refusal(int error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return "nothing was refused";
    case ENOMEM:
        return "no memory for the tables: ask for fewer operations or buffers";
    case EMFILE:
    case ENFILE:
        return "no file descriptor is left: raise RLIMIT_NOFILE, or close some";
    case EINVAL:
        return "the config is out of range, or its size is that of another version";
    default:
        return "the system refused what PosixIo needs (a pipe, a wait for readiness)";
    }
}
