#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sm/journal_writer.h"

enum {
    GROUP_BYTES_DEFAULT = 1 << 20,
    ZEROS_BYTES = 256 << 10,
    BUFFERS_ALIGN = 4096,
};

#define SEGMENT_BYTES_DEFAULT (UINT64_C(64) << 20)
#define IDLE_MARK_NS_DEFAULT  UINT64_C(100000000)
#define RETRY_NS_DEFAULT      UINT64_C(1000000000)

/* ------------------------------------------------------------------ life */

static void set_defaults(struct tp_journal_config *config)
{
    if (config->group_bytes == 0)
        config->group_bytes = GROUP_BYTES_DEFAULT;
    if (config->segment_bytes == 0)
        config->segment_bytes = SEGMENT_BYTES_DEFAULT;
    if (config->from_lsn == 0)
        config->from_lsn = 1;
    if (config->idle_mark_ns == 0)
        config->idle_mark_ns = IDLE_MARK_NS_DEFAULT;
    if (config->retry_ns == 0)
        config->retry_ns = RETRY_NS_DEFAULT;
}

static bool sizes_fit(const struct tp_journal_config *config)
{
    return config->group_bytes % TP_JOURNAL_BLOCK == 0 &&
           config->group_bytes <= TP_JOURNAL_GROUP_MAX &&
           config->segment_bytes % TP_JOURNAL_BLOCK == 0 &&
           config->segment_bytes <= TP_JOURNAL_SEGMENT_MAX &&
           config->segment_bytes >= (uint64_t)config->group_bytes + TP_JOURNAL_BLOCK;
}

/* Cuts `len_bytes` off what is left of the journal's memory. */
static struct tp_buf cut(uint8_t **at, uint32_t len_bytes)
{
    struct tp_buf buf = tp_buf_empty(*at, len_bytes);

    *at += len_bytes;
    return buf;
}

int tp_journal_init(struct tp_journal *journal, const struct tp_journal_config *config)
{
    static const struct tp_journal empty;
    uint8_t *at;

    tp_assert(config->path != NULL);
    *journal = empty;
    journal->config = *config;
    set_defaults(&journal->config);
    if (!sizes_fit(&journal->config))
        return -EINVAL;
    journal->memory_bytes = (size_t)journal->config.group_bytes * 3 + ZEROS_BYTES +
                            (size_t)TP_JOURNAL_BLOCK * 2;
    journal->memory = tp_alloc(config->allocator, journal->memory_bytes, BUFFERS_ALIGN);
    if (journal->memory == NULL)
        return -ENOMEM;
    at = journal->memory;
    journal->spare.zeros = cut(&at, ZEROS_BYTES);
    journal->spare.block = cut(&at, TP_JOURNAL_BLOCK);
    journal->trimmer.block = cut(&at, TP_JOURNAL_BLOCK);
    journal->trimmer.window_buf = cut(&at, journal->config.group_bytes);
    for (uint32_t i = 0; i < 2; i++) {
        journal->batches[i].plain = cut(&at, journal->config.group_bytes);
        journal->batches[i].len = TP_JOURNAL_GROUP_HEADER;
    }
    return 0;
}

void tp_journal_deinit(struct tp_journal *journal)
{
    tp_assert(!tp_machine_alive(&journal->machine));
    tp_free(journal->config.allocator, journal->memory, journal->memory_bytes,
            BUFFERS_ALIGN);
    journal->memory = NULL;
    journal->phase = TP_JOURNAL_CLOSED;
}

struct tp_op(tp_journal_open)(struct tp_ctx *cx, struct tp_journal *journal)
{
    tp_assert(journal->memory != NULL && journal->phase == TP_JOURNAL_CLOSED);
    journal->recovery.reader = cx->self;
    return (tp_start)(cx, &journal->machine, tp_journal_tick, "journal");
}

void tp_journal_close(struct tp_journal *journal)
{
    journal->closing = true;
    if (journal->failure == 0)
        journal->failure = -ESHUTDOWN;
    tp_wait_list_wake_all(&journal->room);
    if (tp_machine_alive(&journal->machine))
        tp_wake(&journal->machine);
}

