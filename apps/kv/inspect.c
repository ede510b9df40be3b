#include "apps/kv/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "runtime/await.h"
#include "runtime/scheduler.h"

/* ------------------------------------------------------------------ loading */

struct inspector {
    struct tp_machine machine;
    struct kv_storage storage;
};

static enum tp_step inspector_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct inspector *inspector = tp_container_of(machine, struct inspector, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, kv_storage_start(cx, &inspector->storage), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static int32_t run(struct inspector *inspector, struct tp_io *io,
                   const struct tp_allocator *allocator)
{
    struct tp_scheduler_config config = {.size = sizeof config, .allocator = allocator};
    struct tp_scheduler *scheduler;
    int32_t result = tp_scheduler_create_with(io, &config, &scheduler);

    if (result < 0)
        return result;
    tp_spawn(scheduler, &inspector->machine, inspector_tick, "kv-inspector");
    result = tp_scheduler_run(scheduler);
    if (result == 0)
        tp_scheduler_destroy(scheduler);
    else
        tp_scheduler_crash(scheduler);
    return result == 0 ? inspector->machine.result : result;
}

int32_t kv_inspect(struct tp_io *io, const char *path, const struct tp_allocator *allocator,
                   struct kv_inspection *ret_inspection)
{
    static const struct kv_inspection none;
    struct kv_store_config store = {.allocator = allocator};
    struct kv_storage_config storage = {
        .path = path, .allocator = allocator, .read_only = true};
    struct inspector *inspector;
    int32_t result;

    *ret_inspection = none;
    tp_io_random(io, store.hash_key, sizeof store.hash_key);
    result = kv_store_create(&store, &ret_inspection->store);
    if (result < 0)
        return result;
    inspector = tp_alloc(allocator, sizeof *inspector, _Alignof(struct inspector));
    result = -ENOMEM;
    if (inspector != NULL) {
        storage.store = ret_inspection->store;
        kv_storage_init(&inspector->storage, &storage);
        result = run(inspector, io, allocator);
        ret_inspection->loaded = inspector->storage.loaded;
        memcpy(ret_inspection->problem, inspector->storage.problem,
               sizeof ret_inspection->problem);
        kv_storage_deinit(&inspector->storage);
        tp_free(allocator, inspector, sizeof *inspector, _Alignof(struct inspector));
    }
    if (result < 0)
        kv_inspection_deinit(ret_inspection);
    return result;
}

void kv_inspection_deinit(struct kv_inspection *inspection)
{
    kv_store_destroy(inspection->store);
    inspection->store = NULL;
}

void kv_inspection_print(const struct kv_inspection *inspection, const char *path,
                         FILE *stream)
{
    const struct kv_storage_loaded *loaded = &inspection->loaded;
    uint64_t keys = 0;

    tp_assert(inspection->store != NULL);
    for (uint32_t db = 0; db < KV_DBS; db++)
        keys += kv_store_count(inspection->store, db);
    (void)fprintf(stream, "%s: %" PRIu64 " keys: ", path, keys);
    if (loaded->snapshot)
        (void)fprintf(stream, "a snapshot of %" PRIu64 " entries, and ",
                      loaded->snapshot_entries);
    (void)fprintf(stream, "%" PRIu64 " records of the log, up to record %" PRIu64,
                  loaded->records, loaded->lsn);
    if (loaded->torn_segment != 0)
        (void)fprintf(stream,
                      "; what was being written when it stopped, at offset %" PRIu64
                      " of segment %" PRIu64 ", is not counted",
                      loaded->torn_bytes_at, loaded->torn_segment);
    (void)fprintf(stream, "\n");
}

/* ------------------------------------------------------------------ printing */

struct list {
    struct kv_view *views;
    uint64_t count;
};

static void collect(void *context, const struct kv_view *view)
{
    struct list *list = context;

    list->views[list->count++] = *view;
}

static int by_key(const void *left, const void *right)
{
    const struct kv_slice *a = &((const struct kv_view *)left)->key;
    const struct kv_slice *b = &((const struct kv_view *)right)->key;
    uint32_t len = a->len < b->len ? a->len : b->len;
    int order = len == 0 ? 0 : memcmp(a->bytes, b->bytes, len);

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static void print_quoted(struct kv_slice slice, FILE *stream)
{
    static const char escaped[] = "\"\\\n\r\t\a\b", letters[] = "\"\\nrtab";

    (void)fputc('"', stream);
    for (uint32_t i = 0; i < slice.len; i++) {
        uint8_t byte = slice.bytes[i];
        const char *at = byte == 0 ? NULL : strchr(escaped, byte);

        if (at != NULL)
            (void)fprintf(stream, "\\%c", letters[at - escaped]);
        else if (byte < ' ' || byte > '~')
            (void)fprintf(stream, "\\x%02x", byte);
        else
            (void)fputc(byte, stream);
    }
    (void)fputc('"', stream);
}

static void print_entry(const struct kv_view *view, FILE *stream)
{
    (void)fputs("SET ", stream);
    print_quoted(view->key, stream);
    (void)fputc(' ', stream);
    print_quoted(view->value, stream);
    if (view->expire_ms != 0)
        (void)fprintf(stream, " PXAT %" PRId64, view->expire_ms);
    (void)fputc('\n', stream);
}

static int32_t dump_db(const struct kv_store *store, uint32_t db, FILE *stream)
{
    uint64_t count = kv_store_count(store, db), cursor = 0;
    struct list list = {calloc((size_t)count, sizeof *list.views), 0};

    if (list.views == NULL)
        return -ENOMEM;
    do {
        cursor = kv_store_scan(store, db, cursor, collect, &list);
    } while (cursor != 0);
    tp_assert(list.count == count);
    qsort(list.views, (size_t)count, sizeof *list.views, by_key);
    (void)fprintf(stream, "SELECT %" PRIu32 "\n", db);
    for (uint64_t i = 0; i < count && ferror(stream) == 0; i++)
        print_entry(&list.views[i], stream);
    free(list.views);
    return 0;
}

int32_t kv_dump(const struct kv_store *store, FILE *stream)
{
    for (uint32_t db = 0; db < KV_DBS; db++) {
        int32_t error = kv_store_count(store, db) == 0 ? 0 : dump_db(store, db, stream);

        if (error < 0)
            return error;
    }
    return 0;
}
