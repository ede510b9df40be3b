#include "fixture.h"

#include <stdlib.h>

void f_boot(struct fixture *f, uint64_t seed)
{
    if (f->disk == NULL)
        cr_assert(eq(int, tp_disk_create(&f->disk_config, &f->disk), 0));
    tp_tape_destroy(f->tape);
    cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &f->tape), 0));
    f->config.size = sizeof f->config;
    f->config.disk = f->disk;
    f->config.tape = f->tape;
    cr_assert(eq(int, tp_virtual_io_create(&f->config, &f->io), 0));
}

void f_halt(struct fixture *f)
{
    tp_virtual_io_destroy(f->io);
    f->io = NULL;
    tp_disk_check(f->disk);
}

void f_free(struct fixture *f)
{
    tp_virtual_io_destroy(f->io);
    tp_disk_destroy(f->disk);
    tp_tape_destroy(f->tape);
    f->io = NULL;
    f->disk = NULL;
    f->tape = NULL;
}

struct tp_disk *f_cut(const struct fixture *f, uint64_t seed)
{
    struct tp_tape *tape;
    struct tp_disk *clone;

    cr_assert(eq(int, tp_disk_clone(f->disk, &clone), 0));
    cr_assert(eq(int, tp_tape_from_seed(seed, false, NULL, &tape), 0));
    tp_disk_power_cut(clone, tape, 0);
    tp_disk_check(clone);
    tp_tape_destroy(tape);
    return clone;
}

int32_t f_do(struct fixture *f, struct tp_request request)
{
    return tp_io_block_on(f->io, request);
}

struct tp_fd f_open(struct fixture *f, const char *path, struct tp_open_options options)
{
    int32_t value = f_do(f, tp_request_open(path, options));

    cr_assert(value >= 0, "%s: %s", path, tp_errno_name(value));
    return tp_io_into_fd(f->io, value);
}

void f_close(struct fixture *f, struct tp_fd fd)
{
    cr_assert(eq(i32, f_do(f, tp_request_close(fd)), 0));
}

int32_t f_write(struct fixture *f, struct tp_fd fd, char letter, uint32_t len,
                uint64_t offset)
{
    void *memory = aligned_alloc(4096, (len + 4095) / 4096 * 4096);
    struct tp_buf buf = tp_buf_full(memory, len);
    int32_t value;

    cr_assert(memory != NULL);
    memset(memory, letter, len);
    value = f_do(f, tp_request_write_at(fd, &buf, offset));
    free(memory);
    return value;
}

void f_put(struct fixture *f, const char *path, char letter, uint32_t len)
{
    struct tp_fd fd = f_open(f, path, F_RW);

    cr_assert(eq(i32, f_write(f, fd, letter, len, 0), (int32_t)len));
    f_close(f, fd);
}

void f_put_durable(struct fixture *f, const char *path, char letter, uint32_t len)
{
    struct tp_fd fd = f_open(f, path, F_RW);

    cr_assert(eq(i32, f_write(f, fd, letter, len, 0), (int32_t)len));
    cr_assert(eq(i32, f_do(f, tp_request_fsync(fd, 0)), 0));
    cr_assert(eq(i32, f_do(f, tp_request_sync_dir("/")), 0));
    f_close(f, fd);
}

char f_letter(const struct tp_disk *disk, const char *path, uint64_t offset, uint32_t len)
{
    static char bytes[65536];

    cr_assert(len <= sizeof bytes);
    if (tp_disk_read_at(disk, path, offset, bytes, len) != len)
        return '-';
    for (uint32_t i = 1; i < len; i++) {
        if (bytes[i] != bytes[0])
            return '?';
    }
    return bytes[0];
}

bool f_exists(const struct tp_disk *disk, const char *path)
{
    struct tp_statx statx;

    return tp_disk_stat(disk, path, false, &statx) == 0;
}

uint64_t f_size(const struct tp_disk *disk, const char *path)
{
    struct tp_statx statx;

    return tp_disk_stat(disk, path, false, &statx) == 0 ? statx.size : UINT64_MAX;
}
