#include "apps/sim/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "apps/sim/crew.h"
#include "apps/sim/cuts.h"
#include "apps/sim/sim_internal.h"
#include "apps/sim/sweep_internal.h"

#define ALL_FAMILIES ((UINT32_C(1) << TP_FAMILIES) - 1)

/* The units of one round: first cuts, or second ones. */
struct round {
    struct tp_sweep *sweep;
    struct tp_sweep_unit *units;
    uint64_t count, capacity;
    struct tp_sweep_count *sum;
    struct round *next; /* what the units of this one add to; NULL: nothing */
    int error;
};

void tp_sweep_options(struct tp_sim_options *options)
{
    options->families_on = TP_FAMILY_BIT(TP_FAMILY_POWER);
    options->families_off = ALL_FAMILIES & ~options->families_on;
}

/* ------------------------------------------------------------------ units */

static int add_unit(struct round *round, uint32_t node, uint64_t first,
                    struct tp_sweep_kept *kept)
{
    struct tp_sweep_unit *units = round->units;

    if (round->count == round->capacity) {
        round->capacity = round->capacity == 0 ? 64 : round->capacity * 2;
        units = realloc(units, (size_t)round->capacity * sizeof *units);
        if (units == NULL)
            return -ENOMEM;
        round->units = units;
    }
    units[round->count++] = (struct tp_sweep_unit){node, first, kept};
    return 0;
}

/* A set behind which there are second cuts: its draws are kept until these are done. */
static int add_kept(struct round *round, const struct tp_sweep_cut *cut,
                    const struct tp_sweep_kept *kept)
{
    size_t bytes =
        offsetof(struct tp_sweep_kept, draws) + kept->count * sizeof *kept->draws;
    struct tp_sweep_kept *copy = malloc(bytes);
    uint64_t most = kept->recovery;
    int error;

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, kept, bytes);
    if (most > TP_SWEEP_SECOND_MAX) {
        round->sweep->not_recovered += most - TP_SWEEP_SECOND_MAX;
        most = TP_SWEEP_SECOND_MAX;
    }
    round->sum->places += most;
    error = add_unit(round, cut->node, cut->first, copy);
    if (error < 0)
        free(copy);
    return error;
}

static void clear(struct round *round)
{
    for (uint64_t i = 0; i < round->count; i++)
        free(round->units[i].kept);
    free(round->units);
}

/* ------------------------------------------------------------------ what they come to */

/* The first failure once more, here: what was drawn is its tape. */
static int save_tape(struct tp_sweep *sweep, const struct tp_sweep_result *result)
{
    const struct tp_sweep_cut *cut = &result->failed;
    uint32_t stream = tp_stream(cut->node + 1, TP_CONCERN_CRASH);
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    int error;

    if (result->failed_count > TP_SWEEP_FAILED)
        return 0;
    error = tp_sweep_compose(sweep, cut->node, cut->first, cut->second, &tape);
    for (uint32_t i = 0; i < result->failed_count && error == 0; i++)
        error = tp_tape_put(tape, stream, i, result->failed_draws[i]);
    sweep->trial->realigns = true;
    if (error == 0)
        error = tp_trial_replay(sweep->trial, tape, &outcome);
    sweep->trial->realigns = false;
    if (error == 0)
        sweep->tape = tape;
    else
        tp_tape_destroy(tape);
    return error;
}

static void add_up(struct round *round, const struct tp_sweep_result *result)
{
    struct tp_sweep_count *sum = round->sum;

    sum->done += result->count.done;
    sum->all += result->count.all;
    sum->sampled += result->count.sampled;
    sum->runs += result->count.runs;
    round->sweep->points_done +=
        round->next != NULL && result->failed.first > 0 && result->count.done > 0;
    round->sweep->failures += result->failed.failures;
}

static bool take(void *context, uint64_t unit, const void *result_of_unit)
{
    struct round *round = context;
    const struct tp_sweep_result *result = result_of_unit;
    struct tp_sweep *sweep = round->sweep;

    (void)unit;
    /* A signal may have ended the unit: what it had found is kept all the same. */
    if (result->failed.failures > 0 && sweep->failures == 0)
        round->error = save_tape(sweep, result);
    if (result->error < 0)
        round->error = result->error;
    add_up(round, result);
    if (result->failed.failures > 0)
        sweep->failed(sweep->context, sweep, &result->failed);
    for (uint32_t i = 0; i < result->kept_count && round->error == 0 && round->next != NULL;
         i++)
        round->error = add_kept(round->next, &result->failed, &result->kept[i]);
    sweep->progress(sweep->context, sweep);
    return round->error == 0 && !result->is_over;
}

static void show(void *context)
{
    const struct round *round = context;

    round->sweep->progress(round->sweep->context, round->sweep);
}

static void work(void *context, uint64_t unit, void *ret_result)
{
    const struct round *round = context;

    tp_sweep_unit_run(round->sweep, &round->units[unit], ret_result);
}

static int run_round(struct round *round)
{
    const struct tp_crew crew = {.jobs = round->sweep->jobs,
                                 .units = round->count,
                                 .result_bytes = sizeof(struct tp_sweep_result),
                                 .work = work,
                                 .take = take,
                                 .progress = show,
                                 .context = round};
    int error = tp_crew_run(&crew);

    return error < 0 ? error : round->error;
}

/* ------------------------------------------------------------------ all of it */

/* Every operation of each node that is not spared, and the end. */
static int add_first_cuts(struct round *round, const struct tp_cuts *cuts)
{
    int error = 0;

    for (uint32_t node = 0; node < cuts->nodes; node++) {
        uint64_t operations = cuts->operations[node];
        uint64_t last = operations < TP_CHAOS_WITHIN ? operations : TP_CHAOS_WITHIN;

        round->sweep->points += operations;
        if (cuts->spared[node])
            continue;
        for (uint64_t first = 1; first <= last && error == 0; first++)
            error = add_unit(round, node, first, NULL);
        if (error == 0)
            error = add_unit(round, node, 0, NULL);
    }
    round->sum->places = round->count;
    return error;
}

static int look_at_base(struct round *round)
{
    struct tp_trial *trial = round->sweep->trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    struct tp_cuts *cuts =
        mmap(NULL, sizeof *cuts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int error = cuts == MAP_FAILED ? -ENOMEM : 0;

    if (error < 0)
        return error;
    tp_cuts_init(cuts, 0);
    error = tp_tape_copy(round->sweep->base, NULL, &tape);
    trial->watch = &cuts->watch;
    if (error == 0)
        error = tp_trial_replay(trial, tape, &outcome);
    trial->watch = NULL;
    tp_tape_destroy(tape);
    if (error == 0)
        error = add_first_cuts(round, cuts);
    (void)munmap(cuts, sizeof *cuts);
    return error;
}

int tp_sweep_run(struct tp_sweep *sweep)
{
    struct round second = {.sweep = sweep, .sum = &sweep->second};
    struct round first = {.sweep = sweep, .sum = &sweep->first, .next = &second};
    int error;

    tp_assert(sweep->survivors > 0 && sweep->jobs > 0);
    error = look_at_base(&first);
    if (error == 0)
        error = run_round(&first);
    if (error == 0 && sweep->first.done == sweep->first.places)
        error = run_round(&second);
    clear(&first);
    clear(&second);
    return error;
}
