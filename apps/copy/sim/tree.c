#include "apps/copy/sim/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ROW_BYTES = 64 }; /* of a content: each has another letter */

static const char *const names[COPY_TREE_FILES] = {"empty", "letter", "book/one",
                                                   "book/two", "book/notes/three"};
/* Below a block, of several, and not of whole ones. */
static const uint32_t sizes[COPY_TREE_FILES] = {0, 700, 4096, 9000, 30000};

const char *copy_tree_name(uint32_t index)
{
    tp_assert(index < COPY_TREE_FILES);
    return names[index];
}

const char *copy_tree_source(uint64_t edition)
{
    static const char *const places[COPY_TREE_EDITIONS] = {"/src0/.", "/src1/.", "/src2/."};

    return places[edition % COPY_TREE_EDITIONS];
}

static uint32_t size_of(uint32_t size_at, uint32_t index, uint32_t place)
{
    uint32_t size = sizes[index] == 0 ? 0 : sizes[index] + size_at + place * 512;

    tp_assert(size <= COPY_TREE_BYTES_MAX);
    return size;
}

static void fill(uint32_t index, uint32_t place, uint8_t *ret_bytes, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += ROW_BYTES) {
        uint32_t row_len = len - at < ROW_BYTES ? len - at : ROW_BYTES;

        memset(ret_bytes + at, (int)(1 + place * 80 + (at / ROW_BYTES + index) % 80),
               row_len);
    }
}

static void put_file(struct tp_disk *disk, uint32_t size_at, uint32_t index, uint32_t place)
{
    uint8_t bytes[COPY_TREE_BYTES_MAX];
    uint32_t len = size_of(size_at, index, place);
    char path[COPY_TREE_PATH_BYTES];

    (void)snprintf(path, sizeof path, "/src%u/%s", place, names[index]);
    fill(index, place, bytes, len);
    tp_assert(tp_disk_write_file(disk, path, bytes, len) == 0);
}

void copy_tree_put(struct tp_disk *disk, uint32_t size_at)
{
    for (uint32_t place = 0; place < COPY_TREE_EDITIONS; place++) {
        char path[COPY_TREE_PATH_BYTES];

        (void)snprintf(path, sizeof path, "/src%u/book/notes", place);
        tp_assert(tp_disk_make_dirs(disk, path) == 0);
        for (uint32_t index = 0; index < COPY_TREE_FILES; index++)
            put_file(disk, size_at, index, place);
    }
    tp_assert(tp_disk_make_dirs(disk, COPY_TREE_TARGET) == 0);
}

enum copy_tree_find copy_tree_look(const struct tp_disk *disk, uint32_t size_at,
                                   uint32_t index, uint32_t *ret_place)
{
    uint8_t found[COPY_TREE_BYTES_MAX + 1], bytes[COPY_TREE_BYTES_MAX];
    char path[COPY_TREE_PATH_BYTES];
    int64_t len;

    (void)snprintf(path, sizeof path, COPY_TREE_TARGET "/%s", copy_tree_name(index));
    len = tp_disk_read_at(disk, path, 0, found, sizeof found);
    if (len == -ENOENT)
        return COPY_TREE_ABSENT;
    for (uint32_t place = 0; place < COPY_TREE_EDITIONS; place++) {
        uint32_t size = size_of(size_at, index, place);

        if (len != (int64_t)size)
            continue;
        fill(index, place, bytes, size);
        if (memcmp(found, bytes, size) == 0) {
            *ret_place = place;
            return COPY_TREE_WHOLE;
        }
    }
    return COPY_TREE_TORN;
}
