#include "apps/kv/storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "io/mark.h"
#include "runtime/await.h"

enum { GROUP_BYTES = 8 << 20 };

/* ------------------------------------------------------------------ life */

void kv_storage_init(struct kv_storage *storage, const struct kv_storage_config *config)
{
    static const struct kv_storage empty;

    tp_assert(config->path != NULL && config->store != NULL);
    *storage = empty;
    storage->config = *config;
    if (storage->config.group_bytes == 0)
        storage->config.group_bytes = GROUP_BYTES;
}

void kv_storage_deinit(struct kv_storage *storage)
{
    tp_assert(!tp_machine_alive(&storage->machine));
    if (storage->has_journal)
        tp_journal_deinit(&storage->journal);
    storage->has_journal = false;
    kv_loader_deinit(&storage->loader);
    kv_snapshot_deinit(&storage->snapshot);
}

/* ------------------------------------------------------------------ what goes wrong */

TP_PRINTF(3, 4)
static bool refuse(struct kv_storage *s, int32_t error, const char *format, ...)
{
    va_list arguments;

    tp_assert(error < 0);
    s->error = error;
    va_start(arguments, format);
    (void)vsnprintf(s->problem, sizeof s->problem, format, arguments);
    va_end(arguments);
    return false;
}

static bool check_home(struct kv_storage *s, int32_t value)
{
    const char *slash = value < 0 && s->home.which[0] != '\0' ? "/" : "";

    if (value == -EAGAIN)
        return refuse(s, value, "%s: %s", s->config.path, s->home.what);
    if (value < 0)
        return refuse(s, value, "%s%s%s: %s: %s", s->config.path, slash, s->home.which,
                      s->home.what, tp_errno_name(value));
    return true;
}

static bool check_snapshot(struct kv_storage *s, int32_t value)
{
    tp_sometimes(value < 0, "a snapshot could not be loaded");
    if (value < 0)
        return refuse(s, value, "%s/" KV_SNAPSHOT_NAME ": offset %" PRIu64 ": %s: %s",
                      s->config.path, s->loader.offset, s->loader.what,
                      tp_errno_name(value));
    s->loaded.snapshot = s->loader.found;
    s->loaded.snapshot_entries = s->loader.entries;
    s->loaded.snapshot_wall_ns = s->loader.head.wall_ns;
    s->saves.done_wall_ns = s->loader.head.wall_ns;
    return true;
}

static bool check_journal(struct kv_storage *s, int32_t value)
{
    if (value >= 0)
        return true;
    s->error = value;
    if (tp_journal_problem(&s->journal)->error != 0)
        tp_journal_problem_print(&s->journal, s->problem, sizeof s->problem);
    else if (value != -ECANCELED)
        return refuse(s, value, "%s: the log has failed: %s", s->log_path,
                      tp_errno_name(value));
    return false;
}

/* ------------------------------------------------------------------ loading */

static struct tp_op start_home(struct tp_ctx *cx, struct kv_storage *s)
{
    s->home.path = s->config.path;
    s->home.patience_ns = s->config.patience_ns;
    s->home.read_only = s->config.read_only;
    return kv_home_start(cx, &s->home);
}

static int32_t load_entry(void *context, uint32_t db, const struct kv_view *view)
{
    struct kv_storage *s = context;

    if (kv_store_is_short(s->config.store))
        return -ENOMEM;
    kv_store_load(s->config.store, db, view);
    return 0;
}

static struct tp_op start_loader(struct tp_ctx *cx, struct kv_storage *s)
{
    s->loader.dir = s->home.dir;
    s->loader.allocator = s->config.allocator;
    s->loader.entry = load_entry;
    s->loader.context = s;
    return kv_loader_start(cx, &s->loader);
}

static bool prepare_journal(struct kv_storage *s)
{
    struct tp_journal_config config = {.group_bytes = s->config.group_bytes,
                                       .segment_bytes = s->config.segment_bytes,
                                       .path = s->log_path,
                                       .from_lsn = s->loader.head.start_lsn + 1,
                                       .idle_mark_ns = s->config.idle_mark_ns,
                                       .buffered = s->config.buffered,
                                       .read_only = s->config.read_only,
                                       .pace_ns = s->config.pace_ns,
                                       .gather = s->config.gather,
                                       .allocator = s->config.allocator};
    int error;

    (void)snprintf(s->log_path, sizeof s->log_path, "%s/" KV_HOME_LOG, s->config.path);
    error = tp_journal_init(&s->journal, &config);
    if (error < 0)
        return refuse(s, error, "%s: the log cannot be set up: %s", s->log_path,
                      tp_errno_name(error));
    s->has_journal = true;
    s->loaded.first_lsn = config.from_lsn;
    return true;
}

