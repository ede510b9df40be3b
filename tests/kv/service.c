#include "tests/kv/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/await.h"

enum { GROUP_BYTES = 8192, SEGMENT_BYTES = 32768, BLOCK_BYTES = 4096, EFFECTS_MAX = 4 };

#define MOMENT_NS UINT64_C(100000)

/* ------------------------------------------------------------------ the oracle */

TP_PRINTF(2, 3) static void violate(struct oracle *oracle, const char *format, ...)
{
    va_list arguments;

    if (oracle->violation[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(oracle->violation, sizeof oracle->violation, format, arguments);
    va_end(arguments);
}

static uint8_t *copy_of(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len);

    tp_assert(copy != NULL);
    memcpy(copy, bytes, len);
    return copy;
}

void oracle_init(struct oracle *oracle)
{
    memset(oracle, 0, sizeof *oracle);
}

void oracle_deinit(struct oracle *oracle)
{
    for (uint64_t i = 0; i < oracle->count; i++)
        free(oracle->records[i].bytes);
    free(oracle->records);
    model_deinit(&oracle->model);
    memset(oracle, 0, sizeof *oracle);
}

static void remember(struct oracle *oracle, const uint8_t *bytes, uint32_t len)
{
    if (oracle->count == oracle->capacity) {
        oracle->capacity = oracle->capacity == 0 ? 64 : 2 * oracle->capacity;
        oracle->records =
            realloc(oracle->records, (size_t)oracle->capacity * sizeof *oracle->records);
        tp_assert(oracle->records != NULL);
    }
    oracle->records[oracle->count].bytes = copy_of(bytes, len);
    oracle->records[oracle->count++].len = len;
}

void oracle_copy(const struct oracle *oracle, struct oracle *ret_copy)
{
    *ret_copy = *oracle;
    ret_copy->records = NULL;
    ret_copy->count = ret_copy->capacity = 0;
    for (uint64_t i = 0; i < oracle->count; i++)
        remember(ret_copy, oracle->records[i].bytes, oracle->records[i].len);
    model_copy(&oracle->model, &ret_copy->model);
}

static void apply_to_model(struct model *model, const struct history_record *record,
                           uint64_t lsn)
{
    struct kv_record_cursor cursor = kv_record_read(record->bytes, record->len);
    struct kv_effect effect;

    while (kv_record_next(&cursor, &effect) == 1)
        model_apply(model, &effect, lsn);
}

/* Records above `lsn` are gone for good. */
static void forget_above(struct oracle *oracle, uint64_t lsn)
{
    for (uint64_t i = lsn; i < oracle->count; i++)
        free(oracle->records[i].bytes);
    oracle->count = lsn < oracle->count ? lsn : oracle->count;
    model_deinit(&oracle->model);
    for (uint64_t i = 0; i < oracle->count; i++)
        apply_to_model(&oracle->model, &oracle->records[i], i + 1);
}

/* What was loaded must be what the records up to its LSN come to. */
static void check_loaded(struct service *s)
{
    struct oracle *oracle = s->oracle;
    uint64_t lsn = s->storage.loaded.lsn;
    const char *difference;

    if (lsn < oracle->acked)
        violate(oracle, "record %" PRIu64 " was acknowledged, and the last is %" PRIu64,
                oracle->acked, lsn);
    if (lsn > oracle->count)
        violate(oracle, "record %" PRIu64 " was never appended", lsn);
    if (oracle->saved > 0 && !s->storage.loaded.snapshot)
        violate(oracle, "the snapshot is gone");
    forget_above(oracle, lsn);
    difference = model_differs(&oracle->model, s->store, true);
    if (difference != NULL)
        violate(oracle, "loaded up to %" PRIu64 ", snapshot %d: %s", lsn,
                s->storage.loaded.snapshot, difference);
    if (!s->work->read_only)
        oracle->acked = lsn; /* shown to the next ones: durable now */
}

/* ------------------------------------------------------------------ appending */

static void draw_record(const struct work *w, uint64_t *state, struct kv_record *record)
{
    uint64_t effects = 1 + model_draw(state, 2) * model_draw(state, EFFECTS_MAX);

    kv_record_clear(record);
    for (uint64_t i = 0; i < effects; i++) {
        struct kv_effect effect =
            model_effect(state, w->keys, w->dbs, w->len_max, w->flush_every);

        tp_assert(kv_record_add(record, &effect) == 0);
    }
}

void oracle_redraw(struct oracle *oracle, const struct work *work, uint32_t count)
{
    struct kv_record record;
    uint64_t state = work->seed;

    kv_record_init(&record, NULL, GROUP_BYTES - 84);
    for (uint32_t i = 0; i < count; i++) {
        draw_record(work, &state, &record);
        remember(oracle, record.bytes, record.len);
    }
    kv_record_deinit(&record);
}

static int32_t try_append(struct tp_ctx *cx, struct service *s)
{
    uint32_t len = s->work->raw_len > 0 ? s->work->raw_len : s->record.len;

    s->rc = tp_journal_reserve(cx, &s->storage.journal, &s->waiter, len);
    s->full += s->rc == -ENOSPC;
    return s->rc;
}

/* What a server does with a command: room is taken, so it is applied and appended at once.
 */
static void append(struct service *s)
{
    struct kv_record_cursor cursor = kv_record_read(s->record.bytes, s->record.len);
    struct kv_effect effect;
    int32_t rc;

    if (s->work->raw_len > 0) {
        rc = tp_journal_append_reserved(&s->storage.journal, s->work->raw_len, s->work->raw,
                                        s->work->raw_len, &s->lsn);
        tp_assert(rc == 0);
        return;
    }
    rc = tp_journal_append_reserved(&s->storage.journal, s->record.len, s->record.bytes,
                                    s->record.len, &s->lsn);
    tp_assert(rc == 0 && s->lsn == s->oracle->count + 1);
    remember(s->oracle, s->record.bytes, s->record.len);
    apply_to_model(&s->oracle->model, &s->oracle->records[s->lsn - 1], s->lsn);
    while (kv_record_next(&cursor, &effect) == 1)
        kv_store_apply(s->store, &effect, s->lsn);
}

static int32_t try_wait(struct tp_ctx *cx, struct service *s)
{
    s->rc = tp_journal_wait(cx, &s->storage.journal, &s->waiter, s->lsn);
    if (s->rc == 0 && s->lsn > s->oracle->acked && s->work->raw_len == 0)
        s->oracle->acked = s->lsn;
    if (s->rc == 0 && s->work->acked != NULL)
        *s->work->acked = s->lsn;
    return s->rc;
}

/* ------------------------------------------------------------------ snapshots */

/* Takes what became of the last one. */
static void note_save(struct service *s)
{
    const struct kv_snapshot *snapshot = &s->storage.snapshot;

    if (s->storage.saves.result < 0 && s->save_error == 0)
        s->save_error = s->storage.saves.result;
    if (s->storage.saves.done == s->saves_noted)
        return;
    s->saves_noted = s->storage.saves.done;
    s->oracle->saved++;
    s->overlapped += snapshot->end.end_lsn - snapshot->head.start_lsn;
}

static void save(struct service *s)
{
    int32_t rc;

    note_save(s);
    rc = kv_storage_save(&s->storage);
    if (rc < 0 && rc != -EALREADY && s->save_error == 0)
        s->save_error = rc;
}

static void perhaps_save(struct service *s)
{
    if (s->work->save_every == 0 || --s->until_save > 0)
        return;
    s->until_save = s->work->save_every;
    save(s);
}

/* ------------------------------------------------------------------ the machine */

static bool saving_lasts(struct tp_ctx *cx, struct service *s)
{
    return kv_storage_is_saving(&s->storage) && !tp_cancelled(cx);
}

static enum tp_step work_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct service *s = tp_container_of(machine, struct service, worker);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; s->left > 0; s->left--) {
        draw_record(s->work, &s->state, &s->record);
        for (;;) {
            TP_AWAIT_UNTIL(cx, try_append(cx, s) != -EAGAIN);
            if (s->rc != -ENOSPC || !s->work->retry_full)
                break;
            TP_AWAIT(cx, tp_timer(cx, UINT64_C(100000000)), &result);
        }
        if (s->rc < 0)
            break;
        append(s);
        perhaps_save(s);
        if (model_draw(&s->pace, s->work->wait_one_in) != 0) {
            TP_AWAIT(cx,
                     tp_timer(cx, model_draw(&s->pace, s->work->pause_ns + UINT64_C(1))),
                     &result);
            continue;
        }
        TP_AWAIT_UNTIL(cx, try_wait(cx, s) != -EAGAIN);
        if (s->rc < 0)
            break;
        if (model_draw(&s->pace, 4) == 0)
            TP_AWAIT(cx, tp_timer(cx, model_draw(&s->pace, 2000000)), &result);
    }
    if (s->work->save_last && s->rc == 0) {
        while (saving_lasts(cx, s))
            TP_AWAIT(cx, tp_timer(cx, MOMENT_NS), &result);
        save(s);
    }
    while (saving_lasts(cx, s))
        TP_AWAIT(cx, tp_timer(cx, MOMENT_NS), &result);
    note_save(s);
    s->append_error = s->rc;
    return tp_end(machine, s->rc);
    TP_END(cx);
}

