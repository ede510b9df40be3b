#include "linux.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "io/linux/linux_internal.h"
#include "io/posix/memory_internal.h"
#include "io/posix/process_internal.h"
#include "io/posix/system_internal.h"

#define DIRECT_BLOCK 4096U
#define REGION_BYTES (UINT64_C(1) << 30) /* the most that the kernel registers at once */
#define OPS_LIMIT    (UINT32_C(1) << 24)

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

/* Its address differs from thread to thread. */
static _Thread_local char thread_mark __attribute__((tls_model("initial-exec")));

/* ------------------------------------------------------------------ the config */

static uint32_t or_default(uint32_t value, uint32_t usual)
{
    if (value == TP_LINUX_NONE)
        return 0;
    return value == 0 ? usual : value;
}

static uint32_t kernel_workers_usual(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (processors < 2)
        return 8;
    return processors > 16 ? 64 : (uint32_t)processors * 4;
}

/* The caller's config with the defaults filled in. -EINVAL when it is out of range. */
static int resolve(const struct tp_linux_io_config *given,
                   struct tp_linux_io_config *ret_config)
{
    static const struct tp_linux_io_config empty;
    struct tp_linux_io_config *config = ret_config;

    if (given != NULL && given->size != 0 && given->size != sizeof *config)
        return -EINVAL;
    *config = given == NULL ? empty : *given;
    config->ops_max = or_default(config->ops_max, 65536);
    config->cq_entries = or_default(config->cq_entries, 4096);
    config->sq_entries = or_default(config->sq_entries, 4096);
    if (config->sq_entries > config->cq_entries)
        config->sq_entries = config->cq_entries;
    if (config->sq_entries < 8)
        config->sq_entries = 8;
    config->completions_max = or_default(config->completions_max, 2 * config->cq_entries);
    config->fds_max = or_default(config->fds_max, tp_posix_fds_usual());
    config->files_max = or_default(config->files_max, 256);
    config->buf_count = or_default(config->buf_count, 32);
    config->buf_size = or_default(config->buf_size, 65536);
    config->recv_buf_count = or_default(config->recv_buf_count, 256);
    config->recv_buf_size = or_default(config->recv_buf_size, 16384);
    config->workers_max = or_default(config->workers_max, 4);
    config->kernel_workers_max =
        or_default(config->kernel_workers_max, kernel_workers_usual());
    config->drain_ms_max = or_default(config->drain_ms_max, 5000);
    if (config->ops_max == 0 || config->ops_max > OPS_LIMIT || config->cq_entries == 0 ||
        config->cq_entries > 65536 || config->completions_max == 0 ||
        config->fds_max == 0 || config->fds_max > TP_POSIX_FDS_LIMIT ||
        config->files_max >= UINT16_MAX || config->workers_max == 0 ||
        config->workers_max > TP_POSIX_WORKERS_LIMIT ||
        (config->buf_count != 0 && config->buf_size == 0) ||
        config->buf_size > REGION_BYTES ||
        config->recv_buf_count > TP_LINUX_RECV_BUFS_MAX ||
        (config->recv_buf_count != 0 && config->recv_buf_size == 0) ||
        config->recv_buf_size > REGION_BYTES)
        return -EINVAL;
    config->buf_size = (config->buf_size + DIRECT_BLOCK - 1) / DIRECT_BLOCK * DIRECT_BLOCK;
    return 0;
}

/* ------------------------------------------------------------------ one owner */

void tp_linux_check_owner(const struct tp_linux_io *self)
{
    if (*self->alive == 0)
        tp_stop(__FILE__, __LINE__,
                "a LinuxIo is used in a child of fork(): create it after the fork");
    if (self->owner != &thread_mark)
        tp_stop(
            __FILE__, __LINE__,
            "a LinuxIo is used by a thread that did not create it: only tp_io_wake() is "
            "for other threads");
}

/* ------------------------------------------------------------------ the backend */

static uint32_t unsubmitted(const struct tp_io *io)
{
    const struct tp_linux_io *self = (const struct tp_linux_io *)(const void *)io;

    return tp_linux_ring_pending(&self->ring) + self->workers.unsent.count +
           tp_linux_recv_ready(self);
}

static int pollable(const struct tp_io *io)
{
    /* The caller does not see it change, though the first call makes the fd. */
    return tp_linux_watch_fd(tp_linux_of((struct tp_io *)(uintptr_t)io));
}

static const struct tp_io_backend backend = {
    .name = "linux",
    .submit = tp_linux_submit,
    .poll = tp_linux_poll,
    .park = tp_linux_park,
    .unsubmitted = unsubmitted,
    .pollable = pollable,
    .wake = tp_linux_wake,
    .clock = tp_linux_clock,
    .random = tp_posix_random,
    .destroy = tp_linux_destroy,
};

/* ------------------------------------------------------------------ creation */

