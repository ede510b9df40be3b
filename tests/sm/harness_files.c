#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/virtual/disk.h"
#include "sm/staged.h"
#include "tests/sm/harness.h"

const char *harness_path(struct harness *h, const char *name)
{
    char *at = h->text + 256 * (h->text_next++ % 4);
    int len = snprintf(at, 256, "%s%s%s", h->root, name[0] == '\0' ? "" : "/", name);

    expect(h, len > 0 && len < 256);
    return at;
}

struct tp_fd harness_open_fd(struct harness *h, const char *name,
                             struct tp_open_options options)
{
    int32_t value = tp_io_block_on(h->io, tp_request_open(harness_path(h, name), options));

    expect(h, value >= 0);
    return tp_io_into_fd(h->io, value);
}

void harness_close_fd(struct harness *h, struct tp_fd fd)
{
    expect(h, tp_io_block_on(h->io, tp_request_close(fd)) == 0);
}

static void put_on_linux(struct harness *h, const char *name, const void *bytes,
                         uint32_t len)
{
    struct tp_open_options options = {.write = true, .create = true, .truncate = true};
    struct tp_fd fd = harness_open_fd(h, name, options);

    for (uint32_t at = 0; at < len;) {
        struct tp_buf buf = tp_buf_full((const uint8_t *)bytes + at, len - at);
        int32_t value = tp_io_block_on(h->io, tp_request_write_at(fd, &buf, at));
        expect(h, value > 0);
        at += (uint32_t)value;
    }
    harness_close_fd(h, fd);
}

void harness_put(struct harness *h, const char *name, const void *bytes, uint32_t len)
{
    if (h->world == ON_LINUX)
        put_on_linux(h, name, bytes, len);
    else
        expect(h, tp_disk_write_file(h->disk, harness_path(h, name), bytes, len) == 0);
}

void harness_put_dir(struct harness *h, const char *name)
{
    const char *path = harness_path(h, name);

    if (h->world == ON_LINUX)
        expect(h, tp_io_block_on(h->io, tp_request_create_dir(path, 0755)) == 0);
    else
        expect(h, tp_disk_make_dir(h->disk, path, 0755) == 0);
}

void harness_put_link(struct harness *h, const char *name, const char *target)
{
    const char *path = harness_path(h, name);

    if (h->world == ON_LINUX)
        expect(h, tp_io_block_on(h->io, tp_request_symlink(path, target)) == 0);
    else
        expect(h, tp_disk_make_symlink(h->disk, path, target) == 0);
}

int32_t harness_get(struct harness *h, const char *name, void *ret_bytes, uint32_t capacity)
{
    struct tp_open_options options = {.read = true};
    int32_t value = tp_io_block_on(h->io, tp_request_open(harness_path(h, name), options));
    uint32_t len = 0;

    if (value < 0)
        return value;
    struct tp_fd fd = tp_io_into_fd(h->io, value);
    do {
        struct tp_buf buf = tp_buf_empty((uint8_t *)ret_bytes + len, capacity - len);
        value = tp_io_block_on(h->io, tp_request_read_at(fd, &buf, len));
        expect(h, value >= 0);
        len += (uint32_t)value;
    } while (value > 0 && len < capacity);
    harness_close_fd(h, fd);
    return (int32_t)len;
}

bool harness_holds(struct harness *h, const char *name, const void *bytes, uint32_t len)
{
    static uint8_t found[1 << 20];

    expect(h, len < sizeof found);
    return harness_get(h, name, found, sizeof found) == (int32_t)len &&
           memcmp(found, bytes, len) == 0;
}

bool harness_exists(struct harness *h, const char *name)
{
    struct tp_statx statx;

    return tp_io_block_on(h->io, tp_request_lstat(harness_path(h, name), &statx)) == 0;
}

struct tp_statx harness_stat(struct harness *h, const char *name)
{
    struct tp_statx statx;

    expect(h, tp_io_block_on(h->io, tp_request_lstat(harness_path(h, name), &statx)) == 0);
    return statx;
}

static int32_t count_temporary(void *context, const struct tp_dir_entry *entry)
{
    *(uint32_t *)context += tp_staged_is_temporary(tp_dir_entry_name(entry)) ? 1 : 0;
    return 0;
}

uint32_t harness_temporaries(struct harness *h, const char *name)
{
    uint32_t count = 0;

    expect(h, tp_io_list_dir_blocking(h->io, harness_path(h, name), count_temporary,
                                      &count) == 0);
    return count;
}

void harness_fill(void *ret_bytes, uint32_t len, uint64_t seed)
{
    uint8_t *bytes = ret_bytes;
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (uint32_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 56);
    }
}