static void note_ended(struct service *s, int32_t value)
{
    const char *difference =
        s->opened ? model_differs(&s->oracle->model, s->store, true) : NULL;

    s->result = value;
    s->ended = true;
    if (difference != NULL && s->work->raw_len == 0)
        violate(s->oracle, "while it ran: %s", difference);
    if (value == 0 && s->opened && s->work->raw_len == 0)
        s->oracle->acked = s->oracle->count; /* closed in order: all of it is durable */
    if (value < 0 && value != -ECANCELED && s->storage.problem[0] == '\0')
        violate(s->oracle, "it ended with %s, and nothing was said", tp_errno_name(value));
    if (value == 0 && s->storage.problem[0] != '\0')
        violate(s->oracle, "it ended well, and said %s", s->storage.problem);
}

static enum tp_step service_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct service *s = tp_container_of(machine, struct service, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    s->storage_op = kv_storage_start(cx, &s->storage);
    TP_AWAIT_UNTIL(cx,
                   kv_storage_phase(&s->storage) != KV_STORAGE_LOADING || tp_cancelled(cx));
    if (kv_storage_phase(&s->storage) == KV_STORAGE_OPEN) {
        s->opened = true;
        check_loaded(s);
        TP_AWAIT(cx, (tp_start)(cx, &s->worker, work_tick, "worker"), &result);
    }
    kv_storage_close(&s->storage);
    TP_AWAIT(cx, s->storage_op, &result);
    if (s->work->read_only && result.value == 0)
        check_loaded(s);
    note_ended(s, result.value);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* ------------------------------------------------------------------ a boot */

static void prepare(struct service *s, const struct work *work, struct oracle *oracle)
{
    struct kv_store_config store = {.ballast_bytes = 65536};
    struct kv_storage_config storage = {
        .path = work->path,
        .allocator = work->allocator,
        .patience_ns = work->patience_ns,
        .segment_bytes = work->segment_bytes == 0 ? SEGMENT_BYTES : work->segment_bytes,
        .idle_mark_ns = 1000000,
        .group_bytes = GROUP_BYTES,
        .block_bytes = BLOCK_BYTES,
        .read_only = work->read_only};
    int error;

    memset(s, 0, sizeof *s);
    memcpy(store.hash_key, &work->seed, sizeof work->seed);
    error = kv_store_create(&store, &s->store);
    tp_assert(error == 0);
    storage.store = s->store;
    kv_storage_init(&s->storage, &storage);
    kv_record_init(&s->record, NULL, GROUP_BYTES - 84);
    s->work = work;
    s->oracle = oracle;
    s->state = work->seed;
    s->pace = ~work->seed;
    s->left = work->records;
    s->until_save = work->save_every;
}

/* Runs it for so many iterations, then cancels it. */
static void run_until_cancel(struct tp_scheduler *scheduler, struct tp_io *io,
                             struct service *s, uint32_t iterations)
{
    enum tp_progress progress = TP_PROGRESS;

    for (uint32_t i = 0; i < iterations && progress != TP_FINISHED; i++) {
        progress = tp_scheduler_tick(scheduler);
        if (progress == TP_WAIT_IO || progress == TP_WAIT_TIMER) {
            int64_t timeout_ns = tp_scheduler_timeout_ns(scheduler);

            tp_io_park(io,
                       timeout_ns < 0 ? TP_NEVER : tp_io_now_ns(io) + (uint64_t)timeout_ns);
        }
    }
    if (progress != TP_FINISHED)
        tp_machine_cancel(&s->machine);
}

int32_t service_boot(struct service *service, struct tp_io *io, const struct work *work,
                     struct oracle *oracle, void (*crash)(struct tp_io *io))
{
    struct tp_scheduler_config config = {
        .ops_max = 1024, .machines_max = 256, .seed = work->seed + 1};
    struct tp_scheduler *scheduler;
    int32_t result = tp_scheduler_create_with(io, &config, &scheduler);

    tp_assert(result == 0);
    prepare(service, work, oracle);
    tp_spawn(scheduler, &service->machine, service_tick, "service");
    if (work->cancel_after > 0)
        run_until_cancel(scheduler, io, service, work->cancel_after);
    result = tp_scheduler_run(scheduler);
    if (result == 0) {
        tp_scheduler_destroy(scheduler);
    } else {
        if (result == -EDEADLK) {
            static char text[8192];

            tp_scheduler_census(scheduler, text, sizeof text);
            violate(oracle, "it hangs: %.300s", text);
        }
        tp_scheduler_crash(scheduler);
        crash(io);
    }
    kv_storage_deinit(&service->storage);
    kv_record_deinit(&service->record);
    return result;
}

void service_deinit(struct service *service)
{
    kv_store_destroy(service->store);
    service->store = NULL;
}
