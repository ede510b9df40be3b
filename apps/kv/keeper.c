#include "apps/kv/keeper.h"

#include <errno.h>

#include "apps/kv/server_internal.h"

enum {
    EXPIRED_MAX = 100, /* keys removed in one tick */
    STEPS_MAX = 200,   /* of tidying in one tick */
};

#define LOOK_NS       UINT64_C(100000000)
#define REFUSED_NS    UINT64_C(1000000000)
#define SAVE_AGAIN_NS UINT64_C(10000000000)

/* ------------------------------------------------------------------ expiry */

/* Removes what has expired. Whether there is more. When the log takes nothing it has to
 * wait: nobody is shown a key that is past its time meanwhile. */
static bool expire(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    int32_t count;

    if (tp_now_ns(cx) < keeper->refused_ns)
        return false;
    count = kv_engine_expire(&keeper->server->engine, EXPIRED_MAX);
    if (count < 0 && count != -EAGAIN)
        keeper->refused_ns = tp_now_ns(cx) + REFUSED_NS;
    return count == EXPIRED_MAX;
}

/* ------------------------------------------------------------------ snapshots */

int32_t kv_keeper_save(struct kv_keeper *keeper)
{
    struct kv_server *server = keeper->server;
    int32_t error = kv_storage_save(&server->storage);

    if (error < 0)
        return error;
    keeper->saving = true;
    keeper->saves_begun++;
    keeper->begun_bytes = server->hook.bytes;
    return 0;
}

/* Takes what came of the one that has ended. */
static void note_saved(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    const struct kv_storage *storage = &keeper->server->storage;

    if (!keeper->saving || kv_storage_is_saving(storage))
        return;
    keeper->saving = false;
    keeper->saves_ended++;
    keeper->save_result = storage->saves.result;
    if (keeper->save_result < 0) {
        keeper->save_ns = tp_now_ns(cx) + SAVE_AGAIN_NS;
    } else {
        keeper->saved_bytes = keeper->begun_bytes;
        keeper->before_bytes = 0;
    }
    kv_server_say_saved(keeper->server);
    tp_wait_list_wake_all(&keeper->saved);
}

/* Whether the log has grown out of proportion. */
static bool is_due(const struct kv_keeper *keeper, struct tp_ctx *cx)
{
    const struct kv_server *server = keeper->server;
    uint64_t bytes = server->hook.bytes - keeper->saved_bytes + keeper->before_bytes;
    struct kv_store_memory memory;

    if (bytes < server->config.snapshot_bytes || tp_now_ns(cx) < keeper->save_ns)
        return false;
    kv_store_memory(server->store, &memory);
    return bytes >= memory.total;
}

static void save(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    bool wanted = keeper->save_again || (keeper->ending && keeper->save_last);

    note_saved(keeper, cx);
    if (keeper->saving || (!wanted && (keeper->ending || !is_due(keeper, cx))))
        return;
    keeper->save_again = keeper->save_last = false;
    keeper->save_result = kv_keeper_save(keeper);
    if (keeper->save_result < 0)
        keeper->save_ns = tp_now_ns(cx) + SAVE_AGAIN_NS;
}

/* ------------------------------------------------------------------ rest */

/* When it is to look again; TP_NEVER: when it is stirred. */
static uint64_t sleep_ns(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    struct kv_server *server = keeper->server;
    uint64_t lsn = tp_journal_lsn(server->hook.journal);
    int64_t next_ms = kv_store_next_expiry_ms(server->store);
    uint64_t sleep = keeper->seen_lsn == lsn ? TP_NEVER : LOOK_NS, until;

    keeper->seen_lsn = lsn;
    if (next_ms == 0)
        return sleep;
    next_ms -= server->engine.now_ms;
    until = next_ms < 0 ? LOOK_NS : ((uint64_t)next_ms + 1) * 1000000;
    if (tp_now_ns(cx) < keeper->refused_ns)
        until = keeper->refused_ns - tp_now_ns(cx);
    return until < sleep ? until : sleep;
}

static void rest(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    uint64_t sleep = sleep_ns(keeper, cx);

    tp_abandon(cx, keeper->timer_op);
    keeper->timer_op = sleep == TP_NEVER ? tp_no_op() : tp_timer(cx, sleep);
    keeper->resting = sleep > LOOK_NS;
}

/* ------------------------------------------------------------------ the machine */

static enum tp_step end(struct kv_keeper *keeper, struct tp_ctx *cx)
{
    tp_abandon(cx, keeper->timer_op);
    tp_wait_list_leave(&keeper->room);
    return tp_end(&keeper->machine, keeper->awaited ? keeper->save_result : 0);
}

enum tp_step kv_keeper_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_keeper *keeper = tp_container_of(machine, struct kv_keeper, machine);
    struct tp_result result;
    bool more;

    (void)tp_take(cx, &keeper->timer_op, &result);
    if (tp_cancelled(cx))
        return end(keeper, cx);
    kv_server_enter(keeper->server, cx, &keeper->room);
    keeper->resting = false;
    save(keeper, cx);
    if (keeper->ending)
        return keeper->saving && keeper->awaited ? TP_WAIT : end(keeper, cx);
    more = expire(keeper, cx);
    more |= kv_store_work(keeper->server->store, STEPS_MAX) == STEPS_MAX;
    if (more)
        return TP_YIELD;
    rest(keeper, cx);
    return TP_WAIT;
}

void kv_keeper_end(struct kv_keeper *keeper, bool save)
{
    keeper->ending = true;
    keeper->save_last = keeper->awaited = save;
    if (tp_machine_alive(&keeper->machine))
        tp_wake(&keeper->machine);
}
