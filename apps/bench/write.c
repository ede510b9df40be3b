#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/bench/bench.h"
#include "apps/bench/file.h"
#include "apps/bench/uring.h"

/* The ways to write 4 KiB blocks one after another, all through a raw ring but one: what
 * the kernel makes of them decides how the log, the atomic replace and the copy write. */

enum { BLOCK_BYTES = 4096, BLOCKS = 1024, SYNC = 1 };

/* One way. */
struct way {
    int flags;         /* of open(2), beside O_WRONLY */
    bool call;         /* pwrite(2) and not a ring */
    bool preallocated; /* the blocks are reserved and were never written */
    bool prewritten;   /* they were written before, and are durable */
    bool synced;       /* an fdatasync(2) follows each batch of `depth` writes */
};

struct writer {
    const struct way *way;
    struct io_uring ring;
    bool ring_open;
    int fd;
    uint32_t depth;
    uint8_t *memory;
    char path[BENCH_PATH_MAX];
};

/* ------------------------------------------------------------------ before a slice */

static int fill(const struct writer *w)
{
    for (uint32_t block = 0; block < BLOCKS; block++) {
        if (pwrite(w->fd, w->memory, BLOCK_BYTES, (off_t)block * BLOCK_BYTES) !=
            BLOCK_BYTES)
            return -errno;
    }
    return fsync(w->fd) < 0 ? -errno : 0;
}

/* A new file, so that every slice finds the blocks as its way wants them. */
static int writer_prepare(void *state)
{
    struct writer *w = state;
    int result = 0;

    if (w->fd >= 0)
        (void)close(w->fd);
    (void)unlink(w->path);
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC | w->way->flags, 0666);
    if (w->fd < 0)
        return -errno;
    if (w->way->prewritten)
        result = fill(w);
    else if (w->way->preallocated)
        result = -posix_fallocate(w->fd, 0, (off_t)BLOCKS * BLOCK_BYTES);
    if (result == 0 && fsync(w->fd) < 0)
        result = -errno;
    if (result == 0 && w->ring_open) {
        (void)io_uring_unregister_files(&w->ring);
        result = io_uring_register_files(&w->ring, &w->fd, 1);
    }
    return result;
}

/* ------------------------------------------------------------------ a slice */

static int run_calls(const struct writer *w, uint64_t operations)
{
    for (uint64_t block = 0; block < operations; block++) {
        if (pwrite(w->fd, w->memory, BLOCK_BYTES, (off_t)(block * BLOCK_BYTES)) !=
            BLOCK_BYTES)
            return -errno;
        if (w->way->synced && (block + 1) % w->depth == 0 && fdatasync(w->fd) < 0)
            return -errno;
    }
    return 0;
}

static void submit_write(struct writer *w, uint64_t block)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

    io_uring_prep_write_fixed(sqe, 0, w->memory, BLOCK_BYTES, block * BLOCK_BYTES, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
}

/* Waits for `count` completions. */
static int reap(struct writer *w, uint32_t count)
{
    int error = 0;

    while (count > 0) {
        struct io_uring_cqe *cqe;
        uint32_t head, seen = 0;
        int result = io_uring_submit_and_wait(&w->ring, 1);

        if (result < 0 && result != -EINTR)
            return result;
        io_uring_for_each_cqe(&w->ring, head, cqe)
        {
            if (cqe->res < 0)
                error = cqe->res;
            else if (cqe->user_data != SYNC && cqe->res != BLOCK_BYTES)
                error = -EIO;
            seen++;
        }
        io_uring_cq_advance(&w->ring, seen);
        count -= seen;
    }
    return error;
}

static int submit_sync(struct writer *w)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

    io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = SYNC;
    return reap(w, 1);
}

static int writer_run(void *state, uint64_t operations)
{
    struct writer *w = state;
    int result = 0;

    if (w->way->call)
        return run_calls(w, operations);
    for (uint64_t block = 0; block < operations && result == 0;) {
        uint32_t batch = 0;

        for (; batch < w->depth && block < operations; batch++)
            submit_write(w, block++);
        result = reap(w, batch);
        if (result == 0 && w->way->synced)
            result = submit_sync(w);
    }
    return result;
}

