/* Other seeds that fail alike: what is short may be in another corner of the world, where
 * no step of a shrinker leads. */
#include <errno.h>

#include "apps/sim/farm.h"
#include "apps/sim/shrink_internal.h"

enum {
    TRIES_MAX = 12, /* seeds that are shrunk */
    LOOKS_MAX = 64, /* seeds that fail, alike or not */
    SEEDS_MAX = 1000000,
    PART = 3,         /* of the time that is left, for each seed */
    SHORTER_OF = 128, /* seeds that are looked at for a shorter run */
};

struct look {
    struct tp_shrink *shrink;
    bool found;
    struct tp_seed_result result; /* of the lowest */
};

static void take_result(void *context, const struct tp_seed_result *result)
{
    struct look *look = context;

    if (result->outcome.verdict == TP_VERDICT_PASSED ||
        (look->found && look->result.seed < result->seed))
        return;
    look->found = true;
    look->result = *result;
}

static void show(void *context, uint64_t elapsed_ns)
{
    const struct look *look = context;

    (void)elapsed_ns;
    if (look->shrink->progress != NULL)
        look->shrink->progress(look->shrink->context, look->shrink);
}

/* Of the time that is left, a part. */
static uint64_t part_ns(const struct tp_shrink *shrink)
{
    uint64_t now_ns = tp_host_now_ns();

    return now_ns >= shrink->until_ns ? 0 : (shrink->until_ns - now_ns) / PART;
}

/* Looks at so many seeds behind one; false: nothing was found in time. */
static bool look_behind(struct look *look, uint64_t after, uint64_t seeds,
                        struct tp_farm_config config)
{
    struct tp_shrink *shrink = look->shrink;
    struct tp_farm_totals totals;

    config.job = shrink->trial->job;
    config.first = after + 1;
    config.last = after + seeds;
    config.time_ns = part_ns(shrink);
    config.hang_ns = shrink->trial->hang_ns; /* --limit */
    config.jobs = shrink->jobs > 0 ? shrink->jobs : 1;
    config.progress = show;
    config.context = look;
    if (config.time_ns == 0 || after > UINT64_MAX - seeds)
        return false;
    shrink->error = tp_farm_run(&config, &totals);
    return shrink->error == 0 && look->found;
}

/* Shrinks it; what is shorter becomes the best. */
static bool try_seed(struct tp_shrink *shrink, uint64_t seed)
{
    struct tp_shrink other = *shrink;
    bool is_shorter = false;

    other.best = NULL;
    shrink->error = tp_trial_seed(other.trial, seed, &other.outcome, &other.best);
    if (shrink->error < 0)
        return false;
    if (tp_shrink_is_alike(shrink, &other.outcome)) {
        other.until_ns = tp_host_now_ns() + part_ns(shrink);
        shrink->error = tp_shrink_run(&other);
        is_shorter = tp_shrink_choices(other.best) < tp_shrink_choices(shrink->best);
    }
    shrink->tried = other.tried;
    shrink->kept = other.kept;
    if (is_shorter) {
        tp_tape_destroy(shrink->best);
        shrink->best = other.best;
        shrink->outcome = other.outcome;
        return true;
    }
    tp_tape_destroy(other.best);
    return false;
}

/* ------------------------------------------------------------------ shorter runs */

static void take_shorter(void *context, const struct tp_seed_result *result)
{
    struct look *look = context;
    const struct tp_sim_outcome *outcome = &result->outcome, *best = &look->result.outcome;

    if (!tp_shrink_is_alike(look->shrink, outcome) || outcome->events > best->events ||
        (outcome->events == best->events && result->seed > look->result.seed))
        return;
    look->found = true;
    look->result = *result;
}

int tp_shrink_shorter(struct tp_shrink *shrink, uint64_t after, uint64_t *ret_seed)
{
    const struct tp_farm_config config = {.result = take_shorter};
    struct look look = {.shrink = shrink,
                        .result = {.seed = after, .outcome = shrink->outcome}};
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;

    shrink->error = 0;
    if (!look_behind(&look, after, SHORTER_OF, config))
        return shrink->error;
    shrink->error = tp_trial_seed(shrink->trial, look.result.seed, &outcome, &tape);
    if (shrink->error < 0)
        return shrink->error;
    tp_tape_destroy(shrink->best);
    shrink->best = tape;
    shrink->outcome = outcome;
    *ret_seed = look.result.seed;
    return 0;
}

/* ------------------------------------------------------------------ all of it */

int tp_shrink_others(struct tp_shrink *shrink, uint64_t after, uint64_t *ret_seed)
{
    const struct tp_farm_config config = {.until_failure = true, .result = take_result};
    uint32_t tries = 0;

    tp_assert(shrink->outcome.verdict != TP_VERDICT_PASSED);
    shrink->error = 0;
    for (uint32_t looks = 0; looks < LOOKS_MAX && tries < TRIES_MAX; looks++) {
        struct look look = {.shrink = shrink};

        if (tp_shrink_choices(shrink->best) <= TP_SHRINK_SHORT ||
            tp_shrink_is_over(shrink) || !look_behind(&look, after, SEEDS_MAX, config))
            break;
        after = look.result.seed;
        if (!tp_shrink_is_alike(shrink, &look.result.outcome))
            continue;
        tries++;
        if (try_seed(shrink, after))
            *ret_seed = after;
    }
    return shrink->error;
}
