#include "apps/copy/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/say.h"

enum { BLOCK_BYTES = 1 << 16, OLDER_LINE_BYTES = 64 };

/* Whether an older version of the item is there before the copy. */
static bool had_older(const struct copy_list *list, uint32_t index)
{
    return list->items[index].kind == TP_FILE_REGULAR && index % 2 == 0;
}

/* Sizes on both sides of the new one, so that a mixture shows. */
static uint64_t older_size(const struct copy_loaded *item, uint32_t index)
{
    return index % 4 == 0 ? item->size / 2 + 1 : item->size + item->size / 2 + 100;
}

/* The older version from `offset` on: lines that name the file and their own number. */
static void fill_older(const struct copy_list *list, uint32_t index, uint64_t offset,
                       uint8_t *ret_bytes, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += OLDER_LINE_BYTES) {
        char line[OLDER_LINE_BYTES + 1];
        uint32_t part = len - at < OLDER_LINE_BYTES ? len - at : OLDER_LINE_BYTES;

        (void)snprintf(line, sizeof line, "older %-20.20s %10u line %20llu\n",
                       list->items[index].path, index,
                       (unsigned long long)((offset + at) / OLDER_LINE_BYTES));
        memcpy(ret_bytes + at, line, part);
    }
}

/* ------------------------------------------------------------------ before */

static int32_t put_older(struct tp_io *io, const struct copy_list *list, uint32_t index,
                         const char *path)
{
    struct tp_open_options options = {.write = true, .create = true, .truncate = true};
    uint64_t size = older_size(&list->items[index], index);
    int32_t value = tp_io_block_on(io, tp_request_open(path, options));
    uint8_t block[BLOCK_BYTES];
    struct tp_fd fd;

    if (value < 0)
        return value;
    fd = tp_io_into_fd(io, value);
    for (uint64_t offset = 0; value >= 0 && offset < size; offset += (uint32_t)value) {
        uint64_t left = size - offset;
        uint32_t len = left < BLOCK_BYTES ? (uint32_t)left : BLOCK_BYTES;
        struct tp_buf buf = tp_buf_full(block, len);

        fill_older(list, index, offset, block, len);
        value = tp_io_block_on(io, tp_request_write_at(fd, &buf, offset));
    }
    (void)tp_io_block_on(io, tp_request_close(fd));
    return value < 0 ? value : 0;
}

int32_t copy_put_older(struct tp_io *io, const struct copy_list *list, const char *path)
{
    int32_t error = 0;

    for (uint32_t i = 0; i < list->count && error >= 0; i++) {
        char text[2 * TP_PATH_MAX];

        (void)snprintf(text, sizeof text, "%s%s", path, list->items[i].path);
        if (list->items[i].kind == TP_FILE_DIRECTORY)
            error = tp_io_create_dir_all_blocking(io, text);
        else if (had_older(list, i))
            error = put_older(io, list, i, text);
    }
    return error < 0 ? error : 0;
}

/* ------------------------------------------------------------------ afterwards */

/* Reads up to `len` bytes; fewer at the end of the file only. */
static int32_t read_full(struct tp_io *io, struct tp_fd fd, uint64_t offset, uint8_t *bytes,
                         uint32_t len)
{
    uint32_t filled = 0;
    int32_t value = 1;

    while (filled < len && value > 0) {
        struct tp_buf buf = tp_buf_empty(bytes + filled, len - filled);

        value = tp_io_block_on(io, tp_request_read_at(fd, &buf, offset + filled));
        filled += value > 0 ? (uint32_t)value : 0;
    }
    return value < 0 ? value : (int32_t)filled;
}

/* What the target may still be, block by block. */
struct candidates {
    bool is_new, is_old;
    int32_t error;
};

/* What one side has at an offset. */
struct block {
    uint8_t bytes[BLOCK_BYTES];
    int32_t len; /* fewer than the whole at the end only; or a negative errno */
};

static bool blocks_equal(const struct block *a, const struct block *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, (size_t)a->len) == 0;
}

static void compare_block(const struct copy_list *list, uint32_t index, uint64_t offset,
                          const struct block *found, struct block *wanted,
                          struct candidates *c)
{
    uint64_t size = older_size(&list->items[index], index);
    uint64_t left = offset < size ? size - offset : 0;

    c->is_new = c->is_new && blocks_equal(found, wanted);
    wanted->len = left < BLOCK_BYTES ? (int32_t)left : BLOCK_BYTES;
    fill_older(list, index, offset, wanted->bytes, (uint32_t)wanted->len);
    c->is_old = c->is_old && blocks_equal(found, wanted);
}

