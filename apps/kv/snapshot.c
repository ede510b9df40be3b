#include "apps/kv/snapshot.h"

#include <errno.h>

#include "io/mark.h"
#include "runtime/await.h"

enum {
    BLOCK_BYTES = 1 << 20,
    STEP_BYTES = 32 << 10, /* that one iteration puts into the block, more or less */
    STEP_BUCKETS = 64,     /* that it looks at, at most */
};

/* ------------------------------------------------------------------ the block */

static uint64_t target_of(const struct kv_snapshot *s)
{
    return s->block_bytes == 0 ? BLOCK_BYTES : s->block_bytes;
}

static void release(struct kv_snapshot *s)
{
    tp_free(s->allocator, s->memory, s->capacity, KV_SNAPSHOT_ALIGN);
    s->memory = NULL;
    s->capacity = 0;
}

void kv_snapshot_deinit(struct kv_snapshot *snapshot)
{
    tp_assert(!tp_machine_alive(&snapshot->machine));
    release(snapshot);
}

/* Room for so many bytes and the padding behind them. False, and `error`: there is none. */
static bool make_room(struct kv_snapshot *s, uint64_t len)
{
    uint64_t needed = kv_snapshot_padded(len);
    uint64_t capacity =
        s->capacity < target_of(s) ? kv_snapshot_padded(target_of(s)) : s->capacity;
    uint8_t *memory;

    if (needed <= s->capacity)
        return true;
    s->error = len > KV_SNAPSHOT_BLOCK_MAX ? -EFBIG : -ENOMEM;
    if (len > KV_SNAPSHOT_BLOCK_MAX)
        return false;
    while (capacity < needed)
        capacity *= 2;
    memory = tp_alloc(s->allocator, (size_t)capacity, KV_SNAPSHOT_ALIGN);
    if (memory == NULL)
        return false;
    s->error = 0;
    if (s->used > 0)
        memcpy(memory, s->memory, s->used);
    release(s);
    s->memory = memory;
    s->capacity = (uint32_t)capacity;
    return true;
}

/* An empty block; memory that a large entry took is given back. */
static void begin_block(struct kv_snapshot *s)
{
    s->used = 0;
    if (s->capacity > 2 * kv_snapshot_padded(target_of(s)))
        release(s);
    if (make_room(s, target_of(s)))
        s->used = KV_SNAPSHOT_BLOCK_HEAD;
    s->count = 0;
}

/* ------------------------------------------------------------------ the walk */

static void visit(void *context, const struct kv_view *view)
{
    struct kv_snapshot *s = context;
    uint64_t len =
        (uint64_t)s->used + KV_SNAPSHOT_ENTRY_HEAD + view->key.len + view->value.len;

    if (s->error < 0 || !make_room(s, len))
        return;
    s->used =
        (uint32_t)(kv_snapshot_entry_encode(s->memory + s->used, s->db, view) - s->memory);
    s->count++;
}

static bool is_walked(const struct kv_snapshot *s)
{
    return s->db == KV_DBS;
}

/* Goes on with the walk for a while. True when the block is full, or the walk over: what is
 * in the file then owes nothing to records that come later. */
static bool walk(struct kv_snapshot *s)
{
    uint32_t before = s->used;

    for (uint32_t i = 0; i < STEP_BUCKETS && !is_walked(s) && s->used - before < STEP_BYTES;
         i++) {
        s->cursor = kv_store_scan(s->store, s->db, s->cursor, visit, s);
        if (s->cursor == 0)
            s->db++;
    }
    if (is_walked(s))
        s->end.end_lsn = tp_journal_lsn(s->journal);
    return s->error < 0 || is_walked(s) || s->used >= target_of(s);
}

/* ------------------------------------------------------------------ writing */

static void prepare(struct tp_ctx *cx, struct kv_snapshot *s)
{
    s->head.id = tp_random(cx);
    s->head.start_lsn = tp_journal_lsn(s->journal);
    s->head.wall_ns = (int64_t)tp_wall_ns(cx);
    s->direct = tp_io_block_size(tp_ctx_io(cx)) <= KV_SNAPSHOT_ALIGN;
    (void)make_room(s, target_of(s));
}

static struct tp_op begin(struct tp_ctx *cx, struct kv_snapshot *s)
{
    struct tp_open_options options = {.direct = s->direct};

    return tp_staged_begin(cx, &s->staged, tp_place_in(s->dir, KV_SNAPSHOT_NAME), options);
}

/* Whether the file system has no direct I/O: once more without. */
static bool falls_back(struct kv_snapshot *s, int32_t value)
{
    bool again = value == -EINVAL && s->direct;

    s->direct = s->direct && !again;
    return again;
}

static struct tp_op write_out(struct tp_ctx *cx, struct kv_snapshot *s, uint64_t len)
{
    uint64_t offset = s->bytes;

    s->bytes += len;
    s->out = tp_buf_full(s->memory, (uint32_t)len);
    return tp_write_all_start(cx, &s->write, s->staged.fd, &s->out, offset,
                              s->direct ? KV_SNAPSHOT_ALIGN : 0);
}

