/** KEYS, SCAN, RANDOMKEY, DBSIZE, FLUSHDB, FLUSHALL: all keys of a database. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/number.h"
#include "apps/kv/pattern.h"

enum {
    COUNT_DEFAULT = 10,
    EMPTY_STEPS = 10,   /* of a SCAN, for each key it was to find */
    RANDOM_TRIES = 100, /* to find a key that is not past its expiry */
    CURSOR_BYTES = 21,
};

/* What is told of a database is told of every key that changed. */
static void wait_for_db(struct kv_call *call)
{
    uint64_t lsn = kv_store_db_lsn(call->engine->store, call->session->db);

    if (lsn > call->result->lsn)
        call->result->lsn = lsn;
}

/* ------------------------------------------------------------------ KEYS and SCAN */

/* A look at keys, of which those are replied that fit. */
struct look {
    struct kv_call *call;
    struct kv_slice pattern;
    bool all;      /* no pattern */
    bool none;     /* of another type than there is */
    uint64_t seen; /* keys, whether they fit or not */
    uint32_t found;
};

static void look_at(void *context, const struct kv_view *view)
{
    struct look *look = context;
    struct kv_call *call = look->call;

    look->seen++;
    if (look->none || kv_view_expired(view, call->engine->now_ms))
        return;
    if (!look->all && !kv_pattern_matches(look->pattern, view->key, false))
        return;
    kv_reply_bulk(call->reply, view->key);
    look->found++;
}

void kv_cmd_keys(struct kv_call *call)
{
    struct look look = {
        .call = call,
        .pattern = call->argv[1],
        .all = kv_pattern_is_all(call->argv[1]),
    };
    uint32_t begin = call->reply->len, end;
    uint64_t cursor = 0;

    wait_for_db(call);
    do {
        cursor =
            kv_store_scan(call->engine->store, call->session->db, cursor, look_at, &look);
    } while (cursor != 0 && !call->reply->overflown);
    end = call->reply->len;
    kv_reply_array(call->reply, look.found);
    kv_reply_bring_forward(call->reply, begin, end);
}

/* A cursor is what strtoul() takes for one: spaces apart, up to a NUL. */
static bool parse_cursor(struct kv_slice text, uint64_t *ret_cursor)
{
    uint64_t cursor = 0;
    uint32_t at = 0, digits = 0;
    bool negative = text.len > 0 && text.bytes[0] == '-';

    if (negative || (text.len > 0 && text.bytes[0] == '+'))
        at++;
    for (; at < text.len && text.bytes[at] >= '0' && text.bytes[at] <= '9'; at++) {
        if (__builtin_mul_overflow(cursor, 10, &cursor) ||
            __builtin_add_overflow(cursor, (uint64_t)text.bytes[at] - '0', &cursor))
            return false;
        digits++;
    }
    if (at < text.len && text.bytes[at] != '\0')
        return false;
    *ret_cursor = negative ? 0 - cursor : cursor;
    return digits > 0 || at == 0;
}

/* The options of SCAN; false has been replied. */
static bool read_options(struct kv_call *call, struct look *look, uint64_t *ret_count)
{
    int64_t count = COUNT_DEFAULT;

    for (uint32_t i = 2; i < call->argc; i += 2) {
        bool last = i + 1 == call->argc;

        if (kv_call_is(call, i, "count") && !last) {
            if (!kv_call_integer(call, i + 1, &count))
                return false;
        } else if (kv_call_is(call, i, "match") && !last) {
            look->pattern = call->argv[i + 1];
            look->all = kv_pattern_is_all(look->pattern);
        } else if (kv_call_is(call, i, "type") && !last) {
            look->none = !kv_call_is(call, i + 1, "string");
        } else {
            count = 0;
        }
        if (count < 1) {
            kv_call_syntax_error(call);
            return false;
        }
    }
    *ret_count = (uint64_t)count;
    return true;
}

