/* What the program did with what was found, and what its nodes wait for when the run fails;
 * from the run with all stages of its operations. */
#include "apps/sim/explain_internal.h"

#include <string.h>

#include "apps/sim/sim_internal.h"

static bool is_operation(const struct tp_record *record, enum tp_virtual_stage stage)
{
    return record->kind == TP_FACT_OPERATION && record->stage == (uint32_t)stage;
}

static bool is_at_site(const struct tp_record *record, const struct tp_record *other)
{
    return record->line == other->line && record->op == other->op &&
           strcmp(record->file, other->file) == 0;
}

/* Of the program's own lines: not what ready-made machines do behind it. */
static bool has_site(const struct tp_record *record)
{
    return record->file != NULL && !tp_watch_is_ready_made(record->file);
}

/* ------------------------------------------------------------------ what it did with it */

/* What it is that the program has done something with; NULL: nothing. */
static const struct tp_record *find_matter(const struct tp_explain *explain)
{
    bool is_read = explain->how == TP_EXPLAINED_TORN && explain->read.file != NULL;
    bool is_struck = explain->how == TP_EXPLAINED_CHOICE && explain->where.file != NULL &&
                     explain->event.text[0] == '\0';

    if (explain->how == TP_EXPLAINED_UNHEARD || explain->how == TP_EXPLAINED_ERROR)
        return &explain->failed;
    if (is_read)
        return &explain->read;
    return is_struck ? &explain->where : NULL;
}

/* Where an operation has completed, behind which the program goes on; `end`: nowhere. */
static uint32_t find_completed(const struct tp_recorder *recorder, uint32_t end,
                               const struct tp_record *matter)
{
    bool is_behind = false;

    for (uint32_t i = 0; i < end; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind != TP_FACT_OPERATION || record->node != matter->node ||
            record->handle != matter->handle)
            continue;
        is_behind =
            is_behind || (record->stage == matter->stage && record->at_ns == matter->at_ns);
        if (is_behind && record->stage == TP_VIRTUAL_COMPLETED)
            return i;
    }
    return end;
}

/* What came of an operation that has begun. */
static void note_result(const struct tp_recorder *recorder, uint32_t begun, uint32_t end,
                        struct tp_record *ret_next)
{
    uint32_t at = tp_record_end_of(recorder->records, end, begun, TP_VIRTUAL_COMPLETED);
    bool has_completed = at < end && recorder->records[at].kind == TP_FACT_OPERATION;

    *ret_next = recorder->records[has_completed ? at : begun];
}

/* The next operation that the same machine begins, from another line if it goes on with
 * what it has read; or the end of the process, if that comes first and is its own. Any
 * machine's, where that one does nothing any more. */
static void note_next(struct tp_explain *explain, const struct tp_recorder *recorder,
                      uint32_t from, uint32_t end, const struct tp_record *matter)
{
    bool is_read = explain->how == TP_EXPLAINED_TORN || explain->how == TP_EXPLAINED_CHOICE;
    uint32_t other = end;

    for (uint32_t i = from + 1; i < end; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->node != matter->node)
            continue;
        if (record->kind == TP_FACT_PROMISE && explain->promise.text[0] == '\0')
            explain->promise = *record;
        if (record->kind == TP_FACT_END) {
            if (explain->next.node == 0 && other == end && record->text[0] != '\0')
                explain->next = *record;
            break;
        }
        if (!is_operation(record, TP_VIRTUAL_BEGUN) || !has_site(record) ||
            (is_read && is_at_site(record, matter)))
            continue;
        if (record->machine == matter->machine && explain->next.node == 0)
            note_result(recorder, i, end, &explain->next);
        other = other == end ? i : other;
    }
    if (explain->next.node == 0 && other < end)
        note_result(recorder, other, end, &explain->next);
}

/* Whether that is another sync of the file, which says 0: of a directory, which nothing is
 * written to, it may be believed. */
