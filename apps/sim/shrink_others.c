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
    SHORT_MAX = 4,    /* of which so many are begun, and the better half gone on with ... */
    SHORT_PART = 16,  /* ... each for this part of the time that is left */
};

struct look {
    struct tp_shrink *shrink;
    bool found;
    struct tp_seed_result result; /* of the lowest */
};

/* Those with the shortest runs, the shortest first. */
struct short_look {
    struct look look;
    struct {
        uint64_t seed, events;
    } shortest[SHORT_MAX];
    uint32_t count;
};

/* One of them, as far as it was shrunk. */
struct contender {
    uint64_t seed;
    struct tp_tape *tape;
    struct tp_sim_outcome outcome;
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

/* ------------------------------------------------------------------ one of them */

/* Takes what is given, or the run of its seed. False: it does not fail alike, or an error.
 */
static bool enter(struct tp_shrink *shrink, uint64_t seed, bool is_given,
                  struct contender *ret_contender)
{
    struct contender *c = ret_contender;

    *c = (struct contender){.seed = seed, .outcome = shrink->outcome};
    if (is_given)
        c->tape = tp_shrink_copy(shrink);
    else
        shrink->error = tp_trial_seed(shrink->trial, seed, &c->outcome, &c->tape);
    if (shrink->error == 0 && tp_shrink_is_alike(shrink, &c->outcome))
        return true;
    tp_tape_destroy(c->tape);
    return false;
}

static void go_on(struct tp_shrink *shrink, struct contender *c, uint64_t for_ns)
{
    struct tp_shrink other = *shrink;

    other.best = c->tape;
    other.outcome = c->outcome;
    other.until_ns = tp_host_now_ns() + for_ns;
    shrink->error = tp_shrink_run(&other);
    c->tape = other.best;
    c->outcome = other.outcome;
    shrink->tried = other.tried;
    shrink->kept = other.kept;
}

/* It becomes the best, if it is shorter, or is gone. */
static bool take(struct tp_shrink *shrink, const struct contender *c)
{
    if (tp_shrink_choices(c->tape) >= tp_shrink_choices(shrink->best)) {
        tp_tape_destroy(c->tape);
        return false;
    }
    tp_tape_destroy(shrink->best);
    shrink->best = c->tape;
    shrink->outcome = c->outcome;
    return true;
}

/* ------------------------------------------------------------------ shorter runs */

static void note_short(struct short_look *look, uint64_t seed, uint64_t events)
{
    uint32_t at = look->count < SHORT_MAX ? look->count++ : SHORT_MAX;

    while (at > 0 && (events < look->shortest[at - 1].events ||
                      (events == look->shortest[at - 1].events &&
                       seed < look->shortest[at - 1].seed))) {
        at--;
        if (at + 1 < SHORT_MAX)
            look->shortest[at + 1] = look->shortest[at];
    }
    if (at == SHORT_MAX)
        return;
    look->shortest[at].seed = seed;
    look->shortest[at].events = events;
}

static void take_shorter(void *context, const struct tp_seed_result *result)
{
    struct short_look *look = tp_container_of(context, struct short_look, look);

    if (!tp_shrink_is_alike(look->look.shrink, &result->outcome))
        return;
    look->look.found = true;
    note_short(look, result->seed, result->outcome.events);
}

/* The one with the fewest choices comes to the front; of two alike, the earlier one. */
static void put_in_order(struct contender *contenders, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t at = i; at > 0 && tp_shrink_choices(contenders[at].tape) <
                                            tp_shrink_choices(contenders[at - 1].tape);
             at--) {
            struct contender lower = contenders[at];

            contenders[at] = contenders[at - 1];
            contenders[at - 1] = lower;
        }
    }
}

static bool is_short(const struct tp_shrink *shrink, const struct contender *c)
{
    return tp_shrink_is_over(shrink) || tp_shrink_choices(c->tape) <= TP_SHRINK_SHORT;
}

/* Which of them shrinks best shows when all were begun: all for a while, then the better
 * half; then each, the best one first, until nothing helps any more. */
static void contend(struct tp_shrink *shrink, struct contender *contenders, uint32_t count)
{
    uint64_t for_ns = part_ns(shrink) * PART / SHORT_PART;

    for (uint32_t left = count; left > 1 && !is_short(shrink, contenders); left /= 2) {
        for (uint32_t i = 0; i < left; i++) {
            go_on(shrink, &contenders[i], for_ns);
            if (is_short(shrink, &contenders[i]))
                break;
        }
        put_in_order(contenders, left);
    }
    for (uint32_t i = 0; i < count && !is_short(shrink, contenders); i++) {
        go_on(shrink, &contenders[i], 2 * part_ns(shrink));
        put_in_order(contenders, i + 1);
    }
}

int tp_shrink_shorter(struct tp_shrink *shrink, uint64_t after, uint64_t *ret_seed)
{
    const struct tp_farm_config config = {.result = take_shorter};
    struct short_look look = {.look = {.shrink = shrink}};
    struct contender contenders[SHORT_MAX];
    uint32_t count = 0;
    uint64_t given = *ret_seed;

    shrink->error = 0;
    note_short(&look, given, shrink->outcome.events);
    if (!look_behind(&look.look, after, SHORTER_OF, config))
        return shrink->error;
    for (uint32_t i = 0; i < look.count && !tp_shrink_is_over(shrink); i++) {
        uint64_t seed = look.shortest[i].seed;

        count += enter(shrink, seed, seed == given, &contenders[count]);
    }
    contend(shrink, contenders, count);
    for (uint32_t i = 0; i < count; i++) {
        if (take(shrink, &contenders[i]))
            *ret_seed = contenders[i].seed;
    }
    return shrink->error;
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
        struct contender contender;

        if (tp_shrink_choices(shrink->best) <= TP_SHRINK_SHORT ||
            tp_shrink_is_over(shrink) || !look_behind(&look, after, SEEDS_MAX, config))
            break;
        after = look.result.seed;
        if (!tp_shrink_is_alike(shrink, &look.result.outcome))
            continue;
        tries++;
        if (!enter(shrink, after, false, &contender))
            continue;
        go_on(shrink, &contender, part_ns(shrink));
        if (take(shrink, &contender))
            *ret_seed = after;
    }
    return shrink->error;
}
