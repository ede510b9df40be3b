#include "read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct uv_reader {
    uv_fs_t request;
    uv_buf_t buf;
    uint64_t block;
    struct uv_hall *hall;
};

struct uv_hall {
    uv_loop_t loop;
    bool loop_open;
    int fd;
    uint32_t depth;
    uint64_t left; /* reads still to submit in this slice */
    int error;
    uint8_t *memory;
    struct bench_blocks blocks;
    struct uv_reader readers[];
};

static void on_read(uv_fs_t *request);

static void submit(struct uv_reader *r)
{
    struct uv_hall *hall = r->hall;
    int result;

    hall->left--;
    r->block = bench_blocks_next(&hall->blocks);
    result = uv_fs_read(&hall->loop, &r->request, hall->fd, &r->buf, 1,
                        (int64_t)(r->block * BENCH_BLOCK_BYTES), on_read);
    if (result < 0)
        hall->error = result;
}

static void on_read(uv_fs_t *request)
{
    struct uv_reader *r = request->data;
    int wrong =
        bench_blocks_check(&r->hall->blocks, r->block, request->result, r->buf.base);

    uv_fs_req_cleanup(request);
    if (wrong < 0)
        r->hall->error = wrong;
    if (r->hall->left > 0)
        submit(r);
}

int bench_read_uv_run(void *state, uint64_t operations)
{
    struct uv_hall *hall = state;

    hall->left = operations;
    hall->error = 0;
    for (uint32_t i = 0; i < hall->depth && hall->left > 0; i++)
        submit(&hall->readers[i]);
    if (uv_run(&hall->loop, UV_RUN_DEFAULT) != 0)
        return -EBUSY;
    return hall->error;
}

int bench_read_uv_open(const struct bench_setting *setting, void **ret_state)
{
    size_t bytes = (size_t)setting->depth * BENCH_BLOCK_BYTES;
    struct uv_hall *hall =
        calloc(1, sizeof *hall + setting->depth * sizeof hall->readers[0]);
    int result = -ENOMEM;

    if (hall == NULL)
        return -ENOMEM;
    hall->depth = setting->depth;
    hall->blocks = bench_blocks_of(setting);
    hall->fd = open(setting->path, bench_read_open_flags(setting));
    hall->memory = aligned_alloc(BENCH_BLOCK_BYTES, bytes);
    if (hall->fd < 0)
        result = -errno;
    else if (hall->memory != NULL)
        result = uv_loop_init(&hall->loop);
    hall->loop_open = result == 0;
    if (result < 0 || hall->memory == NULL) {
        bench_read_uv_close(hall);
        return result;
    }
    memset(hall->memory, 0, bytes);
    for (uint32_t i = 0; i < hall->depth; i++) {
        struct uv_reader *r = &hall->readers[i];

        r->hall = hall;
        r->request.data = r;
        r->buf = uv_buf_init((char *)hall->memory + (size_t)i * BENCH_BLOCK_BYTES,
                             BENCH_BLOCK_BYTES);
    }
    *ret_state = hall;
    return 0;
}

void bench_read_uv_close(void *state)
{
    struct uv_hall *hall = state;

    if (hall->loop_open)
        (void)uv_loop_close(&hall->loop);
    if (hall->fd >= 0)
        (void)close(hall->fd);
    free(hall->memory);
    free(hall);
}
