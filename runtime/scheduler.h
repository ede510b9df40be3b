/** runtime/scheduler.h - the loop: owns the op table, the wake set, the timers, the
 * machines.
 *
 *     io poll   submit everything queued and reap all completions
 *     route     each completion -> its op slot -> its owner -> wake set
 *     tick      every machine in the wake set, once, in the order woken
 *     idle?     park in the Io until a completion, the next timer, or a wake
 *
 * A scheduler belongs to the thread that made it; any number per process. Only
 * tp_scheduler_post() and tp_scheduler_expect_wake() are for other threads.
 */
#ifndef TEMPEST_RUNTIME_SCHEDULER_H
#define TEMPEST_RUNTIME_SCHEDULER_H

#include "machine.h"

/** What a call of tp_scheduler_tick() came to. */
enum tp_progress {
    TP_PROGRESS,   /* something is ready: call again */
    TP_WAIT_IO,    /* operations are in flight */
    TP_WAIT_TIMER, /* nothing is, but a timer runs */
    TP_WAIT_WAKE,  /* somebody outside will post */
    TP_STUCK,      /* machines wait, and nothing can wake them: see tp_scheduler_census() */
    TP_FINISHED,   /* no machine left and nothing in flight */
};

/** All zero is a working default for everything. */
struct tp_scheduler_config {
    uint32_t size;         /* of this struct; 0: as in version 0.1 */
    uint32_t ops_max;      /* operations, timers and children not yet claimed; 0: 65,536 */
    uint32_t machines_max; /* 0: 1,048,576 */
    uint32_t measure;      /* 1: read the clock around every tick, for the statistics */
    uint64_t seed;         /* of the machines' random streams; 0: drawn from the Io */
    const struct tp_allocator *allocator; /* NULL: calloc() and free(); must outlive it */
    struct tp_log log;
};

/** What happened since creation. */
struct tp_scheduler_stats {
    uint64_t iterations;
    uint64_t ticks;               /* of machines */
    uint64_t wakes;               /* entries into the wake set */
    uint64_t submitted[TP_KINDS]; /* operations by kind, timers and children included */
    uint64_t completed;
    uint64_t shots;     /* completions of multishots, but for their last */
    uint64_t resumed;   /* multishots that had paused, begun again: tp_keep() */
    uint64_t expired;   /* deadlines that came before their operation */
    uint64_t cancelled; /* operations asked to stop */
    uint64_t abandoned;
    uint64_t detached_failures; /* detached operations that came to an error */
    uint64_t posts;             /* from other threads, delivered */
    uint64_t posts_dead;        /* to machines that had ended */
    uint64_t machines_started;
    uint64_t ticking_ns;   /* time in machines; with config.measure only */
    uint64_t slowest_ns;   /* the longest tick; with config.measure only */
    const char *slowest;   /* whose it was */
    uint32_t machines;     /* alive now */
    uint32_t machines_max; /* high-water marks */
    uint32_t ops, ops_max;
    uint32_t timers, timers_max;
    uint32_t detached_line; /* where the last detached failure was submitted */
    const char *detached_file;
    int32_t detached_error;
    uint32_t reserved;
};

TP_BEGIN_DECLS

/** A scheduler on `io`, which must outlive it. NULL when there is no memory. */
TP_EXPORT struct tp_scheduler *tp_scheduler_create(struct tp_io *io, uint32_t ops_max);

/** The same with everything that can be chosen. `config` may be NULL. 0, -ENOMEM or
 * -EINVAL. */
TP_EXPORT int tp_scheduler_create_with(struct tp_io *io,
                                       const struct tp_scheduler_config *config,
                                       struct tp_scheduler **ret_scheduler);

/** Frees. Every machine must have ended (asserted with a census): see tp_scheduler_stop().
 * What is in flight detached is drained. Detached failures are reported to the log. NULL is
 * fine. */
TP_EXPORT void tp_scheduler_destroy(struct tp_scheduler *s);

/** Drops everything at once, machines and operations, without draining: for a simulated
 * crash, after the Io has died. Machines are not ticked again and ended() is not called. */
TP_EXPORT void tp_scheduler_crash(struct tp_scheduler *s);

/** Runs until FINISHED (0), STUCK (-EDEADLK; the census goes to the log), or, with a
 * backend whose world can end, until it has (-ESHUTDOWN). In a simulated world it is stuck,
 * too, when operations are in flight and no event is left that could complete one. */
TP_EXPORT int tp_scheduler_run(struct tp_scheduler *s);

/** One iteration. Never blocks, and leaves nothing unsubmitted, unless it says PROGRESS. */
TP_EXPORT enum tp_progress tp_scheduler_tick(struct tp_scheduler *s);

/** How long a host may sleep: ns from now (fresh clock), 0: call tick now, -1: no timer. */
TP_EXPORT int64_t tp_scheduler_timeout_ns(struct tp_scheduler *s);

/** A fd that is readable when tick has work (level-triggered), or -EOPNOTSUPP. */
TP_EXPORT int tp_scheduler_fd(const struct tp_scheduler *s);

/** Wakes a machine from any thread (id: tp_machine_id()). A hint to look at shared state,
 * coalesced. A machine that has ended is counted, not touched. */
TP_EXPORT void tp_scheduler_post(struct tp_scheduler *s, uint64_t machine_id);

/** From any thread: `delta` more (+1) or fewer (-1) outsiders will post, so waiting for
 * them is not being stuck. */
TP_EXPORT void tp_scheduler_expect_wake(struct tp_scheduler *s, int32_t delta);

/** Cancels every machine; go on running until FINISHED. */
TP_EXPORT void tp_scheduler_stop(struct tp_scheduler *s);

/** The Io that it runs on. */
TP_EXPORT struct tp_io *tp_scheduler_io(const struct tp_scheduler *s);

/** Valid until destroyed; brought up to date by each iteration. */
TP_EXPORT const struct tp_scheduler_stats *tp_scheduler_stats(const struct tp_scheduler *s);

/** Writes the statistics of loop and Io as text, a line each (NUL-terminated, cut at size).
 */
TP_EXPORT void tp_scheduler_stats_print(const struct tp_scheduler *s, char *ret_text,
                                        size_t size_bytes);

/** Writes who waits for what: machines, and their operations by site (same form). */
TP_EXPORT void tp_scheduler_census(const struct tp_scheduler *s, char *ret_text,
                                   size_t size_bytes);

TP_END_DECLS

#endif
