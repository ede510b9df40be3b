/* Ghosts that are tried on several processors: each as if those before it did not heal. */
#include "apps/sim/crew.h"
#include "apps/sim/explain_internal.h"

struct came_to {
    bool heals;
    uint64_t runs;
    int error;
};

/* What the search stood at when the tries were counted: it goes on while children work. */
struct ahead {
    struct tp_explain_search *s;
    uint32_t tried_before;
};

/* In a child: its trial has memory of its own. */
static void work(void *context, uint64_t unit, void *ret_result)
{
    const struct ahead *ahead = context;
    struct tp_explain_search *s = ahead->s;
    struct came_to *came_to = ret_result;
    enum tp_explain_tried tried = TP_TRIED_SO_FAR;
    uint64_t before = s->explain->runs;
    struct tp_trial trial;

    s->tried = ahead->tried_before;
    tp_explain_choose_ghosts(s, (uint32_t)unit);
    came_to->error = tp_trial_open(&trial, &s->explain->trial->job);
    if (came_to->error < 0)
        return;
    trial.hang_ns = s->explain->trial->hang_ns;
    s->explain->trial = &trial;
    while (tried == TP_TRIED_SO_FAR && s->error == 0)
        tried = tp_explain_try(s);
    came_to->heals = s->error == 0 && tried == TP_TRIED_HEALS;
    came_to->runs = s->explain->runs - before;
    came_to->error = s->error;
}

static bool take(void *context, uint64_t unit, const void *result)
{
    const struct ahead *ahead = context;
    struct tp_explain_search *s = ahead->s;
    const struct came_to *came_to = result;

    (void)unit;
    s->error = came_to->error;
    s->explain->runs += came_to->runs;
    return s->error == 0 && tp_explain_tried(s, came_to->heals) &&
           tp_host_now_ns() < s->explain->until_ns;
}

static void show(void *context)
{
    const struct ahead *ahead = context;

    if (ahead->s->explain->progress != NULL)
        ahead->s->explain->progress(ahead->s->explain->context, ahead->s->explain);
}

void tp_explain_ahead(struct tp_explain *explain)
{
    struct tp_explain_search *s = explain->search;
    struct ahead ahead = {.s = s};
    struct tp_crew crew = {.jobs = explain->jobs,
                           .result_bytes = sizeof(struct came_to),
                           .work = work,
                           .take = take,
                           .progress = show,
                           .context = &ahead};
    int error;

    while (explain->jobs > 1 && s->error == 0 && tp_host_now_ns() < explain->until_ns &&
           s->stage >= TP_STAGE_ONE && s->stage <= TP_STAGE_EARLIEST) {
        ahead.tried_before = s->tried;
        crew.units = tp_explain_tries(s);
        error = tp_crew_run(&crew);
        s->error = s->error == 0 ? error : s->error;
    }
    if (s->error == 0)
        return;
    tp_explain_end_ghosts(s);
    s->stage = TP_STAGE_OVER;
}