int32_t tp_journal_next(struct tp_journal *journal, struct tp_journal_record *ret_record)
{
    if (journal->failure < 0)
        return journal->failure == -EROFS && journal->result == 0 ? 0 : journal->failure;
    if (journal->phase == TP_JOURNAL_OPEN)
        return 0;
    return tp_journal_recovery_next(&journal->recovery, ret_record) ? 1 : -EAGAIN;
}

/* ------------------------------------------------------------------ appending */

uint32_t tp_journal_record_max(const struct tp_journal *journal)
{
    return journal->config.group_bytes - TP_JOURNAL_GROUP_HEADER - TP_JOURNAL_RECORD_HEADER;
}

static uint32_t blocks_of(uint32_t len_bytes)
{
    return tp_journal_padded(len_bytes) / TP_JOURNAL_BLOCK;
}

/* Blocks that a record takes when it is the only one of its group. */
static uint32_t blocks_alone(uint32_t len_bytes)
{
    return blocks_of(TP_JOURNAL_GROUP_HEADER + TP_JOURNAL_RECORD_HEADER + len_bytes);
}

/* 0 if a record of that length can be taken now: into the batch, and on disk. `reserving`:
 * not into this batch for sure, so that it may need a group of its own. */
static int32_t check_room(struct tp_journal *journal, uint32_t len_bytes, bool reserving)
{
    const struct tp_journal_batch *batch = tp_journal_filling(journal);
    uint32_t needed = TP_JOURNAL_RECORD_HEADER + len_bytes;
    uint64_t blocks;

    if (len_bytes > tp_journal_record_max(journal))
        return -EMSGSIZE;
    if (journal->failure < 0)
        return journal->failure;
    if (journal->phase != TP_JOURNAL_OPEN ||
        (uint64_t)batch->len + journal->reserved_bytes + needed >
            journal->config.group_bytes)
        return -EAGAIN;
    if (reserving)
        blocks = (batch->count > 0 ? blocks_of(batch->len) : 0) + blocks_alone(len_bytes);
    else
        blocks = blocks_of(batch->len + needed);
    return tp_journal_space(journal, blocks);
}

static int32_t ask_room(struct tp_ctx *cx, struct tp_journal *journal,
                        struct tp_waiter *waiter, uint32_t len_bytes, bool reserving)
{
    int32_t error = check_room(journal, len_bytes, reserving);

    if (error != 0 && tp_cancelled(cx))
        error = -ECANCELED;
    if (error == -EAGAIN)
        journal->stats.waits_for_room++;
    if (waiter == NULL)
        return error;
    if (waiter->list != &journal->room || error != -EAGAIN)
        tp_wait_list_leave(waiter);
    if (error == -EAGAIN && waiter->list == NULL) {
        tp_wait_list_join(cx, &journal->room, waiter);
        if (journal->config.pace_ns != 0 || journal->gather_ns != 0)
            tp_wake(&journal->machine); /* the batch is due now */
    }
    return error;
}

static uint64_t put(struct tp_journal *journal, const void *bytes, uint32_t len_bytes)
{
    struct tp_journal_batch *batch = tp_journal_filling(journal);
    uint8_t *data = batch->registered != NULL ? batch->registered->data : batch->plain.data;

    tp_assert(batch->len + TP_JOURNAL_RECORD_HEADER + len_bytes <=
              journal->config.group_bytes);
    tp_journal_record_encode(data + batch->len, bytes, len_bytes);
    batch->len += TP_JOURNAL_RECORD_HEADER + len_bytes;
    batch->count++;
    journal->stats.records++;
    journal->stats.bytes += len_bytes;
    if (batch->count == 1 || tp_journal_is_due(journal))
        tp_wake(&journal->machine);
    return ++journal->lsn;
}

int32_t tp_journal_append(struct tp_ctx *cx, struct tp_journal *journal,
                          struct tp_waiter *waiter, const void *bytes, uint32_t len_bytes,
                          uint64_t *ret_lsn)
{
    int32_t error = ask_room(cx, journal, waiter, len_bytes, false);

    if (error < 0)
        return error;
    *ret_lsn = put(journal, bytes, len_bytes);
    return 0;
}

int32_t tp_journal_reserve(struct tp_ctx *cx, struct tp_journal *journal,
                           struct tp_waiter *waiter, uint32_t len_bytes)
{
    int32_t error = ask_room(cx, journal, waiter, len_bytes, true);

