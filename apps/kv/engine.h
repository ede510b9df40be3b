/** apps/kv/engine.h - the commands, without their connections: what a request does, and
 * what its reply has to wait for.
 *
 *     kv_engine_init(&engine, &config);               the store exists, recovery is done
 *     kv_engine_set_clock(&engine, wall_us, ms);      once per tick
 *     kv_execute(&engine, &session, argv, argc, &reply, &result);      (execute.h)
 *     kv_engine_expire(&engine, 100);                 once per tick, too
 *
 * Commands are applied at once, in the order in which they come, and each is in the log
 * before the next is looked at. A reply is held by its connection until everything is
 * durable that the reply tells of: `result.lsn`.
 *
 * Order of a change: room for its record is reserved in the log, so that a full disk
 * refuses it with nothing to undo; then it is applied to the store, effect by effect; then
 * the record is appended. Nothing else happens in between.
 *
 * It makes no system call and looks at no clock; two engines that are given the same
 * calls behave alike.
 */
#ifndef TEMPEST_APPS_KV_ENGINE_H
#define TEMPEST_APPS_KV_ENGINE_H

#include "apps/kv/config.h"
#include "apps/kv/session.h"
#include "apps/kv/stats.h"
#include "apps/kv/store.h"

/** Where records go. All of it is synchronous. */
struct kv_log {
    /* Keeps room for one record of `len` bytes. 0. -EAGAIN: there is none at the moment.
     * Another error: there is none, ask again some time, or, when failure() is not 0, the
     * log has failed for good. */
    int32_t (*reserve)(void *context, uint32_t len);
    /* Gives it back. */
    void (*unreserve)(void *context, uint32_t len);
    /* Uses up a reservation of `reserved` bytes for a record of `len`, which is not more.
     * Between a reservation and this nothing waits, so it cannot fail. The record's LSN is
     * what next_lsn() was. */
    uint64_t (*append)(void *context, uint32_t reserved, const uint8_t *bytes,
                       uint32_t len);
    /* The LSN that the next record will have. */
    uint64_t (*next_lsn)(void *context);
    /* 0, or the error after which nothing is taken until a restart. */
    int32_t (*failure)(void *context);
    void *context;
};

/** Figures that the server around the engine knows, for INFO. */
struct kv_figures {
    uint64_t process_id;
    uint64_t cpu_user_us, cpu_system_us;
    uint64_t input_bytes, output_bytes, connections_rejected;
    uint64_t resident_bytes;
    uint64_t log_lsn, log_durable_lsn, log_bytes; /* of records appended since the start */
    uint64_t snapshots, snapshot_keys; /* made; entries written of the one being made */
    int64_t last_save_s;               /* when the last one was published, since 1970 */
    bool snapshot_under_way, snapshot_failed;
};

/** What the engine asks of the server around it. */
struct kv_host {
    /* Begins a snapshot. 0; -EBUSY: one is being made. */
    int32_t (*begin_snapshot)(void *context);
    /* The one being made is followed by another. */
    void (*schedule_snapshot)(void *context);
    void (*figures)(void *context, struct kv_figures *ret_figures);
    void *context;
};

enum { KV_PASSWORD_MAX = 512 };

struct kv_engine_config {
    struct kv_store *store;
    const struct kv_log *log;
    const struct kv_host *host;
    const struct kv_config *config;
    uint32_t record_max;      /* bytes of the longest record of the log */
    struct kv_slice password; /* at most KV_PASSWORD_MAX bytes; empty: none is needed */
    uint8_t secret[16];       /* random */
    uint64_t seed;            /* of RANDOMKEY */
    const char *allocator;    /* its name, for INFO: "jemalloc" */
    const struct tp_allocator *record_allocator; /* of the record in the making */
};

/** The record of the command that is being executed. */
struct kv_change {
    struct kv_record record;
    bool open;
    uint32_t reserved; /* in the log */
    uint64_t lsn;      /* that it will have */
};

struct kv_engine {
    struct kv_store *store;
    struct kv_log log;
    struct kv_host host;
    struct kv_config config;
    struct kv_change change;
    struct kv_watches watches;
    struct kv_session *first, *last;
    uint32_t session_count;
    uint64_t session_id; /* of the last one */
    int64_t wall_us;     /* the wall clock, as it is */
    int64_t now_ms;      /* the same, but never going back: what expires by it stays so */
    int64_t clock_ms;    /* of a clock that is never set */
    int64_t started_ms;  /* of that clock */
    uint64_t random;
    struct kv_stats stats;
    uint32_t password_len;
    uint8_t password[KV_PASSWORD_MAX];
    const char *allocator;
};

/** Takes the store over for its lifetime, which remains the caller's to destroy. The store
 * was created with kv_engine_changed() and the engine, zeroed until now. */
void kv_engine_init(struct kv_engine *engine, const struct kv_engine_config *config);

/** All sessions are closed. */
void kv_engine_deinit(struct kv_engine *engine);

/** The time, which holds until the next call: of the wall clock, in microseconds since
 * 1970, and of one that is never set, in milliseconds. */
void kv_engine_set_clock(struct kv_engine *engine, int64_t wall_us, int64_t clock_ms);

/** The store's hook for WATCH; `context` is the engine. */
void kv_engine_changed(void *context, uint32_t db, struct kv_slice key);

/** Removes keys that are past their expiry, up to `limit` of them, each with a logged
 * delete. How many it removed: less than `limit` means that none is left. -EAGAIN or
 * another error of the log: it came to a stop. kv_store_next_expiry_ms() says when to call
 * again. */
int32_t kv_engine_expire(struct kv_engine *engine, uint32_t limit);

/** Bytes that count against maxmemory. */
uint64_t kv_engine_memory(const struct kv_engine *engine);

/** Whether a command that needs memory is to be refused. */
bool kv_engine_is_full(const struct kv_engine *engine);

/** A number by chance. */
uint64_t kv_engine_random(struct kv_engine *engine);

/** Whether it is the password; the time it takes does not tell how much of it is right. */
bool kv_engine_password_is(const struct kv_engine *engine, struct kv_slice password);

#endif