/* Applies a record. It was durable, so what makes no sense in it was so from the start. */
static bool replay(struct kv_storage *s, const struct tp_journal_record *record)
{
    struct kv_record_cursor cursor = kv_record_read(record->bytes, record->len);
    int32_t error = kv_record_check(record->bytes, record->len);
    struct kv_effect effect;

    if (error == 0 && kv_store_is_short(s->config.store))
        error = -ENOMEM;
    while (error == 0 && kv_record_next(&cursor, &effect) == 1) {
        error = kv_store_replay(s->config.store, &effect, record->lsn);
        s->loaded.effects++;
    }
    s->loaded.records++;
    s->loaded.record_bytes += record->len;
    if (error == 0)
        return true;
    return refuse(s, error, "%s: record %" PRIu64 ": %s: %s", s->log_path, record->lsn,
                  error == -ENOMEM ? "no memory for what is in it" : "it makes no sense",
                  tp_errno_name(error));
}

/* Takes what the log has at the moment. False: no more will come. */
static bool replay_some(struct kv_storage *s)
{
    while ((s->rc = tp_journal_next(&s->journal, &s->record)) == 1) {
        if (!replay(s, &s->record))
            return false;
    }
    return s->rc == -EAGAIN;
}

/* The whole log was read. It may hold less than it did when the snapshot was made. */
static bool check_loaded(struct kv_storage *s)
{
    uint64_t lsn = tp_journal_lsn(&s->journal);
    struct tp_journal_halt torn = tp_journal_torn(&s->journal);

    s->loaded.lsn = lsn;
    tp_sometimes(torn.segment != 0, "a torn tail of the log is discarded");
    s->loaded.torn_segment = torn.segment;
    s->loaded.torn_bytes_at = torn.offset;
    if (lsn >= s->loader.end.end_lsn)
        return true;
    return refuse(s, -ENODATA,
                  "%s: the log ends with record %" PRIu64 ", but there were %" PRIu64
                  " when the snapshot beside it was made: ENODATA",
                  s->log_path, lsn, s->loader.end.end_lsn);
}

/* ------------------------------------------------------------------ while it is open */

static void start_save(struct tp_ctx *cx, struct kv_storage *s)
{
    s->snapshot.store = s->config.store;
    s->snapshot.journal = &s->journal;
    s->snapshot.dir = s->home.dir;
    s->snapshot.allocator = s->config.allocator;
    s->snapshot.block_bytes = s->config.block_bytes;
    s->save_wanted = false;
    s->saves.begun++;
    s->save_op = kv_snapshot_start(cx, &s->snapshot);
}

static void take_save(struct tp_ctx *cx, struct kv_storage *s)
{
    struct tp_result result;

    if (!tp_take(cx, &s->save_op, &result))
        return;
    s->saves.result = result.value;
    tp_sometimes(result.value < 0, "a snapshot has failed");
    tp_sometimes(s->snapshot.final, "whether a snapshot is durable is not known");
    s->saves.failed_kind = s->snapshot.failed_kind;
    s->save_final = s->save_final || s->snapshot.final;
    if (result.value == 0) {
        s->saves.done++;
        s->saves.done_wall_ns = (int64_t)tp_wall_ns(cx);
        s->saves.entries = s->snapshot.end.entries;
        s->saves.bytes = s->snapshot.bytes;
        s->saves.start_lsn = s->snapshot.head.start_lsn;
    }
    tp_wake(s->owner);
}

static void take_journal(struct tp_ctx *cx, struct kv_storage *s)
{
    struct tp_result result;

    if (!tp_take(cx, &s->journal_op, &result))
        return;
    if (!s->closing || result.value < 0)
        (void)check_journal(s, result.value);
    tp_wake(s->owner);
}

/* The directory was made durable before the snapshot was looked for in it, so the log needs
 * nothing of what is before that: a crash may have come between the two. */