/* Registers the buffers in as few regions as there can be; they are plain if that fails. */
static void register_bufs(struct tp_linux_io *self, const struct tp_linux_io_config *config)
{
    struct iovec regions[64];
    const uint32_t per_region = (uint32_t)(REGION_BYTES / config->buf_size);
    const uint64_t region_bytes = (uint64_t)per_region * config->buf_size;
    uint64_t at = 0;
    uint32_t count = 0;

    if ((config->features_off & TP_LINUX_BUFS) != 0)
        return;
    for (; at < self->buf_bytes && count < 64; at += region_bytes) {
        const uint64_t left = self->buf_bytes - at;

        regions[count].iov_base = self->buf_memory + at;
        regions[count++].iov_len = left < region_bytes ? left : region_bytes;
    }
    if (at >= self->buf_bytes &&
        io_uring_register_buffers(&self->ring.uring, regions, count) == 0) {
        self->bufs_per_region = per_region;
        self->ring.features |= TP_LINUX_BUFS;
    }
}

static int make_bufs(struct tp_linux_io *self, const struct tp_linux_io_config *config)
{
    if (config->buf_count == 0)
        return 0;
    self->buf_bytes = (uint64_t)config->buf_count * config->buf_size;
    self->buf_memory = tp_posix_reserve(self->buf_bytes);
    if (self->buf_memory == NULL)
        return -ENOMEM;
    register_bufs(self, config);
    return tp_io_set_bufs(&self->io, self->buf_memory, config->buf_count, config->buf_size);
}

/* What needs nothing of the kernel. */
static int make_tables(struct tp_linux_io *self, const struct tp_linux_io_config *config)
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
    self->drain_ns_max = (uint64_t)config->drain_ms_max * 1000000U;
    self->epoch_ns = tp_linux_clock(&self->io, TP_CLOCK_MONOTONIC);
    self->alive = tp_posix_alive_map();
    if (self->alive == NULL)
        return -ENOMEM;
#ifdef RUNNING_ON_VALGRIND
    self->on_valgrind = RUNNING_ON_VALGRIND != 0;
#endif
    return tp_posix_records_init(&self->records, config->ops_max);
}

static int make_ring(struct tp_linux_io *self, const struct tp_linux_io_config *config)
{
    const struct tp_linux_ring_options options = {
        .features_off = config->features_off,
        .sq_entries = config->sq_entries,
        .cq_entries = config->cq_entries,
        .kernel_workers_max = config->kernel_workers_max,
    };
    const bool files_off = (config->features_off & TP_LINUX_FILES) != 0;
    int error = tp_linux_ring_open(&self->ring, &options);

    if (error == 0)
        error = tp_linux_files_init(&self->files, &self->ring, config->fds_max,
                                    files_off ? 0 : config->files_max, config->allocator);
    if (error == 0)
        error = make_bufs(self, config);
    if (error == 0)
        error = tp_linux_recv_init(self, config->recv_buf_count, config->recv_buf_size,
                                   config->features_off);
    if (error == 0)
        error = tp_linux_ring_enable(&self->ring, config->features_off);
    if (error < 0)
        return error;
    self->cap = self->ring.cq_entries;
    if ((config->features_off & TP_LINUX_MULTISHOT_WAKE) == 0)
        self->ring.features |= TP_LINUX_MULTISHOT_WAKE;
    if ((config->features_off & TP_LINUX_MULTISHOT_ACCEPT) == 0)
        self->ring.features |= TP_LINUX_MULTISHOT_ACCEPT;
    error = tp_linux_wake_init(self);
    if (error < 0)
        return error;
    tp_linux_wake_arm(self);
    tp_linux_ring_flush(&self->ring);
    return 0;
}

static int create(const struct tp_linux_io_config *config, struct tp_io **ret_io)
{
    struct tp_linux_io *self = tp_alloc(config->allocator, sizeof *self, 64);
    int error;

    if (self == NULL)
        return -ENOMEM;
    self->wake_fd = -1;
    atomic_init(&self->watch_fd, -1);
    error = make_tables(self, config);
    if (error == 0)
        error = make_ring(self, config);
    if (error < 0) {
        tp_linux_free(self);
        return error;
    }
    tp_posix_workers_init(&self->workers, &self->records, config->workers_max);
    self->workers.notify = tp_linux_wake_results;
    self->workers.notify_context = self;
    tp_linux_route_kinds(self, config->kinds_off);
    tp_linux_describe(self);
    *ret_io = &self->io;
    return 0;
}

int tp_linux_io_create(const struct tp_linux_io_config *config, struct tp_io **ret_io)
{
    struct tp_linux_io_config resolved;
    int error = resolve(config, &resolved);

    if (error == 0)
        error = create(&resolved, ret_io);
    if (error < 0 && config != NULL) {
        const struct tp_log_field fields[] = {
            {"error", tp_errno_name(error), 0},
            {"what", tp_linux_io_refusal(error), 0},
        };

        tp_log_write(config->log, TP_LOG_WARNING, "LinuxIo was not created", fields, 2);
    }
    return error;
}

void tp_linux_io_destroy(struct tp_io *io)
{
    if (io != NULL)
        tp_assert(io->backend == &backend);
    tp_io_destroy(io);
}

uint32_t tp_linux_io_features(const struct tp_io *io)
{
    tp_assert(io->backend == &backend);
    return ((const struct tp_linux_io *)(const void *)io)->ring.features;
}
