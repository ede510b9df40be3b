#include "journal_survey.h"

#include <errno.h>

#include "runtime/await.h"
#include "sm/journal_format.h"

static void note_names(struct tp_journal_survey *s)
{
    const struct tp_dir_entry *entry = NULL;

    while ((entry = tp_dir_next(&s->buf, entry)) != NULL) {
        uint64_t number = tp_journal_name_number(tp_dir_entry_name(entry));

        if (number == 0)
            continue;
        if (s->lowest == 0 || number < s->lowest)
            s->lowest = number;
        if (number > s->highest)
            s->highest = number;
    }
}

static enum tp_step survey_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_survey *s =
        tp_container_of(machine, struct tp_journal_survey, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT(cx, tp_list_dir(cx, s->dir, &s->buf), &result);
        if (result.value <= 0)
            return tp_end(machine, result.value);
        note_names(s);
    }
    TP_END(cx);
}

struct tp_op tp_journal_survey_start(struct tp_ctx *cx, struct tp_journal_survey *survey)
{
    tp_assert(survey->buf.capacity >= TP_JOURNAL_BLOCK);
    survey->lowest = survey->highest = 0;
    return (tp_start)(cx, &survey->machine, survey_tick, "journal-survey");
}
