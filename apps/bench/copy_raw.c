#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/bench/uring.h"

enum { DEPTH = 8, BLOCK_BYTES = 256 << 10, ALIGN = 4096, SOURCE = 0, DESTINATION = 1 };

struct block {
    uint64_t offset; /* of the file */
    uint32_t len;
    uint32_t done; /* of the write */
    bool writing;
};

struct raw {
    struct bench_copy copy;
    struct io_uring ring;
    bool ring_open;
    int fds[2];
    uint64_t next; /* where the next block begins */
    uint32_t flying;
    uint8_t *memory;
    struct block blocks[DEPTH];
};

/* ------------------------------------------------------------------ the ring of blocks */

static void *block_memory(const struct raw *raw, uint32_t slot)
{
    return raw->memory + (size_t)slot * BLOCK_BYTES;
}

static void submit(struct raw *raw, uint32_t slot)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&raw->ring);
    struct block *block = &raw->blocks[slot];

    if (block->writing)
        io_uring_prep_write_fixed(
            sqe, DESTINATION, (uint8_t *)block_memory(raw, slot) + block->done,
            block->len - block->done, block->offset + block->done, (int)slot);
    else
        io_uring_prep_read_fixed(sqe, SOURCE, block_memory(raw, slot), block->len,
                                 block->offset, (int)slot);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = slot;
    raw->flying++;
}

static void submit_next(struct raw *raw, uint32_t slot)
{
    struct block *block = &raw->blocks[slot];
    uint64_t left = raw->copy.bytes - raw->next;

    if (left == 0)
        return;
    block->offset = raw->next;
    block->len = left < BLOCK_BYTES ? (uint32_t)left : BLOCK_BYTES;
    block->done = 0;
    block->writing = false;
    raw->next += block->len;
    submit(raw, slot);
}

static int take(struct raw *raw, uint32_t slot, int result)
{
    struct block *block = &raw->blocks[slot];

    raw->flying--;
    if (result <= 0)
        return result < 0 ? result : -ENODATA;
    if (!block->writing) {
        if ((uint32_t)result != block->len)
            return -ENODATA; /* a cached file has no short reads but at its end */
        block->writing = true;
        submit(raw, slot);
        return 0;
    }
    block->done += (uint32_t)result;
    if (block->done < block->len)
        submit(raw, slot);
    else
        submit_next(raw, slot);
    return 0;
}

static int copy_blocks(struct raw *raw)
{
    int error = 0;

    raw->next = 0;
    for (uint32_t slot = 0; slot < DEPTH; slot++)
        submit_next(raw, slot);
    while (raw->flying > 0) {
        struct io_uring_cqe *cqe;
        uint32_t head, seen = 0;
        int result = io_uring_submit_and_wait(&raw->ring, 1);

        if (result < 0 && result != -EINTR)
            return result;
        io_uring_for_each_cqe(&raw->ring, head, cqe)
        {
            int wrong = take(raw, (uint32_t)cqe->user_data, cqe->res);

            if (wrong < 0 && error == 0) {
                error = wrong;
                raw->next = raw->copy.bytes;
            }
            seen++;
        }
        io_uring_cq_advance(&raw->ring, seen);
    }
    return error;
}

int bench_copy_raw_run(void *state, uint64_t operations)
{
    struct raw *raw = state;
    int direct = raw->copy.direct ? O_DIRECT : 0;
    int result;

    (void)operations;
    raw->fds[SOURCE] = open(raw->copy.source, O_RDONLY | O_CLOEXEC);
    raw->fds[DESTINATION] =
        open(raw->copy.destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | direct, 0666);
    if (raw->fds[SOURCE] < 0 || raw->fds[DESTINATION] < 0)
        return -errno;
    result = io_uring_register_files(&raw->ring, raw->fds, 2);
    if (result == 0)
        result = copy_blocks(raw);
    (void)io_uring_unregister_files(&raw->ring);
    (void)close(raw->fds[SOURCE]);
    if (close(raw->fds[DESTINATION]) < 0 && result == 0)
        result = -errno;
    return result == 0 && raw->copy.durable ? bench_copy_sync(&raw->copy) : result;
}

/* ------------------------------------------------------------------ life */

static int register_blocks(struct raw *raw)
{
    struct iovec iovecs[DEPTH];

    for (uint32_t slot = 0; slot < DEPTH; slot++) {
        iovecs[slot].iov_base = block_memory(raw, slot);
        iovecs[slot].iov_len = BLOCK_BYTES;
    }
    return io_uring_register_buffers(&raw->ring, iovecs, DEPTH);
}

static int open_raw(const struct bench_setting *setting, bool direct, void **ret_state)
{
    struct raw *raw = calloc(1, sizeof *raw);
    int result;

    if (raw == NULL)
        return -ENOMEM;
    result = bench_copy_init(&raw->copy, setting);
    raw->copy.direct = direct;
    raw->memory = aligned_alloc(ALIGN, (size_t)DEPTH * BLOCK_BYTES);
    if (raw->memory == NULL)
        result = -ENOMEM;
    if (result == 0)
        result = bench_uring_open(&raw->ring, DEPTH, 0);
    raw->ring_open = result == 0;
    if (result == 0)
        result = register_blocks(raw);
    if (result < 0) {
        bench_copy_raw_close(raw);
        return result;
    }
    *ret_state = raw;
    return 0;
}

int bench_copy_raw_open(const struct bench_setting *setting, void **ret_state)
{
    return open_raw(setting, false, ret_state);
}

int bench_copy_raw_open_direct(const struct bench_setting *setting, void **ret_state)
{
    return open_raw(setting, true, ret_state);
}

void bench_copy_raw_close(void *state)
{
    struct raw *raw = state;

    if (raw->ring_open)
        io_uring_queue_exit(&raw->ring);
    free(raw->memory);
    free(raw);
}
