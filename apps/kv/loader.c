#include "apps/kv/loader.h"

#include <errno.h>

#include "apps/kv/snapshot.h"
#include "io/mark.h"
#include "runtime/await.h"

/* Notes what is wrong. False: that is the end. */
static bool refuse(struct kv_loader *l, int32_t error, const char *what)
{
    tp_assert(error < 0);
    l->error = error;
    l->what = what;
    return false;
}

/* ------------------------------------------------------------------ memory and reading */

static void release(struct kv_loader *l)
{
    tp_free(l->allocator, l->memory, l->capacity, 1);
    l->memory = NULL;
    l->capacity = 0;
}

/* Room for so many bytes, which the file has. */
static bool make_room(struct kv_loader *l, uint32_t bytes)
{
    uint32_t capacity = l->capacity == 0 ? KV_SNAPSHOT_ALIGN : l->capacity;
    uint8_t *memory;

    if (bytes <= l->capacity)
        return true;
    while (capacity < bytes)
        capacity *= 2;
    memory = tp_alloc(l->allocator, capacity, 1);
    if (memory == NULL)
        return refuse(l, -ENOMEM, "no memory for a block of the snapshot");
    if (l->content.len > 0)
        memcpy(memory, l->memory, l->content.len);
    release(l);
    l->memory = memory;
    l->capacity = capacity;
    l->content.data = memory;
    return true;
}

/* Whether bytes are still wanted that the block does not have. */
static bool is_short(const struct kv_loader *l)
{
    return l->error == 0 && l->content.len < l->wanted;
}

static struct tp_op read_on(struct tp_ctx *cx, struct kv_loader *l)
{
    l->part = tp_buf_empty(l->memory + l->content.len, l->wanted - l->content.len);
    return tp_read_at(cx, l->fd, &l->part, l->offset + l->content.len);
}

static void take_read(struct kv_loader *l, int32_t value)
{
    if (value < 0)
        (void)refuse(l, value, "the snapshot cannot be read");
    else if (value == 0)
        (void)refuse(l, -EBADMSG, "the snapshot is shorter than it was");
    else
        l->content.len += (uint32_t)value;
}

/* The next thing wanted is `bytes` long and begins at `offset`. */
static void want(struct kv_loader *l, uint64_t offset, uint32_t bytes)
{
    l->offset = offset;
    l->content.len = 0;
    l->wanted = bytes;
    (void)make_room(l, bytes);
}

void kv_loader_deinit(struct kv_loader *loader)
{
    tp_assert(!tp_machine_alive(&loader->machine));
    release(loader);
}

/* ------------------------------------------------------------------ checking */

static bool check_file(struct kv_loader *l, int32_t value)
{
    if (value < 0)
        return refuse(l, value, "the size of the snapshot cannot be read");
    if (l->statx.kind != TP_FILE_REGULAR)
        return refuse(l, -EBADMSG, "the snapshot is not a file");
    if (l->statx.size < KV_SNAPSHOT_ALIGN || l->statx.size > INT64_MAX)
        return refuse(l, -EBADMSG, "the snapshot is shorter than its head");
    return true;
}

static bool check_head(struct kv_loader *l)
{
    int error = kv_snapshot_head_decode(l->memory, &l->head);

    if (error == -EPROTONOSUPPORT)
        return refuse(l, error, "a snapshot of a version that this program does not know");
    if (error < 0)
        return refuse(l, error, "the head of the snapshot is corrupt");
    return true;
}

/* The head of a block says how much to read. */
static bool check_block_head(struct kv_loader *l)
{
    uint64_t left = l->statx.size - l->offset;

    if (!kv_snapshot_block_peek(l->memory, l->head.id, l->offset, left, &l->block))
        return refuse(l, -EBADMSG, "a block of the snapshot is corrupt or missing");
    l->wanted = (uint32_t)kv_snapshot_padded(l->block.len);
    return make_room(l, l->wanted);
}