static void begin_serving(struct kv_storage *s)
{
    s->phase = KV_STORAGE_OPEN;
    tp_sometimes(s->loaded.snapshot && s->loaded.records > 0,
                 "a log is replayed on a snapshot");
    if (s->loaded.snapshot)
        tp_journal_trim(&s->journal, s->loader.head.start_lsn + 1);
    tp_wake(s->owner);
}

/* Serves while it is open. False: it is over, and nothing of it runs any more. */
static bool serves(struct tp_ctx *cx, struct kv_storage *s)
{
    take_save(cx, s);
    take_journal(cx, s);
    if (s->save_wanted && !s->closing)
        start_save(cx, s);
    if (s->closing && tp_op_is_some(s->save_op)) {
        tp_reached("a snapshot is given up for the end");
        tp_cancel(cx, s->save_op);
    }
    if (s->closing && !tp_op_is_some(s->save_op) && tp_op_is_some(s->journal_op))
        tp_journal_close(&s->journal);
    return tp_op_is_some(s->save_op) || tp_op_is_some(s->journal_op) ||
           (!s->closing && !tp_cancelled(cx));
}

/* ------------------------------------------------------------------ the machine */

static enum tp_step finish(struct tp_ctx *cx, struct kv_storage *s)
{
    if (s->error == 0 && tp_cancelled(cx))
        s->error = -ECANCELED;
    if (tp_fd_is_some(s->home.dir))
        tp_detach(cx, tp_close(cx, s->home.dir));
    if (tp_fd_is_some(s->home.lock))
        tp_detach(cx, tp_close(cx, s->home.lock));
    s->home.dir = s->home.lock = tp_fd_none();
    s->phase = KV_STORAGE_ENDED;
    tp_wake(s->owner);
    return tp_end(&s->machine, s->error);
}

static enum tp_step storage_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_storage *s = tp_container_of(machine, struct kv_storage, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, start_home(cx, s), &result);
    if (!check_home(s, result.value))
        return finish(cx, s);
    TP_AWAIT(cx, start_loader(cx, s), &result);
    if (!check_snapshot(s, result.value) || !prepare_journal(s))
        return finish(cx, s);
    s->journal_op = tp_journal_open(cx, &s->journal);
    TP_AWAIT_UNTIL(cx, !replay_some(s) || tp_cancelled(cx));
    if (s->rc == 0 && s->error == 0 && check_loaded(s) && !s->config.read_only) {
        begin_serving(s);
        TP_AWAIT_UNTIL(cx, !serves(cx, s));
        return finish(cx, s);
    }
    tp_journal_close(&s->journal);
    TP_AWAIT(cx, s->journal_op, &result);
    if (s->error == 0)
        (void)check_journal(s, result.value);
    return finish(cx, s);
    TP_END(cx);
}

struct tp_op kv_storage_start(struct tp_ctx *cx, struct kv_storage *storage)
{
    tp_assert(storage->phase == KV_STORAGE_LOADING && storage->owner == NULL);
    tp_assert(storage->config.store != NULL);
    storage->owner = cx->self;
    return (tp_start)(cx, &storage->machine, storage_tick, "kv-storage");
}

bool kv_storage_is_saving(const struct kv_storage *storage)
{
    return storage->save_wanted || tp_op_is_some(storage->save_op);
}

int32_t kv_storage_save(struct kv_storage *storage)
{
    if (storage->phase != KV_STORAGE_OPEN || storage->closing)
        return -ESHUTDOWN;
    if (tp_journal_failure(&storage->journal) < 0)
        return tp_journal_failure(&storage->journal);
    if (storage->save_final)
        return -EIO;
    if (kv_storage_is_saving(storage))
        return -EALREADY;
    storage->save_wanted = true;
    tp_wake(&storage->machine);
    return 0;
}

void kv_storage_close(struct kv_storage *storage)
{
    storage->closing = true;
    if (!tp_machine_alive(&storage->machine))
        return;
    if (storage->phase == KV_STORAGE_LOADING)
        tp_machine_cancel(&storage->machine);
    tp_wake(&storage->machine);
}

uint64_t kv_storage_log_before(const struct kv_storage *storage)
{
    uint64_t files = tp_journal_stats(&storage->journal)->segments_found;
    uint64_t bytes = files > 1 ? (files - 1) * storage->journal.config.segment_bytes : 0;

    return bytes > storage->loaded.record_bytes ? bytes : storage->loaded.record_bytes;
}

enum kv_storage_phase kv_storage_phase(const struct kv_storage *storage)
{
    return storage->phase;
}
