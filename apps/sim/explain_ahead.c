/* Ghosts that are tried on several processors: each as if those before it did not heal. */
#include "apps/sim/crew.h"
#include "apps/sim/explain_internal.h"

struct ahead {
    struct tp_explain_search *s;
    uint32_t pairs_of; /* of the first so many candidates, two at once; 0: one by one */
    uint32_t first, second; /* of the one that heals */
    bool found;
};

struct tried {
    bool heals;
    uint64_t runs;
    int error;
};

/* The candidates of a unit: from where the search stands. */
static void find_candidates(const struct ahead *ahead, uint64_t unit, uint32_t *ret_first,
                            uint32_t *ret_second)
{
    uint32_t first = 0, second = 1;

    if (ahead->pairs_of == 0) {
        *ret_first = ahead->s->first + (uint32_t)unit;
        *ret_second = *ret_first;
        return;
    }
    for (; unit > 0; unit--) {
        second++;
        if (second == ahead->pairs_of)
            second = ++first + 1;
    }
    *ret_first = first;
    *ret_second = second;
}

/* In a child: its trial has memory of its own. */
static void work(void *context, uint64_t unit, void *ret_result)
{
    const struct ahead *ahead = context;
    struct tp_explain_search *s = ahead->s;
    struct tried *tried = ret_result;
    enum tp_explain_tried came_to = TP_TRIED_SO_FAR;
    struct tp_ghost ghosts[2];
    uint64_t before = s->explain->runs;
    uint32_t first, second;
    struct tp_trial trial;

    find_candidates(ahead, unit, &first, &second);
    ghosts[0] = s->candidates[first].ghost;
    ghosts[1] = s->candidates[second].ghost;
    tried->error = tp_trial_open(&trial, &s->explain->trial->job);
    if (tried->error < 0)
        return;
    trial.hang_ns = s->explain->trial->hang_ns;
    s->explain->trial = &trial;
    while (came_to == TP_TRIED_SO_FAR && s->error == 0)
        came_to = tp_explain_try(s, ghosts, ahead->pairs_of == 0 ? 1 : 2);
    tried->heals = s->error == 0 && came_to == TP_TRIED_HEALS;
    tried->runs = s->explain->runs - before;
    tried->error = s->error;
}

static bool take(void *context, uint64_t unit, const void *result)
{
    struct ahead *ahead = context;
    struct tp_explain_search *s = ahead->s;
    const struct tried *tried = result;

    s->error = tried->error;
    s->explain->runs += tried->runs;
    if (tried->heals) {
        find_candidates(ahead, unit, &ahead->first, &ahead->second);
        ahead->found = true;
    }
    return s->error == 0 && !ahead->found && tp_host_now_ns() < s->explain->until_ns;
}

static void show(void *context)
{
    const struct ahead *ahead = context;

    if (ahead->s->explain->progress != NULL)
        ahead->s->explain->progress(ahead->s->explain->context, ahead->s->explain);
}

static uint64_t count_units(const struct ahead *ahead)
{
    uint64_t pairs_of = ahead->pairs_of;

    if (pairs_of == 0)
        return ahead->s->candidate_count - ahead->s->first;
    return pairs_of * (pairs_of - 1) / 2;
}

/* All of the stage. */
static void try_stage(struct tp_explain_search *s)
{
    struct ahead ahead = {.s = s};
    struct tp_crew crew = {.jobs = s->explain->jobs,
                           .result_bytes = sizeof(struct tried),
                           .work = work,
                           .take = take,
                           .progress = show,
                           .context = &ahead};
    int error;

    if (s->stage == TP_STAGE_TWO)
        ahead.pairs_of = tp_explain_pairs_of(s);
    crew.units = count_units(&ahead);
    error = tp_crew_run(&crew);
    if (s->error == 0)
        s->error = error;
    if (s->error < 0)
        s->stage = TP_STAGE_OVER;
    else if (ahead.found)
        tp_explain_healed(s, ahead.first, ahead.second);
    else
        tp_explain_none_healed(s);
}

void tp_explain_ahead(struct tp_explain *explain)
{
    struct tp_explain_search *s = explain->search;

    if (explain->jobs < 2)
        return;
    while (s->stage == TP_STAGE_ONE || s->stage == TP_STAGE_TWO)
        try_stage(s);
}