static struct candidates compare_file(struct tp_io *io, const struct copy_list *list,
                                      uint32_t index, struct tp_fd source,
                                      struct tp_fd target)
{
    const struct copy_loaded *item = &list->items[index];
    struct candidates c = {true, had_older(list, index), 0};
    uint64_t end =
        older_size(item, index) > item->size ? older_size(item, index) : item->size;

    /* One block more than either has, so that neither is taken for a longer one. */
    for (uint64_t offset = 0; offset <= end + BLOCK_BYTES && (c.is_new || c.is_old);
         offset += BLOCK_BYTES) {
        struct block found, wanted;

        found.len = read_full(io, target, offset, found.bytes, BLOCK_BYTES);
        wanted.len = read_full(io, source, offset, wanted.bytes, BLOCK_BYTES);
        c.error = found.len < 0 ? found.len : wanted.len < 0 ? wanted.len : 0;
        if (c.error < 0)
            break;
        compare_block(list, index, offset, &found, &wanted, &c);
    }
    return c;
}

static struct candidates check_file(struct tp_io *io, const struct copy_list *list,
                                    uint32_t index, const char *source, const char *target)
{
    struct tp_open_options options = {.read = true};
    struct candidates c = {false, false, 0};
    int32_t from = tp_io_block_on(io, tp_request_open(source, options));
    int32_t to = tp_io_block_on(io, tp_request_open(target, options));
    struct tp_fd from_fd, to_fd;

    if (from >= 0)
        from_fd = tp_io_into_fd(io, from);
    if (to >= 0)
        to_fd = tp_io_into_fd(io, to);
    if (from >= 0 && to >= 0)
        c = compare_file(io, list, index, from_fd, to_fd);
    else
        c.error = from < 0 ? from : to;
    if (from >= 0)
        (void)tp_io_block_on(io, tp_request_close(from_fd));
    if (to >= 0)
        (void)tp_io_block_on(io, tp_request_close(to_fd));
    return c;
}

static struct candidates check_link(struct tp_io *io, const char *source,
                                    const char *target)
{
    uint8_t wanted[TP_PATH_MAX], found[TP_PATH_MAX];
    struct tp_buf wanted_buf = tp_buf_empty(wanted, sizeof wanted);
    struct tp_buf found_buf = tp_buf_empty(found, sizeof found);
    int32_t len = tp_io_block_on(io, tp_request_read_link(source, &wanted_buf));
    int32_t found_len = tp_io_block_on(io, tp_request_read_link(target, &found_buf));
    struct candidates c = {false, false, 0};

    if (len < 0 || found_len < 0)
        c.error = len < 0 ? len : found_len;
    else
        c.is_new = len == found_len && memcmp(wanted, found, (size_t)len) == 0;
    return c;
}

/* Whether an error says what is at the place, not that the disk cannot be read. */
static bool tells(int32_t error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -EINVAL;
}

/* Counts one fate; false if it is one that must not be. */
static bool count(const struct candidates *c, bool had, struct copy_fates *fates)
{
    if (c->error == -ENOENT && !had)
        fates->absent++;
    else if (c->error == 0 && c->is_new)
        fates->new_ones++;
    else if (c->error == 0 && c->is_old)
        fates->old_ones++;
    else
        return false;
    return true;
}

static int32_t check_item(struct tp_io *io, const struct copy_list *list, uint32_t index,
                          const char *const paths[2], uint32_t says,
                          struct copy_fates *fates)
{
    struct candidates c = list->items[index].kind == TP_FILE_SYMLINK
                              ? check_link(io, paths[0], paths[1])
                              : check_file(io, list, index, paths[0], paths[1]);
    char quoted[APP_QUOTED_BYTES(TP_PATH_MAX)];

    if (c.error < 0 && !tells(c.error))
        return c.error;
    if (!count(&c, had_older(list, index), fates) && fates->torn++ < says)
        app_say("%s is %s", app_quote(paths[1], quoted, sizeof quoted),
                c.error == 0 ? "neither the old nor the new file"
                             : "gone, though an older version was there");
    return 0;
}

int32_t copy_check(struct tp_io *io, const struct copy_list *list, const char *source,
                   const char *target, uint32_t says, struct copy_fates *fates)
{
    int32_t error = 0;

    for (uint32_t i = 0; i < list->count && error == 0; i++) {
        char from[2 * TP_PATH_MAX], to[2 * TP_PATH_MAX];
        const char *const paths[2] = {from, to};

        if (list->items[i].kind == TP_FILE_DIRECTORY)
            continue;
        (void)snprintf(from, sizeof from, "%s%s", source, list->items[i].path);
        (void)snprintf(to, sizeof to, "%s%s", target, list->items[i].path);
        error = check_item(io, list, i, paths, says, fates);
    }
    return error;
}