static bool take_entries(struct kv_loader *l)
{
    struct kv_reader reader = kv_snapshot_block_read(l->memory, &l->block);

    for (uint32_t i = 0; i < l->block.count; i++) {
        struct kv_view view;
        uint32_t db;
        int32_t error;

        if (!kv_snapshot_entry_decode(&reader, &db, &view))
            return refuse(l, -EBADMSG, "an entry of the snapshot makes no sense");
        error = l->entry(l->context, db, &view);
        if (error < 0)
            return refuse(l, error, "an entry of the snapshot cannot be loaded");
        if (view.lsn > l->end.end_lsn)
            l->end.end_lsn = view.lsn; /* until the end says it: the newest so far */
        l->entries++;
    }
    if (reader.at != reader.end)
        return refuse(l, -EBADMSG, "a block of the snapshot has bytes behind its entries");
    return true;
}

static bool take_end(struct kv_loader *l)
{
    struct kv_reader reader = kv_snapshot_block_read(l->memory, &l->block);
    uint64_t newest = l->end.end_lsn;

    if (!kv_snapshot_end_decode(&reader, &l->end))
        return refuse(l, -EBADMSG, "the end of the snapshot makes no sense");
    if (l->end.entries != l->entries)
        return refuse(l, -EBADMSG, "the snapshot does not have all its entries");
    if (l->end.end_lsn < newest || l->end.end_lsn < l->head.start_lsn ||
        l->end.end_lsn > KV_NUMBER_MAX)
        return refuse(l, -EBADMSG, "the snapshot ends before what is in it");
    if (l->offset + l->wanted != l->statx.size)
        return refuse(l, -EBADMSG, "the snapshot goes on behind its end");
    tp_reached("a snapshot is loaded");
    return true;
}

/* A block is there. True: there is another one. */
static bool take_block(struct kv_loader *l)
{
    if (l->error < 0)
        return false;
    if (!kv_snapshot_block_check(l->memory, &l->block))
        return refuse(l, -EBADMSG, "a block of the snapshot is corrupt");
    if (l->block.is_end) {
        (void)take_end(l);
        return false;
    }
    return take_entries(l);
}

/* ------------------------------------------------------------------ the machine */

static struct tp_op open_file(struct tp_ctx *cx, const struct kv_loader *l)
{
    struct tp_open_options options = {.read = true};

    return tp_open_in(cx, l->dir, KV_SNAPSHOT_NAME, options);
}

static enum tp_step finish(struct tp_ctx *cx, struct kv_loader *l)
{
    if (tp_fd_is_some(l->fd))
        tp_detach(cx, tp_close(cx, l->fd));
    l->fd = tp_fd_none();
    release(l);
    return tp_end(&l->machine, l->error);
}

/* Goes on with the block behind the one that was taken; its head comes first. */
static void want_block(struct kv_loader *l)
{
    uint64_t offset = l->offset + l->wanted;

    if (l->statx.size - offset < KV_SNAPSHOT_ALIGN) {
        l->offset = offset;
        (void)refuse(l, -EBADMSG, "the end of the snapshot is missing");
        return;
    }
    want(l, offset, KV_SNAPSHOT_ALIGN);
}

static enum tp_step loader_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_loader *l = tp_container_of(machine, struct kv_loader, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, open_file(cx, l), &result);
    if (result.value == -ENOENT)
        return tp_end(machine, 0);
    if (result.value < 0) {
        (void)refuse(l, result.value, "the snapshot cannot be opened");
        return finish(cx, l);
    }
    l->found = true;
    l->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_fstat(cx, l->fd, &l->statx), &result);
    if (!check_file(l, result.value))
        return finish(cx, l);
    want(l, 0, KV_SNAPSHOT_ALIGN);
    while (is_short(l)) {
        TP_AWAIT(cx, read_on(cx, l), &result);
        take_read(l, result.value);
    }
    if (l->error < 0 || !check_head(l))
        return finish(cx, l);
    do {
        want_block(l);
        while (is_short(l)) {
            TP_AWAIT(cx, read_on(cx, l), &result);
            take_read(l, result.value);
            if (l->error == 0 && l->content.len == KV_SNAPSHOT_ALIGN)
                (void)check_block_head(l);
        }
    } while (take_block(l));
    return finish(cx, l);
    TP_END(cx);
}

struct tp_op kv_loader_start(struct tp_ctx *cx, struct kv_loader *loader)
{
    tp_assert(loader->entry != NULL && tp_fd_is_some(loader->dir) &&
              loader->memory == NULL);
    return (tp_start)(cx, &loader->machine, loader_tick, "kv-loader");
}
