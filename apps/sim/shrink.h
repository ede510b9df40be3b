/** apps/sim/shrink.h - makes a failing run as small as it can be while it still fails
 * alike.
 *
 * What is made smaller is the tape. A choice that is 0 is the mildest, so a tape of few
 * choices that are not 0 is a run in which little happens. Tried are: whole kinds of
 * choices set to 0 or 1, families of faults off, rates at their lowest, slices of the run
 * taken out (all that was drawn while some commands were done; what comes after it comes
 * earlier), spans of choices set to 0 or taken out, values lowered. What a run no longer
 * asks for moves no other choice (tp_tape_realign()). Kept is what fails with the same
 * verdict and kind.
 */
#ifndef TEMPEST_APPS_SIM_SHRINK_H
#define TEMPEST_APPS_SIM_SHRINK_H

#include "apps/sim/trial.h"

/** Tapes that were tried are remembered by their hashes, as many as there is room for. */
#define TP_SHRINK_HASHES 65536

struct tp_shrink {
    struct tp_trial *trial;
    struct tp_tape *best;          /* a record that fails; replaced by smaller ones */
    struct tp_sim_outcome outcome; /* of the best */
    uint64_t until_ns;             /* of the host's clock */
    uint32_t jobs; /* processes at a time; 0: 1. What is kept does not depend on it */
    uint64_t tried, kept;
    /* Called after each try; NULL: not. */
    void (*progress)(void *context, const struct tp_shrink *shrink);
    void *context;
    /* Internal. */
    uint64_t *hashes;
    uint64_t run_ns; /* that the last run took */
    int error;
};

/** Shrinks until nothing helps any more, or time is up. `best` and `outcome` are given and
 * become what was found. 0, or -errno. */
int tp_shrink_run(struct tp_shrink *shrink);

/** Shrinks those with the shortest runs, of the next seeds behind `after` that fail alike
 * and of what is given, whose seed is `*ret_seed`; of which the fewest choices are left
 * becomes the best, and `*ret_seed` its seed. It looks for them on `jobs` processors, for a
 * part of the time. 0, or -errno. */
int tp_shrink_shorter(struct tp_shrink *shrink, uint64_t after, uint64_t *ret_seed);

/** A run of so few choices is short: they are read at a glance. */
enum { TP_SHRINK_SHORT = 10 };

/** Where what is left is not short: looks for other seeds behind `after` that fail alike,
 * on `jobs` processors, and shrinks a few of them; the shortest is kept, and `*ret_seed`
 * set if it is of one of them. Which seeds are looked at does not depend on the jobs. 0, or
 * -errno.
 */
int tp_shrink_others(struct tp_shrink *shrink, uint64_t after, uint64_t *ret_seed);

/** Choices of a tape that are not 0, seeds of generators not counted. */
uint32_t tp_shrink_choices(const struct tp_tape *tape);

#endif
