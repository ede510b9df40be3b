#include "tests/kv/fixture.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"

/* ------------------------------------------------------------------ the log */

static int32_t reserve(void *context, uint32_t len)
{
    struct fixture *fixture = context;

    tp_assert(fixture->reserved == 0 && len > 0);
    if (fixture->failure != 0)
        return fixture->failure;
    if (fixture->refusal != 0) {
        if (fixture->refuse_in == 0) {
            int32_t refusal = fixture->refusal;

            if (!fixture->refuse_on) {
                fixture->refusal = fixture->refusal_next;
                fixture->refusal_next = 0;
            }
            return refusal;
        }
        fixture->refuse_in--;
    }
    fixture->reserved = len;
    fixture->reservations++;
    return 0;
}

static void unreserve(void *context, uint32_t len)
{
    struct fixture *fixture = context;

    tp_assert(len > 0 && fixture->reserved == len);
    fixture->reserved = 0;
}

static void replay(struct fixture *fixture, const uint8_t *bytes, uint32_t len)
{
    struct kv_record_cursor cursor = kv_record_read(bytes, len);
    struct kv_effect effect;
    int more;

    while ((more = kv_record_next(&cursor, &effect)) == 1) {
        tp_assert(kv_store_check(fixture->replica, &effect) == 0);
        kv_store_apply(fixture->replica, &effect, fixture->lsn);
    }
    tp_assert(more == 0);
}

static uint64_t append(void *context, uint32_t reserved, const uint8_t *bytes, uint32_t len)
{
    struct fixture *fixture = context;

    tp_assert(fixture->reserved == reserved && len > 0 && len <= reserved);
    tp_assert(kv_record_check(bytes, len) == 0);
    fixture->reserved = 0;
    fixture->spare = reserved - len;
    fixture->lsn++;
    if (fixture->replica != NULL)
        replay(fixture, bytes, len);
    return fixture->lsn;
}

static uint64_t next_lsn(void *context)
{
    return ((const struct fixture *)context)->lsn + 1;
}

static int32_t failure(void *context)
{
    return ((const struct fixture *)context)->failure;
}

/* ------------------------------------------------------------------ the host */

static int32_t begin_snapshot(void *context)
{
    struct fixture *fixture = context;

    if (fixture->snapshot == 0)
        fixture->snapshots++;
    return fixture->snapshot;
}

static void schedule_snapshot(void *context)
{
    ((struct fixture *)context)->snapshots_scheduled++;
}

static void figures(void *context, struct kv_figures *ret_figures)
{
    const struct fixture *fixture = context;

    *ret_figures = (struct kv_figures){
        .process_id = 1234,
        .cpu_user_us = 1500000,
        .cpu_system_us = 42,
        .log_lsn = fixture->lsn,
        .log_durable_lsn = fixture->lsn,
        .snapshots = fixture->snapshots,
        .last_save_s = 1600000000,
    };
}

/* ------------------------------------------------------------------ life */

void fixture_init(struct fixture *fixture, const struct fixture_config *config)
{
    uint32_t record_max = config->record_max == 0 ? FIXTURE_RECORD_MAX : config->record_max;
    struct kv_store_config store = {
        .allocator = config->allocator,
        .hash_key = {1, 2, 3},
        .ballast_bytes = 1 << 20,
        .changed = kv_engine_changed,
        .context = &fixture->engine,
    };
    struct kv_log log = {reserve, unreserve, append, next_lsn, failure, fixture};
    struct kv_host host = {begin_snapshot, schedule_snapshot, figures, fixture};
    struct kv_config settings = kv_config_default(FIXTURE_RECORD_MAX);
    struct kv_engine_config engine = {
        .log = &log,
        .host = &host,
        .config = &settings,
        .record_max = record_max,
        .password = kv_slice_text(config->password == NULL ? "" : config->password),
        .secret = {4, 5, 6},
        .seed = 7,
        .record_allocator = config->record_allocator,
    };

    memset(fixture, 0, sizeof *fixture);
    if (kv_store_create(&store, &fixture->store) != 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    store.changed = NULL;
    store.hash_key[0] = 9; /* nothing may depend on the order of the table */
    if (config->with_replica && kv_store_create(&store, &fixture->replica) != 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    engine.store = fixture->store;
    kv_engine_init(&fixture->engine, &engine);
    kv_engine_set_clock(&fixture->engine, INT64_C(1700000000123456), 1000);
}

void fixture_deinit(struct fixture *fixture)
{
    kv_engine_deinit(&fixture->engine);
    kv_store_destroy(fixture->store);
    kv_store_destroy(fixture->replica);
    fixture->store = fixture->replica = NULL;
}

/* ------------------------------------------------------------------ comparing */

/* The sum of the hashes of all entries: no order. */
struct digest {
    uint64_t db, sum;
};

static void add_entry(void *context, const struct kv_view *view)
{
    struct digest *digest = context;
    uint64_t words[] = {digest->db, view->key.len, view->value.len,
                        (uint64_t)view->expire_ms, view->lsn};
    uint64_t hash = tp_hash_words(words, 5, 0);

    hash = tp_hash(view->key.bytes, view->key.len, hash);
    digest->sum += tp_hash(view->value.bytes, view->value.len, hash);
}

uint64_t fixture_digest(const struct kv_store *store)
{
    struct digest digest = {.sum = 0};

    for (uint32_t db = 0; db < KV_DBS; db++) {
        uint64_t cursor = 0;

        digest.db = db;
        do {
            cursor = kv_store_scan(store, db, cursor, add_entry, &digest);
        } while (cursor != 0);
    }
    return digest.sum;
}

bool fixture_replica_agrees(const struct fixture *fixture)
{
    for (uint32_t db = 0; db < KV_DBS; db++) {
        if (kv_store_count(fixture->store, db) != kv_store_count(fixture->replica, db))
            return false;
    }
    return fixture_digest(fixture->store) == fixture_digest(fixture->replica);
}