static struct tp_op write_head(struct tp_ctx *cx, struct kv_snapshot *s)
{
    kv_snapshot_head_encode(&s->head, s->memory);
    return write_out(cx, s, KV_SNAPSHOT_ALIGN);
}

static struct tp_op write_block(struct tp_ctx *cx, struct kv_snapshot *s)
{
    struct kv_snapshot_block block = {s->head.id, s->bytes, s->used, s->count, false};

    s->end.entries += s->count;
    kv_snapshot_block_encode(&block, s->memory);
    return write_out(cx, s, kv_snapshot_padded(s->used));
}

static struct tp_op write_end(struct tp_ctx *cx, struct kv_snapshot *s)
{
    struct kv_snapshot_block block = {s->head.id, s->bytes, 0, 0, true};

    block.len =
        (uint32_t)(kv_snapshot_end_encode(s->memory + KV_SNAPSHOT_BLOCK_HEAD, &s->end) -
                   s->memory);
    kv_snapshot_block_encode(&block, s->memory);
    return write_out(cx, s, kv_snapshot_padded(block.len));
}

/* ------------------------------------------------------------------ the machine */

/* Takes what an operation of this kind came to, and notes the first failure. Whether all is
 * well so far. */
static bool take(struct tp_ctx *cx, struct kv_snapshot *s, int32_t value, uint32_t kind)
{
    if (value >= 0 && tp_cancelled(cx))
        value = -ECANCELED;
    if (value < 0 && s->error == 0) {
        s->error = value;
        s->failed_kind = kind;
    }
    return s->error == 0;
}

/* Whether the walk goes on in the next iteration. */
static bool walks_on(struct tp_ctx *cx, struct kv_snapshot *s)
{
    return take(cx, s, 0, TP_NOP) && !walk(s);
}

/* The content of the file. */
static enum tp_step content_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_snapshot *s = tp_container_of(machine, struct kv_snapshot, content);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, write_head(cx, s), &result);
    (void)take(cx, s, result.value, TP_WRITE);
    while (s->error == 0 && !is_walked(s)) {
        begin_block(s);
        while (walks_on(cx, s))
            TP_AWAIT_YIELD(cx);
        if (s->error < 0 || s->count == 0)
            continue;
        TP_AWAIT(cx, write_block(cx, s), &result);
        (void)take(cx, s, result.value, TP_WRITE);
    }
    if (s->error == 0) {
        TP_AWAIT(cx, write_end(cx, s), &result);
        (void)take(cx, s, result.value, TP_WRITE);
    }
    return tp_end(machine, s->error);
    TP_END(cx);
}

/* The name is the new file's. What the log has before it is not needed any more. */
static enum tp_step published(struct kv_snapshot *s)
{
    tp_sometimes(s->end.end_lsn > s->head.start_lsn,
                 "the store has changed under a snapshot");
    tp_journal_trim(s->journal, s->head.start_lsn + 1);
    release(s);
    return tp_end(&s->machine, 0);
}

static enum tp_step snapshot_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_snapshot *s = tp_container_of(machine, struct kv_snapshot, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    prepare(cx, s);
    if (s->error < 0)
        return tp_end(machine, s->error);
    do {
        TP_AWAIT(cx, begin(cx, s), &result);
    } while (falls_back(s, result.value));
    if (take(cx, s, result.value, TP_OPEN))
        TP_AWAIT(cx, (tp_start)(cx, &s->content, content_tick, "kv-snapshot-content"),
                 &result);
    if (s->error == 0) {
        TP_AWAIT_UNTIL(cx, (s->error = tp_journal_wait(cx, s->journal, &s->waiter,
                                                       s->end.end_lsn)) != -EAGAIN);
    }
    if (s->error == 0) {
        TP_AWAIT(cx, tp_staged_commit(cx, &s->staged, TP_MODE_DEFAULT, TP_DURABLE),
                 &result);
        if (result.value == 0)
            return published(s);
        (void)take(cx, s, result.value, s->staged.failed_kind);
        s->final = s->failed_kind == TP_SYNC_DIR;
    }
    tp_reached("a snapshot is discarded");
    tp_shield(cx, true);
    TP_AWAIT(cx, tp_staged_discard(cx, &s->staged), &result);
    tp_shield(cx, false);
    release(s);
    return tp_end(machine, s->error);
    TP_END(cx);
}

struct tp_op kv_snapshot_start(struct tp_ctx *cx, struct kv_snapshot *snapshot)
{
    static const struct kv_snapshot_end no_end;

    tp_assert(snapshot->block_bytes <= KV_SNAPSHOT_BLOCK_MAX / 2);
    tp_assert(snapshot->memory == NULL && tp_fd_is_some(snapshot->dir));
    snapshot->final = false;
    snapshot->failed_kind = TP_NOP;
    snapshot->end = no_end;
    snapshot->bytes = 0;
    snapshot->used = 0;
    snapshot->count = 0;
    snapshot->db = 0;
    snapshot->cursor = 0;
    snapshot->error = 0;
    return (tp_start)(cx, &snapshot->machine, snapshot_tick, "kv-snapshot");
}