static void reply_cursor(struct kv_reply *reply, uint64_t cursor)
{
    char digits[CURSOR_BYTES];
    uint32_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + cursor % 10);
        cursor /= 10;
    } while (cursor > 0);
    kv_reply_bulk(reply, kv_slice_of(digits + at, (uint32_t)sizeof digits - at));
}

void kv_cmd_scan(struct kv_call *call)
{
    struct look look = {.call = call, .all = true};
    struct kv_reply *reply = call->reply;
    uint32_t begin = reply->len, end;
    uint64_t cursor, count, steps;

    if (!parse_cursor(call->argv[1], &cursor)) {
        kv_reply_error(reply, "ERR invalid cursor");
        return;
    }
    if (!read_options(call, &look, &count))
        return;
    wait_for_db(call);
    steps = count > UINT64_MAX / EMPTY_STEPS ? UINT64_MAX : count * EMPTY_STEPS;
    do {
        cursor =
            kv_store_scan(call->engine->store, call->session->db, cursor, look_at, &look);
    } while (cursor != 0 && look.seen < count && --steps > 0 && !reply->overflown);
    end = reply->len;
    kv_reply_array(reply, 2);
    reply_cursor(reply, cursor);
    kv_reply_array(reply, look.found);
    kv_reply_bring_forward(reply, begin, end);
}

/* ------------------------------------------------------------------ RANDOMKEY, DBSIZE */

void kv_cmd_randomkey(struct kv_call *call)
{
    struct kv_engine *engine = call->engine;
    struct kv_view view;

    wait_for_db(call);
    for (uint32_t i = 0; i < RANDOM_TRIES; i++) {
        uint64_t random = kv_engine_random(engine);

        if (!kv_store_random(engine->store, call->session->db, random, &view))
            break;
        if (!kv_view_expired(&view, engine->now_ms)) {
            kv_reply_bulk(call->reply, view.key);
            return;
        }
    }
    kv_reply_null(call->reply);
}

void kv_cmd_dbsize(struct kv_call *call)
{
    wait_for_db(call);
    kv_reply_integer(call->reply,
                     (int64_t)kv_store_count(call->engine->store, call->session->db));
}

/* ------------------------------------------------------------------ FLUSHDB, FLUSHALL */

/* Memory is given back in small steps anyway, so both ways are one. */
static bool flush_is_well_formed(struct kv_call *call)
{
    if (call->argc == 1 ||
        (call->argc == 2 && (kv_call_is(call, 1, "sync") || kv_call_is(call, 1, "async"))))
        return true;
    kv_call_syntax_error(call);
    return false;
}

/* Watched keys of a database that is going to be emptied have changed if they were there.
 */
static void touch_db(struct kv_engine *engine, uint32_t db)
{
    struct kv_view view;

    for (struct kv_session *session = engine->first; session != NULL;
         session = session->next) {
        for (struct kv_watch *watch = session->watcher.first; watch != NULL;
             watch = watch->sister) {
            struct kv_slice key = kv_slice_of(watch->key, watch->len);

            if (watch->db == db && kv_store_get(engine->store, db, key, &view))
                session->watcher.broken = true;
        }
    }
}

void kv_cmd_flushdb(struct kv_call *call)
{
    uint32_t db = call->session->db;
    struct kv_effect effect = kv_effect_flush(db);

    if (!flush_is_well_formed(call))
        return;
    wait_for_db(call);
    touch_db(call->engine, db);
    if (kv_store_count(call->engine->store, db) > 0)
        kv_call_apply(call, &effect);
    kv_reply_ok(call->reply);
}

void kv_cmd_flushall(struct kv_call *call)
{
    struct kv_store *store = call->engine->store;
    struct kv_effect effect = kv_effect_flushall();
    uint64_t count = 0;

    if (!flush_is_well_formed(call))
        return;
    for (uint32_t db = 0; db < KV_DBS; db++) {
        touch_db(call->engine, db);
        count += kv_store_count(store, db);
    }
    if (kv_store_lsn(store) > call->result->lsn)
        call->result->lsn = kv_store_lsn(store);
    if (count > 0)
        kv_call_apply(call, &effect);
    kv_reply_ok(call->reply);
}
