/* A node that is cut off, and goes on to talk to others: whether that is what it takes. */
#include "apps/sim/explain_internal.h"

/* A message of the node from there on, by its number; NULL: there are not so many. */
static const struct tp_record *find_sent(const struct tp_explain_search *s, uint32_t number,
                                         uint32_t *ret_count)
{
    uint32_t from = tp_explain_find_cut_off(s->explain, s->records, s->record_count);

    *ret_count = 0;
    for (uint32_t i = from; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->kind == TP_FACT_VERDICT)
            break;
        if (record->kind != TP_FACT_OPERATION ||
            record->node != s->records[from].detail + 1 || record->result <= 0 ||
            (record->op != TP_SEND && record->op != TP_SEND_BUFS &&
             record->op != TP_SEND_TO))
            continue;
        if ((*ret_count)++ == number)
            return record;
    }
    return NULL;
}

void tp_explain_begin_mute(struct tp_explain_search *s)
{
    uint32_t count = 0;

    s->stage = TP_STAGE_OVER;
    if (!tp_explain_is_cut_off(s->explain))
        return;
    (void)find_sent(s, UINT32_MAX, &count);
    s->mute_low = 0;
    s->mute_high = count;
    if (count > 0)
        s->stage = TP_STAGE_MUTE;
}

/* From the first message on; if it passes then, from the middle one of those of which it is
 * not known, until the last one is found from which on it passes. */
void tp_explain_mute(struct tp_explain_search *s)
{
    bool is_first = s->explain->told.file == NULL;
    uint32_t number = is_first ? 0 : s->mute_low + (s->mute_high - s->mute_low) / 2;
    uint32_t count;
    const struct tp_record *sent = find_sent(s, number, &count);
    struct tp_ghost ghost = {.mutes = true};

    tp_assert(sent != NULL && s->mute_low < s->mute_high);
    ghost.node = sent->node - 1;
    ghost.effect = sent->effect;
    if (tp_explain_passes(s, &ghost, 1, 0)) {
        s->mute_low = number;
        s->explain->told = *sent;
    } else {
        s->mute_high = number;
    }
    if (s->explain->told.file == NULL || s->mute_high - s->mute_low < 2)
        s->stage = TP_STAGE_OVER;
}