static bool is_believed(const struct tp_explain *explain,
                        const struct tp_recorder *recorder)
{
    const struct tp_record *failed = &explain->failed, *next = &explain->next;
    bool is_again = failed->op == TP_FSYNC && failed->result < 0 &&
                    next->kind == TP_FACT_OPERATION && next->op == TP_FSYNC &&
                    next->node == failed->node && next->inode == failed->inode &&
                    next->result == 0;

    for (uint32_t i = 0; i < recorder->count && is_again; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (is_operation(record, TP_VIRTUAL_EFFECT) && record->op == TP_WRITE &&
            record->node == failed->node && record->inode == failed->inode)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ where it failed */

/* A check fails in a tick, and what has completed in the same moment has brought that tick
 * about. */
static void note_noticed(struct tp_explain *explain, const struct tp_recorder *recorder,
                         uint32_t verdict)
{
    const struct tp_record *failed = &recorder->records[verdict];

    if (failed->detail != TP_VERDICT_FAILED)
        return;
    for (uint32_t i = verdict; i > 0; i--) {
        const struct tp_record *record = &recorder->records[i - 1];

        if (record->at_ns != failed->at_ns || record->kind == TP_FACT_PHASE)
            return;
        if (is_operation(record, TP_VIRTUAL_COMPLETED) && has_site(record)) {
            explain->noticed = *record;
            return;
        }
    }
}

/* ------------------------------------------------------------------ what it waits for */

static bool is_room(const struct tp_explain *explain)
{
    return explain->wait_count < TP_EXPLAIN_WAITS;
}

/* Adds it, or counts it once more. One that is open is not told of a line of which one that
 * failed is. */
static void add_wait(struct tp_explain *explain, const struct tp_record *record)
{
    for (uint32_t i = 0; i < explain->wait_count; i++) {
        struct tp_explained_wait *wait = &explain->waits[i];

        if (wait->record.kind == TP_FACT_OPERATION && wait->record.node == record->node &&
            is_at_site(&wait->record, record)) {
            wait->times += wait->record.stage == record->stage &&
                           wait->record.result == record->result;
            return;
        }
    }
    if (is_room(explain))
        explain->waits[explain->wait_count++] =
            (struct tp_explained_wait){.record = *record, .times = 1};
}

/* What a server does when all is well comes last, what others were to send first. */
static uint32_t order_of(const struct tp_record *record)
{
    switch (record->op) {
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_RECV_FROM:
        return 0;
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
        return 2;
    default:
        return 1;
    }
}
enum { ORDERS = 3 };

/* Of a node, from a fact on, what others should have made succeed, and has failed. */
static void note_vain(struct tp_explain *explain, const struct tp_recorder *recorder,
                      uint32_t from, uint32_t verdict, uint32_t node)
{
    for (uint32_t order = 0; order < ORDERS; order++) {
        for (uint32_t i = from; i < verdict; i++) {
            const struct tp_record *record = &recorder->records[i];

            if (record->node == node && is_operation(record, TP_VIRTUAL_COMPLETED) &&
                has_site(record) && record->result < 0 && order_of(record) == order &&
                (tp_kind_info[record->op].traits & TP_WAITS) != 0)
                add_wait(explain, record);
        }
    }
}

/* And what nothing has come of. */
static void note_open(struct tp_explain *explain, const struct tp_recorder *recorder,
                      uint32_t verdict, uint32_t node)
{
    for (uint32_t order = 0; order < ORDERS; order++) {
        for (uint32_t i = 0; i < verdict; i++) {
            const struct tp_record *record = &recorder->records[i];

            if (record->node == node && is_operation(record, TP_VIRTUAL_BEGUN) &&
                has_site(record) && order_of(record) == order &&
                tp_record_end_of(recorder->records, verdict, i, TP_VIRTUAL_COMPLETED) ==
                    verdict)
                add_wait(explain, record);
        }
    }
}

/* The links, or how they are cut: the node that this is about waits for others. */
static void note_cut_off(struct tp_explain *explain, const struct tp_recorder *recorder,
                         uint32_t verdict)
{
    uint32_t from = tp_explain_find_cut_off(explain, recorder->records, verdict);
    uint32_t node;

    if (from == verdict)
        return;
    node = recorder->records[from].detail + 1;
    note_vain(explain, recorder, from, verdict, node);
    note_open(explain, recorder, verdict, node);
}

/* A node that is down: its last ends, if they are all alike, and what it had done last. */
static void note_ends(struct tp_explain *explain, const struct tp_recorder *recorder,
                      uint32_t end)
{
    const struct tp_record *last = &recorder->records[end];
    struct tp_explained_wait *wait = &explain->waits[explain->wait_count++];

    *wait = (struct tp_explained_wait){.record = *last};
    for (uint32_t i = end + 1; i > 0; i--) {
        const struct tp_record *record = &recorder->records[i - 1];

        if (record->node != last->node)
            continue;
        if (record->kind == TP_FACT_END && strcmp(record->text, last->text) != 0)
            return;
        wait->times += record->kind == TP_FACT_END;
        if (wait->last.file == NULL && is_operation(record, TP_VIRTUAL_COMPLETED) &&
            has_site(record))
            wait->last = *record;
    }
}

/* The work did not get done: of each node, why. */
static void note_stuck(struct tp_explain *explain, const struct tp_recorder *recorder,
                       uint32_t verdict)
{
    for (uint32_t node = 1; node <= TP_EXPLAIN_NODES && is_room(explain); node++) {
        for (uint32_t i = verdict; i > 0; i--) {
            const struct tp_record *record = &recorder->records[i - 1];

            if (record->node != node ||
                (record->kind != TP_FACT_END && record->kind != TP_FACT_BOOT))
                continue;
            if (record->kind == TP_FACT_BOOT)
                note_open(explain, recorder, verdict, node);
            else if (record->text[0] != '\0')
                note_ends(explain, recorder, i - 1);
            break;
        }
    }
}

/* ------------------------------------------------------------------ all of it */

bool tp_explain_is_cut_off(const struct tp_explain *explain)
{
    return explain->how == TP_EXPLAINED_CHOICE && explain->event.text[0] != '\0' &&
           explain->event.node == 0;
}

uint32_t tp_explain_find_cut_off(const struct tp_explain *explain,
                                 const struct tp_record *records, uint32_t count)
{
    uint32_t at = 0;

    while (at < count && (records[at].kind != TP_FACT_EVENT || records[at].node != 0 ||
                          records[at].at_ns != explain->event.at_ns))
        at++;
    return at;
}

uint32_t tp_explain_find_verdict(const struct tp_record *records, uint32_t count)
{
    uint32_t at = 0;

    while (at < count && records[at].kind != TP_FACT_VERDICT)
        at++;
    return at;
}

void tp_explain_after(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    const struct tp_record *matter = find_matter(explain);
    uint32_t verdict = tp_explain_find_verdict(recorder->records, recorder->count);
    uint32_t at;

    /* One that ended in a crash has no verdict, and of a long one not all is kept. */
    if (matter != NULL) {
        at = find_completed(recorder, verdict, matter);
        if (at < verdict)
            note_next(explain, recorder, at, verdict, matter);
        explain->is_believed = is_believed(explain, recorder);
    }
    if (verdict == recorder->count)
        return;
    note_noticed(explain, recorder, verdict);
    if (recorder->records[verdict].detail == TP_VERDICT_DEADLOCK ||
        recorder->records[verdict].detail == TP_VERDICT_LIVENESS)
        note_stuck(explain, recorder, verdict);
    else if (tp_explain_is_cut_off(explain))
        note_cut_off(explain, recorder, verdict);
}
