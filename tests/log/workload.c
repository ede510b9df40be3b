#include "workload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the oracle */

void oracle_reset(struct oracle *oracle)
{
    memset(oracle, 0, sizeof *oracle);
    oracle->first = 1;
}

static TP_PRINTF(2, 3) void violate(struct oracle *oracle, const char *format, ...)
{
    va_list arguments;

    if (oracle->violation[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(oracle->violation, sizeof oracle->violation, format, arguments);
    va_end(arguments);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_of(const uint8_t *bytes, uint32_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ len;

    for (uint32_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void note_appended(struct oracle *oracle, uint64_t lsn, const uint8_t *bytes,
                          uint32_t len)
{
    if (lsn != oracle->appended + 1)
        violate(oracle, "LSN %llu after %llu", (unsigned long long)lsn,
                (unsigned long long)oracle->appended);
    tp_assert(lsn <= ORACLE_RECORDS_MAX);
    oracle->hashes[lsn] = hash_of(bytes, len);
    oracle->appended = lsn;
}

static void note_durable(struct oracle *oracle, uint64_t lsn)
{
    if (lsn > oracle->durable)
        oracle->durable = lsn;
}

static void note_replayed(struct run *run, const struct tp_journal_record *record)
{
    struct oracle *oracle = run->oracle;

    if (run->first_replayed == 0)
        run->first_replayed = record->lsn;
    else if (record->lsn != run->replayed + 1)
        violate(oracle, "LSN %llu read after %llu", (unsigned long long)record->lsn,
                (unsigned long long)run->replayed);
    run->replayed = record->lsn;
    if (record->lsn > oracle->appended)
        violate(oracle, "LSN %llu was invented", (unsigned long long)record->lsn);
    else if (oracle->hashes[record->lsn] != hash_of(record->bytes, record->len))
        violate(oracle, "LSN %llu has other bytes", (unsigned long long)record->lsn);
}

/* What was read is what there is, from now on for good. */
static void note_opened(struct run *run)
{
    struct oracle *oracle = run->oracle;
    uint64_t lsn = tp_journal_lsn(&run->journal);

    if (run->replayed != lsn)
        violate(oracle, "read to LSN %llu, opened at %llu",
                (unsigned long long)run->replayed, (unsigned long long)lsn);
    if (lsn < oracle->durable)
        violate(oracle, "opened at LSN %llu, but %llu was durable", (unsigned long long)lsn,
                (unsigned long long)oracle->durable);
    if (lsn > oracle->appended)
        violate(oracle, "opened at LSN %llu, but only %llu were appended",
                (unsigned long long)lsn, (unsigned long long)oracle->appended);
    oracle->appended = oracle->durable = lsn;
    run->opened = true;
}

/* ------------------------------------------------------------------ appenders */

static uint64_t next_random(struct appender *a)
{
    return mix(a->random += UINT64_C(0x9e3779b97f4a7c15));
}

/* Makes the next record: mostly short ones, now and then an empty one or one of the
 * maximum. */
static void make_record(struct appender *a)
{
    uint64_t random = next_random(a), number = ++a->run->oracle->used;
    uint32_t len_max = a->run->work->len_max;

    a->len = (uint32_t)(random >> 8) % (len_max + 1);
    if (random % 16 == 0)
        a->len = len_max;
    else if (random % 16 == 1)
        a->len = 0;
    a->reserved = a->len + (len_max - a->len) / (random % 4 == 2 ? 8 : UINT32_MAX);
    for (uint32_t i = 0; i < a->len; i++)
        a->bytes[i] = (uint8_t)(mix(number + (i >> 3)) >> (8 * (i & 7)));
}

static int32_t try_append(struct tp_ctx *cx, struct appender *a)
{
    struct run *run = a->run;

    a->rc =
        run->work->reserve
            ? tp_journal_reserve(cx, &run->journal, &a->waiter, a->reserved)
            : tp_journal_append(cx, &run->journal, &a->waiter, a->bytes, a->len, &a->lsn);
    if (a->rc == 0 && !run->work->reserve)
        note_appended(run->oracle, a->lsn, a->bytes, a->len);
    return a->rc;
}

/* The second step; a few of the reservations are given back instead, and taken again. */
static bool append_reserved(struct appender *a)
{
    struct run *run = a->run;

    if (next_random(a) % 8 == 0) {
        tp_journal_unreserve(&run->journal, a->reserved);
        return false;
    }
    a->rc =
        tp_journal_append_reserved(&run->journal, a->reserved, a->bytes, a->len, &a->lsn);
    if (a->rc == 0)
        note_appended(run->oracle, a->lsn, a->bytes, a->len);
    return true;
}

static int32_t try_wait(struct tp_ctx *cx, struct appender *a)
{
    a->rc = tp_journal_wait(cx, &a->run->journal, &a->waiter, a->lsn);
    if (a->rc == 0)
        note_durable(a->run->oracle, a->lsn);
    return a->rc;
}

static void trim(struct appender *a)
{
    struct run *run = a->run;
    uint32_t every = run->work->trim_every;

    if (run->work->trim_late && a->left > 0)
        return;
    if (every != 0 && a->lsn > every && a->lsn - every > run->oracle->first) {
        run->oracle->first = a->lsn - every;
        tp_journal_trim(&run->journal, run->oracle->first);
    }
}

/* Somebody was told that a group is durable. If another one has begun already, nothing can
 * be said of either. */
static void note_group(struct run *run)
{
    const struct tp_journal *j = &run->journal;
    uint64_t due_ns = run->group_end_ns + run->group_took_ns / 4;

    if (j->active_ns == run->group_end_ns)
        return;
    if (run->group_took_ns > 0 && j->launched_ns < j->active_ns &&
        j->launched_ns > due_ns && j->launched_ns - due_ns > run->late_ns_max)
        run->late_ns_max = j->launched_ns - due_ns;
    run->group_end_ns = j->active_ns;
    run->group_took_ns = j->launched_ns < j->active_ns ? j->active_ns - j->launched_ns : 0;
}

static enum tp_step end_appender(struct appender *a)
{
    if (a->rc < 0 && a->run->append_error == 0)
        a->run->append_error = a->rc;
    tp_journal_leave(&a->waiter);
    return tp_end(&a->machine, a->rc);
}

static uint64_t idle_ns(struct appender *a)
{
    const struct workload *work = a->run->work;

    return work->idle_any ? next_random(a) % work->idle_ns : work->idle_ns;
}

static enum tp_step appender_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct appender *a = tp_container_of(machine, struct appender, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (a->left > 0) {
        make_record(a);
        do {
            TP_AWAIT_UNTIL(cx, try_append(cx, a) != -EAGAIN);
            if (a->rc == -ENOSPC && a->run->work->retry_full) {
                TP_AWAIT(cx, tp_timer(cx, 1000000), &result);
                a->rc = result.value < 0 ? result.value : -EAGAIN;
                continue;
            }
            if (a->rc < 0)
                return end_appender(a);
            if (!a->run->work->reserve)
                break;
            TP_AWAIT_YIELD(cx);
            a->rc = append_reserved(a) ? a->rc : -EAGAIN;
        } while (a->rc == -EAGAIN);
        if (a->rc < 0)
            return end_appender(a);
        a->left--;
        if (++a->in_batch < a->run->work->batch && a->left > 0)
            continue;
        a->in_batch = 0;
        TP_AWAIT_UNTIL(cx, a->run->work->no_wait || try_wait(cx, a) != -EAGAIN);
        if (a->rc < 0)
            return end_appender(a);
        note_group(a->run);
        trim(a);
        if (a->run->work->idle_ns > 0)
            TP_AWAIT(cx, tp_timer(cx, idle_ns(a)), &result);
    }
    return end_appender(a);
    TP_END(cx);
}

/* ------------------------------------------------------------------ a boot */

static int32_t read_next(struct run *run)
{
    run->rc = tp_journal_next(&run->journal, &run->record);
    if (run->rc == 1)
        note_replayed(run, &run->record);
    return run->rc;
}

static void start_appenders(struct tp_ctx *cx, struct run *run)
{
    for (uint32_t i = 0; i < run->work->appenders; i++) {
        struct appender *a = &run->appenders[i];

        a->run = run;
        a->random = mix(run->work->seed * 1000 + i + 1);
        a->left = run->work->records;
        a->bytes = run->memory + (size_t)i * run->work->len_max;
        a->op = tp_start(cx, &a->machine, appender_tick, "appender");
    }
}

enum tp_step run_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct run *run = tp_container_of(machine, struct run, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    run->end = tp_journal_open(cx, &run->journal);
    do {
        TP_AWAIT_UNTIL(cx, read_next(run) != -EAGAIN || tp_cancelled(cx));
    } while (run->rc == 1 && !tp_cancelled(cx));
    if (run->rc == 0) {
        note_opened(run);
        start_appenders(cx, run);
        for (run->next = 0; run->next < run->work->appenders; run->next++)
            TP_AWAIT(cx, run->appenders[run->next].op, &result);
    }
    tp_journal_close(&run->journal);
    TP_AWAIT(cx, run->end, &result);
    run->end_result = result.value;
    run->ended = true;
    if (result.value == 0)
        note_durable(run->oracle, run->oracle->appended);
    return tp_end(machine, result.value);
    TP_END(cx);
}

void run_init(struct run *run, const struct workload *work, struct oracle *oracle)
{
    struct tp_journal_config config = work->config;
    int error;

    tp_assert(work->appenders <= APPENDERS_MAX);
    memset(run, 0, sizeof *run);
    run->work = work;
    run->oracle = oracle;
    config.from_lsn = work->from_oldest ? TP_JOURNAL_OLDEST : oracle->first;
    run->replayed = oracle->first - 1;
    if (!work->from_oldest)
        run->first_replayed = oracle->first;
    error = tp_journal_init(&run->journal, &config);
    tp_assert(error == 0);
    run->memory = calloc(APPENDERS_MAX, work->len_max + 1);
    tp_assert(run->memory != NULL);
}

void run_deinit(struct run *run)
{
    tp_journal_deinit(&run->journal);
    free(run->memory);
}

static struct tp_scheduler *start(struct run *run, struct tp_io *io,
                                  const struct workload *work, struct oracle *oracle)
{
    struct tp_scheduler_config config = {
        .ops_max = 1024, .machines_max = 256, .seed = work->seed + 1};
    struct tp_scheduler *scheduler;
    int error = tp_scheduler_create_with(io, &config, &scheduler);

    tp_assert(error == 0);
    run_init(run, work, oracle);
    tp_spawn(scheduler, &run->machine, run_tick, "run");
    return scheduler;
}

static void report_stuck(struct tp_scheduler *scheduler)
{
    static char text[8192];

    tp_scheduler_census(scheduler, text, sizeof text);
    (void)fputs(text, stderr);
}

int32_t run_boot(struct run *run, struct tp_io *io, const struct workload *work,
                 struct oracle *oracle, void (*crash)(struct tp_io *io))
{
    struct tp_scheduler *scheduler = start(run, io, work, oracle);
    int32_t result = tp_scheduler_run(scheduler);

    if (result == 0) {
        tp_scheduler_destroy(scheduler);
    } else {
        if (result == -EDEADLK)
            report_stuck(scheduler);
        tp_scheduler_crash(scheduler);
        if (crash != NULL)
            crash(io);
    }
    run_deinit(run);
    return result;
}

int32_t run_boot_cancelled(struct run *run, struct tp_io *io, const struct workload *work,
                           struct oracle *oracle, uint32_t iterations, bool *ret_finished)
{
    struct tp_scheduler *scheduler = start(run, io, work, oracle);
    uint64_t before;
    int32_t result;

    *ret_finished = false;
    for (uint32_t i = 0; i < iterations && !*ret_finished; i++) {
        enum tp_progress progress = tp_scheduler_tick(scheduler);

        *ret_finished = progress == TP_FINISHED;
        if (progress == TP_WAIT_IO || progress == TP_WAIT_TIMER) {
            int64_t timeout_ns = tp_scheduler_timeout_ns(scheduler);

            tp_io_park(io,
                       timeout_ns < 0 ? TP_NEVER : tp_io_now_ns(io) + (uint64_t)timeout_ns);
        }
    }
    if (!*ret_finished)
        tp_machine_cancel(&run->journal.machine);
    before = tp_scheduler_stats(scheduler)->iterations;
    result = tp_scheduler_run(scheduler);
    run->iterations = tp_scheduler_stats(scheduler)->iterations - before;
    tp_scheduler_destroy(scheduler);
    run_deinit(run);
    return result;
}