    if (error < 0)
        return error;
    journal->reserved_bytes += TP_JOURNAL_RECORD_HEADER + len_bytes;
    journal->reserved_blocks += blocks_alone(len_bytes);
    return 0;
}

static void use_reservation(struct tp_journal *journal, uint32_t len_bytes)
{
    tp_assert(journal->reserved_bytes >= TP_JOURNAL_RECORD_HEADER + len_bytes);
    tp_assert(journal->reserved_blocks >= blocks_alone(len_bytes));
    journal->reserved_bytes -= TP_JOURNAL_RECORD_HEADER + len_bytes;
    journal->reserved_blocks -= blocks_alone(len_bytes);
}

int32_t tp_journal_append_reserved(struct tp_journal *journal, uint32_t reserved_bytes,
                                   const void *bytes, uint32_t len_bytes, uint64_t *ret_lsn)
{
    tp_assert(len_bytes <= reserved_bytes);
    use_reservation(journal, reserved_bytes);
    if (journal->failure < 0)
        return journal->failure;
    *ret_lsn = put(journal, bytes, len_bytes);
    return 0;
}

void tp_journal_unreserve(struct tp_journal *journal, uint32_t len_bytes)
{
    use_reservation(journal, len_bytes);
    tp_wait_list_wake_all(&journal->room);
}

/* ------------------------------------------------------------------ waiting */

int32_t tp_journal_wait(struct tp_ctx *cx, struct tp_journal *journal,
                        struct tp_waiter *waiter, uint64_t lsn)
{
    struct tp_journal_batch *batch = tp_journal_filling(journal);
    int32_t error = -EAGAIN;

    tp_assert(lsn <= journal->lsn);
    if (lsn <= journal->durable_lsn)
        error = 0;
    else if (journal->phase == TP_JOURNAL_ENDING || journal->phase == TP_JOURNAL_ENDED)
        error = journal->failure;
    else if (tp_cancelled(cx))
        error = -ECANCELED;
    else if (journal->flying && lsn <= journal->flying_lsn)
        batch = tp_journal_flying(journal);
    if (waiter->list != &batch->durable || error != -EAGAIN)
        tp_wait_list_leave(waiter);
    if (error == -EAGAIN && waiter->list == NULL) {
        tp_wait_list_join(cx, &batch->durable, waiter);
        if (journal->config.pace_ns != 0)
            tp_wake(&journal->machine); /* the batch is due now */
    }
    return error;
}

uint64_t tp_journal_lsn(const struct tp_journal *journal)
{
    return journal->lsn;
}

uint64_t tp_journal_durable_lsn(const struct tp_journal *journal)
{
    return journal->durable_lsn;
}

void tp_journal_trim(struct tp_journal *journal, uint64_t keep_lsn)
{
    if (keep_lsn <= journal->keep_lsn)
        return;
    journal->keep_lsn = keep_lsn;
    if (tp_machine_alive(&journal->machine))
        tp_wake(&journal->machine);
}

/* ------------------------------------------------------------------ reports */

int32_t tp_journal_failure(const struct tp_journal *journal)
{
    return journal->failure;
}

const struct tp_journal_problem *tp_journal_problem(const struct tp_journal *journal)
{
    return &journal->problem;
}

void tp_journal_problem_print(const struct tp_journal *journal, char *ret_text,
                              size_t size_bytes)
{
    const struct tp_journal_problem *problem = &journal->problem;
    char name[TP_JOURNAL_NAME_SIZE];

    tp_assert(size_bytes > 0);
    if (problem->error == 0) {
        ret_text[0] = '\0';
        return;
    }
    if (problem->segment == 0) {
        (void)snprintf(ret_text, size_bytes, "%s: %s: %s", journal->config.path,
                       problem->what, tp_errno_name(problem->error));
        return;
    }
    tp_journal_name(problem->segment, name);
    (void)snprintf(ret_text, size_bytes, "%s/%s: offset %" PRIu64 ": %s: %s",
                   journal->config.path, name, problem->offset, problem->what,
                   tp_errno_name(problem->error));
}

struct tp_journal_halt tp_journal_torn(const struct tp_journal *journal)
{
    return journal->recovery.torn;
}

const struct tp_journal_stats *tp_journal_stats(const struct tp_journal *journal)
{
    return &journal->stats;
}
