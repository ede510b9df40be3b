/* What a recorder with a shadow adds to the facts: how what is read compares with what was
 * written. It reads the disk, and changes nothing. */
#include <string.h>

#include "apps/sim/record_look.h"
#include "apps/sim/sim_internal.h"
#include "io/virtual/disk_internal.h"

enum { BYTES_MAX = 1 << 20 }; /* of an operation: what is behind them is not looked at */

struct look {
    struct tp_shadow *shadow;
    const struct tp_disk *disk;
    const struct tp_virtual_moment *moment;
    uint32_t node;
    const char *path; /* of the file of an operation that has one; "": it has no name */
};

/* The part of a page that a transfer's byte and those behind it are on. */
static struct tp_shadow_part part_of(const struct look *look, uint32_t done, uint32_t len)
{
    struct tp_shadow_part part = {.node = look->node, .path = look->path};
    uint32_t left = len - done;

    part.offset = look->moment->request->b.offset + done;
    part.len = TP_PAGE_BYTES - (uint32_t)(part.offset % TP_PAGE_BYTES);
    part.len = left < part.len ? left : part.len;
    return part;
}

static uint32_t len_of(const struct look *look)
{
    uint32_t len = look->moment->request->len;

    return len < BYTES_MAX ? len : BYTES_MAX;
}

/* A write that will be refused is begun as well: to a socket, or behind all offsets. */
static bool is_of_file(const struct look *look)
{
    const struct tp_virtual_moment *moment = look->moment;

    return moment->inode != 0 &&
           tp_inode_at(look->disk, moment->inode)->kind == TP_FILE_REGULAR &&
           moment->request->b.offset <= (uint64_t)INT64_MAX - moment->request->len;
}

/* All of it, as it is asked for; what comes of it is another matter. A process that finds a
 * file empty and writes to it begins it anew: what others had written is not missing. */
static void note_write(const struct look *look, const struct tp_recorder *recorder,
                       uint32_t writer)
{
    const uint8_t *bytes = look->moment->request->a.memory;
    uint32_t len = len_of(look);
    struct tp_shadow_part part;

    if (tp_inode_at(look->disk, look->moment->inode)->size == 0)
        tp_shadow_forget(
            look->shadow, look->node, look->path,
            tp_record_last(recorder->records, recorder->count, TP_FACT_BOOT, look->node));
    for (uint32_t done = 0; done < len; done += part.len) {
        uint8_t before[TP_PAGE_BYTES] = {0};

        part = part_of(look, done, len);
        (void)tp_data_read(look->disk, look->moment->inode, part.offset, before, part.len);
        tp_shadow_write(look->shadow, &part, bytes + done, before, writer);
    }
}

/* What was read, and, where that is less than was asked for, whether the file ends. */
static void compare_read(const struct look *look, struct tp_shadow_found *ret_found)
{
    uint32_t got = (uint32_t)look->moment->result, len = len_of(look);
    bool ends = look->moment->request->b.offset + got >=
                tp_inode_at(look->disk, look->moment->inode)->size;
    struct tp_shadow_part part;

    got = got < len ? got : len;
    for (uint32_t done = 0; done < (ends ? len : got); done += part.len) {
        uint8_t bytes[TP_PAGE_BYTES];
        bool is_there = done < got;

        part = part_of(look, done, is_there ? got : len);
        if (is_there)
            (void)tp_data_read(look->disk, look->moment->inode, part.offset, bytes,
                               part.len);
        tp_shadow_compare(look->shadow, &part, is_there ? bytes : NULL, ret_found);
    }
}

/* Whether a write is in flight: a read may come before it. */
static bool is_under_way(const struct tp_recorder *recorder, uint32_t writer)
{
    return tp_record_end_of(recorder->records, recorder->count, writer - 1,
                            TP_VIRTUAL_EFFECT) == recorder->count;
}

/* Where a path leads that the operation was given, from the root; "": to no file that is
 * kept. False: it led through what has another name by now, so nobody can say. */
static bool from_root(const struct look *look, uint32_t dir, const char *path,
                      char *ret_path)
{
    bool in_dir = (look->moment->request->flags & TP_IN_DIR) != 0;
    char parent[TP_RECORD_TEXT];
    struct tp_walked walk;
    int len;

    if (tp_path_walk(look->disk, in_dir ? dir : TP_ROOT, path, TP_WALK_PARENT, &walk) < 0 ||
        walk.last != TP_LAST_NAME)
        return false;
    (void)tp_path_of(look->disk, walk.parent, parent, sizeof parent);
    len = snprintf(ret_path, TP_RECORD_TEXT, "%s/%.*s", parent[1] == '\0' ? "" : parent,
                   (int)walk.len, walk.name);
    if (len >= TP_RECORD_TEXT || parent[0] == '\0')
        ret_path[0] = '\0';
    return true;
}

/* What was emptied when it was opened: maybe by a symbolic link. */
static void note_emptied(const struct look *look)
{
    const struct tp_virtual_moment *moment = look->moment;
    bool in_dir = (moment->request->flags & TP_IN_DIR) != 0;
    int64_t inode = tp_path_find(look->disk, in_dir ? moment->inode : TP_ROOT, moment->path,
                                 TP_WALK_FOLLOW);
    char path[TP_RECORD_TEXT];

    tp_assert(inode > 0); /* it has just been opened */
    (void)tp_path_of(look->disk, (uint32_t)inode, path, sizeof path);
    tp_shadow_cut(look->shadow, look->node, path, 0);
}

static void note_names(const struct look *look)
{
    const struct tp_virtual_moment *moment = look->moment;
    uint32_t kind = moment->request->kind;
    char path[TP_RECORD_TEXT], to_path[TP_RECORD_TEXT];

    if (kind == TP_OPEN && moment->request->b.options.truncate)
        note_emptied(look);
    if (kind != TP_REMOVE && kind != TP_RENAME)
        return;
    if (!from_root(look, moment->inode, moment->path, path) ||
        (kind == TP_RENAME && !from_root(look, moment->to_inode, moment->to_path, to_path)))
        tp_shadow_remove_all(look->shadow, look->node);
    else if (kind == TP_REMOVE)
        tp_shadow_remove(look->shadow, look->node, path);
    else
        tp_shadow_rename(look->shadow, look->node, path, to_path);
}

void tp_recorder_compare(struct tp_recorder *recorder, const struct tp_fact *fact,
                         struct tp_record *record)
{
    const struct tp_virtual_moment *moment = fact->moment;
    const struct tp_request *request = moment->request;
    static const struct tp_shadow_found nothing;
    struct look look = {.shadow = recorder->shadow,
                        .disk = fact->node->disk,
                        .moment = moment,
                        .node = fact->node->number,
                        .path = record->text};

    if (request->kind == TP_WRITE && moment->stage == TP_VIRTUAL_BEGUN) {
        if (is_of_file(&look))
            note_write(&look, recorder, (uint32_t)(record - recorder->records) + 1);
        return;
    }
    if (moment->stage != TP_VIRTUAL_EFFECT || moment->result < 0)
        return;
    if (request->kind == TP_READ) {
        compare_read(&look, &record->found);
        if (record->found.differs > 0 && is_under_way(recorder, record->found.writer))
            record->found = nothing;
    } else if (request->kind == TP_TRUNCATE) {
        tp_shadow_cut(look.shadow, look.node, look.path, request->a.length);
    } else if (moment->path != NULL) {
        note_names(&look);
    }
}
