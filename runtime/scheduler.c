#include "scheduler.h"

#include <errno.h>
#include <string.h>

#include "runtime/scheduler_internal.h"

#define OPS_MAX_DEFAULT      UINT32_C(65536)
#define MACHINES_MAX_DEFAULT UINT32_C(1048576)

const void *tp_thread_mark(void)
{
    static _Thread_local char mark;

    return &mark;
}

/* ------------------------------------------------------------------ life */

struct tp_scheduler *tp_scheduler_create(struct tp_io *io, uint32_t ops_max)
{
    struct tp_scheduler_config config = {.size = sizeof config, .ops_max = ops_max};
    struct tp_scheduler *s;

    return tp_scheduler_create_with(io, &config, &s) < 0 ? NULL : s;
}

static void free_tables(struct tp_scheduler *s)
{
    const struct tp_allocator *allocator = s->allocator;

    tp_slots_deinit(&s->slots, allocator);
    tp_timers_deinit(&s->timers, allocator);
    tp_machines_deinit(&s->machines, allocator);
    tp_free(allocator, s, sizeof *s, 64);
}

/* Room for completions of multishots: what two polls bring, and as many again as there may
 * be operations, for machines that keep some. */
static uint32_t shots_max(const struct tp_io *io, uint32_t ops_max)
{
    uint64_t wanted = 2 * (uint64_t)io->completions.capacity + ops_max;

    return wanted > TP_SLOTS_MAX ? TP_SLOTS_MAX : (uint32_t)wanted;
}

int tp_scheduler_create_with(struct tp_io *io, const struct tp_scheduler_config *config,
                             struct tp_scheduler **ret_scheduler)
{
    static const struct tp_scheduler_config defaults;
    const struct tp_scheduler_config *c = config == NULL ? &defaults : config;
    uint32_t ops_max = c->ops_max == 0 ? OPS_MAX_DEFAULT : c->ops_max;
    struct tp_scheduler *s;

    tp_assert(io != NULL && io->describe == NULL);
    if ((c->size != 0 && c->size != sizeof *c) || ops_max > TP_SLOTS_MAX ||
        c->machines_max >= UINT32_MAX - 2)
        return -EINVAL;
    s = tp_alloc(c->allocator, sizeof *s, 64);
    if (s == NULL)
        return -ENOMEM;
    s->io = io;
    s->allocator = c->allocator;
    s->log = c->log;
    s->measure = c->measure != 0;
    s->thread = tp_thread_mark();
    if (tp_slots_init(&s->slots, ops_max, shots_max(io, ops_max), c->allocator) < 0 ||
        tp_timers_init(&s->timers, ops_max, c->allocator) < 0 ||
        tp_machines_init(&s->machines,
                         c->machines_max == 0 ? MACHINES_MAX_DEFAULT : c->machines_max,
                         c->allocator) < 0) {
        free_tables(s);
        return -ENOMEM;
    }
    s->seed = c->seed;
    if (s->seed == 0)
        tp_io_random(io, &s->seed, sizeof s->seed);
    io->describe = tp_describe_handle;
    io->describe_context = s;
    *ret_scheduler = s;
    return 0;
}

static void check_thread(const struct tp_scheduler *s)
{
    if (s->thread != tp_thread_mark())
        tp_stop(__FILE__, __LINE__,
                "a scheduler is used by a thread that did not create it; other "
                "threads may call tp_scheduler_post() only");
}

void tp_scheduler_crash(struct tp_scheduler *s)
{
    if (s == NULL)
        return;
    check_thread(s);
    for (uint32_t i = 0; i < s->machines.fresh; i++) {
        if (s->machines.entries[i].machine != NULL)
            s->machines.entries[i].machine->alive = false;
    }
    s->io->describe = NULL;
    free_tables(s);
}

/* ------------------------------------------------------------------ the iteration */

/* Completions to their slots, slots to their owners, owners into the wake set. */
static void route(struct tp_scheduler *s)
{
    struct tp_completions *completions = &s->io->completions;

    if (tp_machines_posted(&s->machines)) {
        /* Counted by the drain: a coalesced post is one. */
        s->stats.posts += tp_machines_drain(&s->machines, tp_wake);
    }
    while (s->made.first != 0)
        tp_slot_deliver(s, s->made.first, s->slots.slots[s->made.first].value);
    tp_slots_expire(s);
    tp_slots_route(s, completions->items, completions->count);
    tp_completions_clear(completions);
}

static void tick_machines(struct tp_scheduler *s)
{
    s->io->in_tick = true;
    tp_machines_tick(s);
    s->io->in_tick = false;
    tp_assert(s->io->completions.count == 0); /* nothing arrives during a tick */
    s->stats.ops = s->slots.count;
    s->stats.posts_dead = atomic_load_explicit(&s->machines.dead, memory_order_relaxed);
    s->stats.ops_max = s->slots.count_max;
}

static bool ready(struct tp_scheduler *s)
{
    return s->later.first != NULL || s->made.first != 0 || tp_machines_posted(&s->machines);
}

/* What there is to wait for, when nothing is ready. */
static enum tp_progress waits_for(struct tp_scheduler *s)
{
    if (tp_io_in_flight(s->io) > 0)
        return TP_WAIT_IO;
    if (s->timers.count > 0)
        return TP_WAIT_TIMER;
    if (s->machines.count == 0)
        return TP_FINISHED;
    if (atomic_load_explicit(&s->wakes_expected, memory_order_acquire) > 0)
        return TP_WAIT_WAKE;
    return TP_STUCK;
}

static void begin_iteration(struct tp_scheduler *s)
{
    tp_assert(!s->iterating && s->now.first == NULL);
    s->iteration++;
    s->stats.iterations++;
    s->now = s->later;
    s->later.first = s->later.last = NULL;
    s->iterating = true;
}

