#include "read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/bench/uring.h"

struct raw {
    struct io_uring ring;
    bool ring_open, fixed;
    int fd;
    uint32_t depth;
    uint8_t *memory;  /* a block for each read in flight */
    uint64_t *wanted; /* the block that each is reading */
    struct bench_blocks blocks;
};

static int open_ring(struct raw *raw)
{
    struct iovec *iovecs;
    int result = bench_uring_open(&raw->ring, raw->depth, 0);

    if (result < 0)
        return result;
    raw->ring_open = true;
    result = io_uring_register_files(&raw->ring, &raw->fd, 1);
    if (result < 0 || !raw->fixed)
        return result;
    iovecs = calloc(raw->depth, sizeof *iovecs);
    if (iovecs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < raw->depth; i++) {
        iovecs[i].iov_base = raw->memory + (size_t)i * BENCH_BLOCK_BYTES;
        iovecs[i].iov_len = BENCH_BLOCK_BYTES;
    }
    result = io_uring_register_buffers(&raw->ring, iovecs, raw->depth);
    free(iovecs);
    return result;
}

enum way { RING, RING_FIXED, CALLS };

static int open_raw(const struct bench_setting *setting, enum way way, void **ret_state)
{
    size_t bytes = (size_t)setting->depth * BENCH_BLOCK_BYTES;
    struct raw *raw = calloc(1, sizeof *raw);
    int result = -ENOMEM;

    if (raw == NULL)
        return -ENOMEM;
    raw->fixed = way == RING_FIXED;
    raw->depth = setting->depth;
    raw->blocks = bench_blocks_of(setting);
    raw->fd = open(setting->path, bench_read_open_flags(setting));
    raw->memory = aligned_alloc(BENCH_BLOCK_BYTES, bytes);
    raw->wanted = calloc(setting->depth, sizeof *raw->wanted);
    if (raw->fd < 0)
        result = -errno;
    else if (raw->memory != NULL && raw->wanted != NULL) {
        memset(raw->memory, 0, bytes); /* its pages are there before the first read */
        result = way == CALLS ? 0 : open_ring(raw);
    }
    if (result < 0) {
        bench_read_raw_close(raw);
        return result;
    }
    *ret_state = raw;
    return 0;
}

int bench_read_raw_open(const struct bench_setting *setting, void **ret_state)
{
    return open_raw(setting, RING, ret_state);
}

int bench_read_raw_open_fixed(const struct bench_setting *setting, void **ret_state)
{
    return open_raw(setting, RING_FIXED, ret_state);
}

int bench_read_pread_open(const struct bench_setting *setting, void **ret_state)
{
    return open_raw(setting, CALLS, ret_state);
}

void bench_read_raw_close(void *state)
{
    struct raw *raw = state;

    if (raw->ring_open)
        io_uring_queue_exit(&raw->ring);
    if (raw->fd >= 0)
        (void)close(raw->fd);
    free(raw->memory);
    free(raw->wanted);
    free(raw);
}

static void *block_memory(const struct raw *raw, uint32_t slot)
{
    return raw->memory + (size_t)slot * BENCH_BLOCK_BYTES;
}

static void submit(struct raw *raw, uint32_t slot)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&raw->ring);
    uint64_t block = bench_blocks_next(&raw->blocks);

    raw->wanted[slot] = block;
    if (raw->fixed)
        io_uring_prep_read_fixed(sqe, 0, block_memory(raw, slot), BENCH_BLOCK_BYTES,
                                 block * BENCH_BLOCK_BYTES, (int)slot);
    else
        io_uring_prep_read(sqe, 0, block_memory(raw, slot), BENCH_BLOCK_BYTES,
                           block * BENCH_BLOCK_BYTES);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = slot;
}

int bench_read_raw_run(void *state, uint64_t operations)
{
    struct raw *raw = state;
    uint64_t left = operations;
    uint32_t flying = 0;
    int error = 0;

    for (; flying < raw->depth && left > 0; left--)
        submit(raw, flying++);
    while (flying > 0) {
        struct io_uring_cqe *cqe;
        uint32_t head, seen = 0;
        int result = io_uring_submit_and_wait(&raw->ring, 1);

        if (result < 0 && result != -EINTR)
            return result;
        io_uring_for_each_cqe(&raw->ring, head, cqe)
        {
            uint32_t slot = (uint32_t)cqe->user_data;
            int wrong = bench_blocks_check(&raw->blocks, raw->wanted[slot], cqe->res,
                                           block_memory(raw, slot));

            if (wrong < 0)
                error = wrong;
            seen++;
            if (left > 0) {
                left--;
                submit(raw, slot);
            } else {
                flying--;
            }
        }
        io_uring_cq_advance(&raw->ring, seen);
    }
    return error;
}

int bench_read_pread_run(void *state, uint64_t operations)
{
    struct raw *raw = state;

    for (uint64_t i = 0; i < operations; i++) {
        uint64_t block = bench_blocks_next(&raw->blocks);
        ssize_t count = pread(raw->fd, raw->memory, BENCH_BLOCK_BYTES,
                              (off_t)(block * BENCH_BLOCK_BYTES));
        int wrong = bench_blocks_check(&raw->blocks, block, count < 0 ? -errno : count,
                                       raw->memory);

        if (wrong < 0)
            return wrong;
    }
    return 0;
}
