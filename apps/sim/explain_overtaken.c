/* Whether order alone would have healed: an operation was under way when what depends on it
 * was begun, a barrier on the same object or a promise, which overtook it. */
#include "apps/sim/explain_internal.h"
#include "apps/sim/sim_internal.h"

/* A change of files or names, done or not. */
static bool may_change(const struct tp_record *record)
{
    switch (record->op) {
    case TP_OPEN:
    case TP_WRITE:
    case TP_TRUNCATE:
    case TP_FALLOCATE:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR:
    case TP_REMOVE_DIR:
    case TP_SYMLINK:
        return true;
    default:
        return false;
    }
}

static bool is_stage(const struct tp_record *record, uint32_t node,
                     enum tp_virtual_stage stage)
{
    return record->kind == TP_FACT_OPERATION && record->node == node &&
           record->stage == (uint32_t)stage;
}

/* ------------------------------------------------------------------ by a barrier */

/* The change after which a ghost heals: the program's own barrier was begun while it was
 * under way. Begun behind it, that would be where the ghost is, or later. */
const struct tp_record *
tp_explain_overtaking_barrier(const struct tp_explained_barrier *missing,
                              const struct tp_recorder *recorder)
{
    const struct tp_record *after = &missing->after;
    uint32_t begun = recorder->count, end;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (is_stage(record, after->node, TP_VIRTUAL_BEGUN) &&
            record->handle == after->handle)
            begun = i;
        if (is_stage(record, after->node, TP_VIRTUAL_EFFECT) &&
            record->effect == after->effect)
            break;
    }
    if (begun == recorder->count)
        return NULL;
    end = tp_record_end_of(recorder->records, recorder->count, begun, TP_VIRTUAL_COMPLETED);
    for (uint32_t i = begun + 1; i < end; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (tp_explain_is_barrier(record, after) && record->stage == TP_VIRTUAL_BEGUN)
            return record;
    }
    return NULL;
}

/* ------------------------------------------------------------------ by a promise */

/* Whether its process's end may have left it undone, which is a choice then. */
static bool may_be_undone(const struct tp_record *record)
{
    switch (record->op) {
    case TP_FSYNC:
    case TP_SYNC_DIR:
    case TP_CREATE_DIR_ALL:
    case TP_SET_MODE:
    case TP_LISTEN:
    case TP_SEND:
    case TP_SEND_BUFS:
    case TP_SEND_TO:
    case TP_SHUTDOWN:
        return true;
    default:
        return may_change(record);
    }
}

/* Where the process ended of which the choice says what it left: draws for that come behind
 * it. The count: nowhere. */
static uint32_t find_cut(const struct tp_explain *explain,
                         const struct tp_recorder *recorder, uint32_t node)
{
    uint32_t found = recorder->count;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind == TP_FACT_END && record->node == node &&
            record->crash <= explain->choice_index)
            found = i;
    }
    return found;
}

/* The only operation of a node that was in flight when that process of it ended; the count:
 * there are more, or none. All of them are noted, as far as there is room. */
static uint32_t find_undone(struct tp_explain *explain, const struct tp_recorder *recorder,
                            uint32_t node)
{
    uint32_t found = recorder->count, cut = find_cut(explain, recorder, node);

    for (uint32_t begun = 0; begun < recorder->count; begun++) {
        const struct tp_record *operation = &recorder->records[begun];
        uint32_t end;

        if (!is_stage(operation, node, TP_VIRTUAL_BEGUN) || !may_be_undone(operation))
            continue;
        end =
            tp_record_end_of(recorder->records, recorder->count, begun, TP_VIRTUAL_EFFECT);
        if (end == recorder->count || end != cut)
            continue;
        found = explain->undone_count == 0 ? begun : recorder->count;
        if (explain->undone_count < TP_EXPLAIN_UNDONE)
            explain->undone[explain->undone_count++] = *operation;
    }
    return found;
}

/* The run passes if an operation that was in flight at the end of a process had happened.
 * Which one is not known if there are several, and then that is all that is said: others
 * may be promised while it is under way. What is promised in the tick that submits it is
 * told before it begins: that may be right, and is not blamed. */
bool tp_explain_overtaken_by_promise(struct tp_explain *explain,
                                     const struct tp_recorder *recorder)
{
    uint32_t node = explain->choice_stream / TP_CONCERNS, begun, end;

    if (explain->choice.kind != TP_DRAW_CUT_OP || recorder->dropped > 0)
        return false;
    begun = find_undone(explain, recorder, node);
    if (begun == recorder->count || !may_change(&recorder->records[begun]))
        return false;
    end = tp_record_end_of(recorder->records, recorder->count, begun, TP_VIRTUAL_EFFECT);
    for (uint32_t i = begun + 1; i < end; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind != TP_FACT_PROMISE || record->node != node)
            continue;
        explain->how = TP_EXPLAINED_WAIT;
        explain->failed = recorder->records[begun];
        explain->overtakes = *record;
        return true;
    }
    return false;
}
