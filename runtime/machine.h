/** runtime/machine.h - a machine: the unit that the scheduler ticks.
 *
 * A machine is a struct of yours with a tp_machine in it. Its tick() looks at what
 * completed, decides, submits, and returns; it never blocks and is never re-entered. Two
 * ways to write one, mixed freely: an enum of states with a switch, or the await macros of
 * await.h.
 *
 * Ownership: the machine's memory is yours. It must stay put from tp_spawn() or tp_start()
 * until the machine has ended: its parent has claimed its end, or its ended() is called.
 *
 * Order: machines woken in one iteration tick in the order in which they were woken, each
 * once.
 *
 * Errors: a machine ends with a result: >= 0, or a negative errno that its parent reads.
 *
 * Cancel is a level (law 4): every operation in flight is asked to stop, and from then on
 * each new one completes with -ECANCELED, but for clean-up (close, shutdown, remove,
 * remove_dir, cancel) and between tp_shield(cx, true) and false. So a machine needs no
 * cancel code: it runs to its own end through its normal error path. Children are cancelled
 * before their parent and end before it.
 */
#ifndef TEMPEST_RUNTIME_MACHINE_H
#define TEMPEST_RUNTIME_MACHINE_H

#include "../io/io.h"

struct tp_machine;
struct tp_scheduler;

/** An operation in flight or completed and not yet claimed; {0} is none. Claimed by the
 * machine that submitted it, once: a stale, foreign or doubled claim stops the program (law
 * 1). */
struct tp_op {
    uint64_t handle;
};

/** What a tick gets: the only door to the world (law 5). */
struct tp_ctx {
    struct tp_scheduler *scheduler;
    struct tp_machine *self;
    const char *file; /* where the operation being submitted stands; set by the macros */
    uint32_t line;
    uint32_t reserved;
};

/** What a tick says. */
enum tp_step {
    TP_WAIT,  /* tick me when something I wait for has happened */
    TP_YIELD, /* tick me again in the next iteration */
    TP_DONE,  /* I have ended; no operation of mine is in flight (asserted) */
};

typedef enum tp_step tp_tick_fn(struct tp_machine *machine, struct tp_ctx *cx);

/** Embed it; of its members read `result` and `name`, and set `ended` before the start.
 * Zeroed memory is the initial state. */
struct tp_machine {
    tp_tick_fn *tick;
    void (*ended)(
        struct tp_machine *machine); /* after the end, between ticks: may free; or NULL */
    const char *name;
    struct tp_scheduler *scheduler;
    struct tp_machine *next_woken;
    struct tp_op awaited;           /* await.h: what TP_AWAIT waits for */
    uint64_t random;                /* state of its random stream */
    uint32_t resume;                /* await.h: where to go on */
    int32_t result;                 /* what it ended with */
    uint32_t flying;                /* list of slots: submitted, not completed */
    uint32_t arrived, arrived_last; /* list of slots: completed, not claimed, in order */
    uint32_t ops;            /* slots that are not retired, abandoned ones included */
    uint32_t abandoned;      /* of these, abandoned */
    uint32_t end_slot;       /* the parent's slot that waits for the end; 0: none */
    uint32_t index;          /* in the scheduler's table of machines */
    uint32_t last_iteration; /* in which it ticked */
    bool woken;              /* it is in the wake set */
    bool keeps;              /* it awaits: other completions may stay unclaimed */
    bool cancelled, shielded;
    bool ending; /* it has ended, and waits for abandoned operations */
    bool alive;
    uint16_t bufs; /* receive buffers that it has */
};

TP_BEGIN_DECLS

/** Adds a machine to the scheduler; it ticks last in this iteration, or in the next one
 * when called from outside a tick. It has no parent: nobody claims its end, and its result
 * is read from the struct. `name` must live for ever. */
TP_EXPORT void tp_spawn(struct tp_scheduler *scheduler, struct tp_machine *machine,
                        tp_tick_fn *tick, const char *name);

/** Wakes a machine of the same scheduler: a hint to look at shared state, coalesced, never
 * a message. One that has not ticked in this iteration ticks in it, last; else in the next.
 */
TP_EXPORT void tp_wake(struct tp_machine *machine);

/** Whether it was started and has not ended. */
TP_EXPORT bool tp_machine_alive(const struct tp_machine *machine);

/** Names the machine to other threads; see tp_scheduler_post(). Alive ones only. */
TP_EXPORT uint64_t tp_machine_id(const struct tp_machine *machine);

/** Cancels it and its children. Nothing happens when it has ended. */
TP_EXPORT void tp_machine_cancel(struct tp_machine *machine);

/** Ends with `result`: `return tp_end(machine, -EIO);`. Gives TP_DONE. */
TP_EXPORT enum tp_step tp_end(struct tp_machine *machine, int32_t result);

/* ------------------------------------------------------------------ the context */

/** Whether this machine was cancelled. */
TP_EXPORT bool tp_cancelled(const struct tp_ctx *cx);

/** While on, new operations run though the machine is cancelled (an orderly good-bye). When
 * it goes off in a cancelled machine, what is in flight is asked to stop. */
TP_EXPORT void tp_shield(struct tp_ctx *cx, bool on);

/** Monotonic ns, constant within an iteration; read on first use. */
TP_EXPORT uint64_t tp_now_ns(struct tp_ctx *cx);

/** Wall-clock ns since 1970, constant within an iteration; may step. */
TP_EXPORT uint64_t tp_wall_ns(struct tp_ctx *cx);

/** The next number of this machine's own random stream (SplitMix64, seeded by the
 * scheduler's seed and the order of starts; not for secrets). */
TP_EXPORT uint64_t tp_random(struct tp_ctx *cx);

/** Operations that may still be submitted before a bound stops the program (law 7). */
TP_EXPORT uint32_t tp_room(const struct tp_ctx *cx);

/** The Io, for what is not an operation: block size, registered buffers, caps. */
TP_EXPORT struct tp_io *tp_ctx_io(const struct tp_ctx *cx);

TP_END_DECLS

#endif
