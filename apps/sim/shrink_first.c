/* Candidates are tried, several at a time where a run takes long: each as if those before
 * it were not kept. What was tried beyond the first that is kept is forgotten. */
#include "apps/sim/crew.h"
#include "apps/sim/shrink_internal.h"
#include "io/hash.h"

#define SHORT_NS UINT64_C(2000000) /* a run that is not worth a process of its own */

/* ------------------------------------------------------------------ what was tried */

uint64_t tp_shrink_hash(const struct tp_tape *tape)
{
    uint64_t hash = 0;

    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);
            uint64_t words[3] = {stream, entry.kind, entry.value};

            hash = tp_hash_words(words, 3, hash);
        }
    }
    return hash == 0 ? 1 : hash;
}

bool tp_shrink_is_new(struct tp_shrink *shrink, uint64_t hash)
{
    uint64_t *place = &shrink->hashes[hash % TP_SHRINK_HASHES];

    if (*place == hash)
        return false;
    *place = hash;
    shrink->tried++;
    return true;
}

bool tp_shrink_is_alike(const struct tp_shrink *shrink,
                        const struct tp_sim_outcome *outcome)
{
    return outcome->verdict == shrink->outcome.verdict &&
           outcome->kind == shrink->outcome.kind;
}

/* ------------------------------------------------------------------ several at a time */

struct tries {
    struct tp_shrink *shrink;
    tp_shrink_make_fn *make;
    const void *context;
    uint64_t kept;
    bool found;
};

struct tried {
    uint64_t hash; /* 0: there is no such candidate */
    bool is_alike; /* not known of one that was tried before: it was not */
    int error;
};

/* In a child. */
static void try_one(void *context, uint64_t unit, void *ret_result)
{
    const struct tries *tries = context;
    struct tp_shrink *shrink = tries->shrink;
    struct tried *tried = ret_result;
    struct tp_tape *candidate = tries->make(shrink, tries->context, unit);
    struct tp_sim_outcome outcome;
    struct tp_trial trial;

    tried->error = shrink->error;
    if (candidate == NULL)
        return;
    tried->hash = tp_shrink_hash(candidate);
    if (shrink->hashes[tried->hash % TP_SHRINK_HASHES] == tried->hash)
        return;
    tried->error = tp_trial_open(&trial, &shrink->trial->job);
    if (tried->error < 0)
        return;
    trial.hang_ns = shrink->trial->hang_ns;
    trial.realigns = shrink->trial->realigns;
    trial.events_max = shrink->trial->events_max;
    tried->error = tp_trial_replay(&trial, candidate, &outcome);
    tried->is_alike = tried->error == 0 && tp_shrink_is_alike(shrink, &outcome);
}

static bool take_one(void *context, uint64_t unit, const void *result)
{
    struct tries *tries = context;
    struct tp_shrink *shrink = tries->shrink;
    const struct tried *tried = result;

    shrink->error = tried->error;
    if (shrink->error < 0)
        return false;
    if (tried->is_alike) {
        tries->found = true;
        tries->kept = unit;
        return false;
    }
    if (tried->hash != 0 && tp_shrink_is_new(shrink, tried->hash) &&
        shrink->progress != NULL)
        shrink->progress(shrink->context, shrink);
    return !tp_shrink_is_over(shrink);
}

static void show(void *context)
{
    const struct tries *tries = context;

    if (tries->shrink->progress != NULL)
        tries->shrink->progress(tries->shrink->context, tries->shrink);
}

/* The one that is kept is run once more, here: what it drew is the new best. */
static uint64_t first_of_many(struct tp_shrink *shrink, tp_shrink_make_fn *make,
                              const void *context, uint64_t count)
{
    struct tries tries = {.shrink = shrink, .make = make, .context = context};
    const struct tp_crew crew = {.jobs = shrink->jobs,
                                 .units = count,
                                 .result_bytes = sizeof(struct tried),
                                 .work = try_one,
                                 .take = take_one,
                                 .progress = show,
                                 .context = &tries};
    int error = tp_crew_run(&crew);
    struct tp_tape *candidate;

    if (shrink->error == 0)
        shrink->error = error;
    if (!tries.found || shrink->error < 0)
        return count;
    candidate = make(shrink, context, tries.kept);
    return candidate != NULL && tp_shrink_keeps(shrink, candidate) ? tries.kept : count;
}

/* ------------------------------------------------------------------ one by one, or so */

uint64_t tp_shrink_first(struct tp_shrink *shrink, tp_shrink_make_fn *make,
                         const void *context, uint64_t count)
{
    if (shrink->jobs > 1 && count > 1 && shrink->run_ns > SHORT_NS)
        return first_of_many(shrink, make, context, count);
    for (uint64_t k = 0; k < count && !tp_shrink_is_over(shrink); k++) {
        struct tp_tape *candidate = make(shrink, context, k);

        if (candidate != NULL && tp_shrink_keeps(shrink, candidate))
            return k;
    }
    return count;
}
