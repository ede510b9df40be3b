/** apps/kv/keeper.h - what a server does beside its requests: expiry, tidying, snapshots.
 *
 * A little in each iteration as long as there is something to do, then it sleeps: until the
 * next key expires, or a tenth of a second while the store is being changed. A server that
 * nobody changes and that holds nothing that expires is not woken at all.
 *
 * A snapshot is begun when it is asked for, and when the log since the last one, what was
 * there at the start included, is as much as the data take, at least a minimum; so the log
 * stays in proportion, and so does the time that a start takes. One that fails is tried
 * again after a while.
 */
#ifndef TEMPEST_APPS_KV_KEEPER_H
#define TEMPEST_APPS_KV_KEEPER_H

#include "runtime/op.h"
#include "sm/wait.h"

struct kv_server;

/** Embed it; zeroed but for `server`. Read the members about snapshots. */
struct kv_keeper {
    struct tp_machine machine;
    struct kv_server *server;
    struct tp_waiter room;
    struct tp_op timer_op;
    bool resting; /* it is woken by kv_keeper_stir() only */
    bool ending;
    bool save_last;        /* a snapshot before it ends */
    bool awaited;          /* that one is what it ends with */
    bool save_again;       /* another one when this one has ended */
    bool saving;           /* one is under way */
    uint64_t refused_ns;   /* when what the log refused may be tried again */
    uint64_t save_ns;      /* likewise, of a snapshot that nobody asked for */
    uint64_t seen_lsn;     /* of the log, when it last looked */
    uint64_t before_bytes; /* of the log that was there at the start, until a snapshot */
    uint64_t begun_bytes;  /* of the log, when the last snapshot was begun */
    uint64_t saved_bytes;  /* likewise, of the last one that was a success */
    uint64_t saves_begun, saves_ended;
    int32_t save_result;       /* of the last one that has ended */
    struct tp_wait_list saved; /* who waits for the end of one */
};

enum tp_step kv_keeper_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** The store was changed. */
static inline void kv_keeper_stir(struct kv_keeper *keeper)
{
    if (keeper->resting)
        tp_wake(&keeper->machine);
}

/** Begins a snapshot: number `saves_begun`. 0, or as kv_storage_save(). */
int32_t kv_keeper_save(struct kv_keeper *keeper);

/** It ends: after a last snapshot with `save`, and its machine's result is what came of
 * that; else at once, with 0, and a snapshot that is under way is the storage's to stop. */
void kv_keeper_end(struct kv_keeper *keeper, bool save);

#endif