/* ------------------------------------------------------------------ life */

static void writer_close(void *state)
{
    struct writer *w = state;

    if (w->ring_open)
        io_uring_queue_exit(&w->ring);
    if (w->fd >= 0)
        (void)close(w->fd);
    (void)unlink(w->path);
    free(w->memory);
    free(w);
}

static int open_ring(struct writer *w)
{
    const struct iovec iovec = {w->memory, BLOCK_BYTES};
    int result = bench_uring_open(&w->ring, w->depth, 0);

    if (result < 0)
        return result;
    w->ring_open = true;
    return io_uring_register_buffers(&w->ring, &iovec, 1);
}

static int open_writer(const struct bench_setting *setting, const struct way *way,
                       void **ret_state)
{
    struct writer *w = calloc(1, sizeof *w);
    int result = -ENOMEM;

    if (w == NULL)
        return -ENOMEM;
    w->way = way;
    w->fd = -1;
    w->depth = setting->depth;
    (void)snprintf(w->path, sizeof w->path, "%s", setting->path);
    w->memory = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);
    if (w->memory != NULL) {
        memset(w->memory, 'w', BLOCK_BYTES);
        result = way->call ? 0 : open_ring(w);
    }
    if (result < 0) {
        writer_close(w);
        return result;
    }
    *ret_state = w;
    return 0;
}

#define WAY(name, ...)                                                            \
    static int open_##name(const struct bench_setting *setting, void **ret_state) \
    {                                                                             \
        static const struct way way = {__VA_ARGS__};                              \
                                                                                  \
        return open_writer(setting, &way, ret_state);                             \
    }
WAY(pwrite, .call = true)
WAY(buffered, .flags = 0)
WAY(direct, .flags = O_DIRECT, .prewritten = true)
WAY(pwrite_sync, .call = true, .synced = true)
WAY(buffered_sync, .synced = true)
WAY(dsync_new, .flags = O_DIRECT | O_DSYNC)
WAY(dsync_reserved, .flags = O_DIRECT | O_DSYNC, .preallocated = true)
WAY(dsync_written, .flags = O_DIRECT | O_DSYNC, .prewritten = true)
#undef WAY

static const struct bench_hooks writer_hooks = {.prepare = writer_prepare};

#define CONTESTANT(name, against, open)                                      \
    {                                                                        \
        name, against, BLOCKS, open, writer_run, writer_close, &writer_hooks \
    }

int bench_write(const struct bench_options *options, struct bench_report *report)
{
    static const uint32_t depths[] = {1, 32};
    static const struct bench_contestant cached[] = {
        CONTESTANT("pwrite", NULL, open_pwrite),
        CONTESTANT("liburing", "pwrite", open_buffered),
        CONTESTANT("liburing-direct", "pwrite", open_direct),
    };
    static const struct bench_contestant durable[] = {
        CONTESTANT("pwrite", NULL, open_pwrite_sync),
        CONTESTANT("liburing", "pwrite", open_buffered_sync),
        CONTESTANT("dsync-new", "pwrite", open_dsync_new),
        CONTESTANT("dsync-reserved", "pwrite", open_dsync_reserved),
        CONTESTANT("dsync-prewritten", "pwrite", open_dsync_written),
    };
    struct bench_setting setting = {.options = options, .bytes_op = BLOCK_BYTES};
    char path[BENCH_PATH_MAX];
    int result = bench_file_place(options, "write.bin", path);

    setting.path = path;
    setting.mode = "cached";
    if (result == 0 && bench_options_want_mode(options, setting.mode))
        result = bench_contest_depths(report, &setting, depths, 2, cached, 3);
    setting.mode = "durable";
    if (result == 0 && bench_options_want_mode(options, setting.mode))
        result = bench_contest_depths(report, &setting, depths, 2, durable, 5);
    return result;
}
