/* What the program has read and relied on, in the run with all stages of its operations:
 * the first that is not what had been written; or, where all of it is, whose it was. */
#include "apps/sim/explain_internal.h"

#include <string.h>

#include "apps/sim/sim_internal.h"

/* Where the process is at its end that this is about, and whose it is. */
static uint32_t find_end(const struct tp_explain *explain,
                         const struct tp_recorder *recorder, uint32_t *ret_node)
{
    const struct tp_explained_wait *wait = &explain->waits[0];
    const uint32_t known[] = {explain->noticed.node, explain->read.node,
                              explain->where.node, explain->failed.node};
    uint32_t verdict = tp_explain_find_verdict(recorder->records, recorder->count), end;

    *ret_node = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known && *ret_node == 0; i++)
        *ret_node = known[i];
    if (explain->wait_count == 0 || wait->record.kind != TP_FACT_END)
        return verdict;
    *ret_node = wait->record.node;
    end = tp_record_last(recorder->records, verdict, TP_FACT_END, *ret_node);
    return end == 0 ? verdict : end - 1;
}

/* Whether a read is of the file that the explanation is about, if it is about one. */
static bool is_about(const struct tp_explain *explain, const struct tp_record *read)
{
    const struct tp_record *matter =
        explain->how == TP_EXPLAINED_TORN     ? &explain->barriers[0].after
        : explain->how == TP_EXPLAINED_CHOICE ? &explain->where
                                              : &explain->failed;
    bool is_known = matter->text[0] == '/' && strchr(matter->text, ' ') == NULL &&
                    (explain->how != TP_EXPLAINED_CHOICE || explain->event.text[0] == '\0');

    return !is_known || strcmp(matter->text, read->text) == 0;
}

static void add_source(struct tp_explain *explain, const struct tp_recorder *recorder,
                       const struct tp_record *read)
{
    const struct tp_record *write = &recorder->records[read->found.latest - 1];

    for (uint32_t i = 0; i < explain->source_count; i++) {
        if (strcmp(explain->sources[i].read.text, read->text) == 0)
            return;
    }
    if (explain->source_count < TP_EXPLAIN_SOURCES)
        explain->sources[explain->source_count++] =
            (struct tp_explained_source){*read, *write};
}

void tp_explain_read(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    uint32_t node, end = find_end(explain, recorder, &node);
    uint32_t boot = tp_record_last(recorder->records, end, TP_FACT_BOOT, node);

    /* Of a long run not all is kept: its end is not. */
    if (tp_explain_is_cut_off(explain) || recorder->dropped > 0 || boot == 0)
        return;
    for (uint32_t i = boot; i < end; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind != TP_FACT_OPERATION || record->node != node ||
            record->file == NULL)
            continue;
        if (record->found.differs > 0 && is_about(explain, record)) {
            explain->doubtful = *record;
            explain->written = recorder->records[record->found.writer - 1];
            explain->source_count = 0;
            return;
        }
        if (record->found.latest > 0 && record->found.differs == 0 && explain->in_recovery)
            add_source(explain, recorder, record);
    }
    if (explain->source_count == 1 && explain->how != TP_EXPLAINED_RESTART)
        explain->source_count = 0;
}