/* Routes what the poll or park brought and ticks whoever it woke. */
static void end_iteration(struct tp_scheduler *s)
{
    route(s);
    tick_machines(s);
    s->iterating = false;
}

enum tp_progress tp_scheduler_tick(struct tp_scheduler *s)
{
    check_thread(s);
    begin_iteration(s);
    tp_io_poll(s->io);
    end_iteration(s);
    if (ready(s))
        return TP_PROGRESS;
    if (tp_io_unsubmitted(s->io) > 0) {
        /* An operation that is only queued never makes the fd readable: hand it over now.
         */
        tp_io_poll(s->io);
        /* What has completed by that may have let a backend begin something new. */
        if (s->io->completions.count > 0 || tp_io_unsubmitted(s->io) > 0)
            return TP_PROGRESS;
    }
    return waits_for(s);
}

static void log_census(struct tp_scheduler *s)
{
    struct tp_log_field field = {"census", s->text, 0};

    tp_scheduler_census(s, s->text, sizeof s->text);
    tp_log_write(&s->log, TP_LOG_ERROR, "stuck: machines wait and nothing can wake them",
                 &field, 1);
}

/* Whether the last park showed that a simulated world has nothing more to give. */
static bool is_deadlocked(struct tp_scheduler *s)
{
    return s->io->stuck && !ready(s) && s->io->completions.count == 0 &&
           s->timers.count == 0 &&
           atomic_load_explicit(&s->wakes_expected, memory_order_acquire) == 0;
}

int tp_scheduler_run(struct tp_scheduler *s)
{
    check_thread(s);
    for (;;) {
        if (s->io->dead)
            return -ESHUTDOWN;
        if (ready(s) || s->io->completions.count > 0) {
            begin_iteration(s);
            tp_io_poll(s->io);
        } else {
            enum tp_progress progress = waits_for(s);

            if (progress == TP_FINISHED)
                return 0;
            if (progress == TP_STUCK) {
                log_census(s);
                return -EDEADLK;
            }
            begin_iteration(s);
            tp_assert(s->now.first == NULL); /* park is legal with an empty wake set only */
            s->io->wakes_expected = progress == TP_WAIT_WAKE ? 1 : 0;
            tp_io_park(s->io, tp_timers_next_ns(&s->timers));
        }
        end_iteration(s);
        if (is_deadlocked(s)) {
            log_census(s);
            return -EDEADLK;
        }
    }
}

/* ------------------------------------------------------------------ embedding */

int64_t tp_scheduler_timeout_ns(struct tp_scheduler *s)
{
    uint64_t next = tp_timers_next_ns(&s->timers);
    uint64_t now;

    if (ready(s) || s->io->completions.count > 0 || tp_io_unsubmitted(s->io) > 0)
        return 0;
    if (next == TP_NEVER)
        return -1;
    now = s->io->backend->clock(s->io, TP_CLOCK_MONOTONIC);
    if (next <= now)
        return 0;
    return next - now > INT64_MAX ? INT64_MAX : (int64_t)(next - now);
}

int tp_scheduler_fd(const struct tp_scheduler *s)
{
    return tp_io_fd(s->io);
}

void tp_scheduler_post(struct tp_scheduler *s, uint64_t machine_id)
{
    if (tp_machines_post(&s->machines, machine_id))
        tp_io_wake(s->io);
}

void tp_scheduler_expect_wake(struct tp_scheduler *s, int32_t delta)
{
    int32_t before =
        atomic_fetch_add_explicit(&s->wakes_expected, delta, memory_order_acq_rel);

    tp_assert(before + delta >= 0);
    if (delta < 0)
        tp_io_wake(s->io); /* a park that waited for this outsider must look again */
}

/* ------------------------------------------------------------------ the end */

void tp_scheduler_stop(struct tp_scheduler *s)
{
    check_thread(s);
    for (uint32_t i = 0; i < s->machines.fresh; i++) {
        struct tp_machine *machine = s->machines.entries[i].machine;

        /* Children are reached through their parents, so that they are cancelled first. */
        if (machine != NULL && machine->end_slot == 0)
            tp_machine_cancel(machine);
    }
}

static void report_end(struct tp_scheduler *s)
{
    struct tp_log_field fields[] = {
        {"failures", NULL, (int64_t)s->stats.detached_failures},
        {"error", tp_errno_name(s->stats.detached_error), 0},
        {"file", s->stats.detached_file, 0},
        {"line", NULL, s->stats.detached_line},
    };

    if (s->stats.detached_failures > 0)
        tp_log_write(&s->log, TP_LOG_WARNING,
                     "detached operations failed; the last one:", fields, 4);
}

void tp_scheduler_destroy(struct tp_scheduler *s)
{
    if (s == NULL)
        return;
    check_thread(s);
    if (s->machines.count > 0)
        tp_stop_with_census(
            s, "a scheduler is destroyed while machines are alive; stop it and "
               "run it until it has finished");
    while (s->detached_count > 0 && !s->io->dead) {
        for (uint32_t index = s->detached, next; index != 0; index = next) {
            next = s->slots.slots[index].next;
            if (s->slots.slots[index].kind == TP_TIMER)
                tp_slot_ask(s, index);
        }
        (void)tp_scheduler_tick(s);
        if (tp_io_in_flight(s->io) > 0 && !ready(s))
            tp_io_park(s->io, TP_NEVER);
    }
    report_end(s);
    s->io->describe = NULL;
    free_tables(s);
}

struct tp_io *tp_scheduler_io(const struct tp_scheduler *s)
{
    return s->io;
}

const struct tp_scheduler_stats *tp_scheduler_stats(const struct tp_scheduler *s)
{
    return &s->stats;
}
