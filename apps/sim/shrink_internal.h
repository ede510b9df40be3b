/** apps/sim/shrink_internal.h - what the files that shrink have in common.
 *
 * A pass makes copies of the best tape, edits them, and has them tried; it says whether
 * there are fewer choices than before, or fewer commands.
 */
#ifndef TEMPEST_APPS_SIM_SHRINK_INTERNAL_H
#define TEMPEST_APPS_SIM_SHRINK_INTERNAL_H

#include "apps/sim/shrink.h"

/** Of the draws of faults. */
#define TP_SHRINK_PPM UINT64_C(1000000)

/** The stream in which the swarm is drawn, and what befalls links. */
enum { TP_SHRINK_RUN_EVENTS = TP_CONCERN_EVENT };

/** Whether time is up, or something went wrong. */
bool tp_shrink_is_over(const struct tp_shrink *shrink);

/** A copy of the best tape, to be edited and tried; NULL: there is no memory. */
struct tp_tape *tp_shrink_copy(struct tp_shrink *shrink);

/** Takes the candidate and tries it, unless it was tried: it becomes the best, or is gone.
 */
bool tp_shrink_keeps(struct tp_shrink *shrink, struct tp_tape *candidate);

/** Makes the `k`-th candidate of some: a copy of the best that was edited; NULL: there is
 * none of that number, or no memory. */
typedef struct tp_tape *tp_shrink_make_fn(struct tp_shrink *shrink, const void *context,
                                          uint64_t k);

/** Tries `count` candidates in their order until one is kept: which, or `count`. Several
 * are tried at once; which one is kept, and what counts as tried, does not depend on how
 * many. shrink_first.c. */
uint64_t tp_shrink_first(struct tp_shrink *shrink, tp_shrink_make_fn *make,
                         const void *context, uint64_t count);

/** A tape's hash; and whether none with this one was tried, which counts as tried now. Of
 * two whose place is the same, the later one is remembered. */
uint64_t tp_shrink_hash(const struct tp_tape *tape);
bool tp_shrink_is_new(struct tp_shrink *shrink, uint64_t hash);

/** Whether a run has failed as the best one does. */
bool tp_shrink_is_alike(const struct tp_shrink *shrink,
                        const struct tp_sim_outcome *outcome);

/** Whether there is a choice of this kind. */
bool tp_shrink_is_kind(const struct tp_tape *tape, uint32_t stream, uint64_t index,
                       enum tp_draw kind);

/** Families off that are not needed; shrink_families.c. */
bool tp_shrink_families(struct tp_shrink *shrink);

/** Rates at their lowest; shrink_families.c. */
bool tp_shrink_rates(struct tp_shrink *shrink);

/** Slices of the run that are not needed, down to one part of so many; shrink_slices.c. */
bool tp_shrink_slices(struct tp_shrink *shrink, uint32_t parts);

#endif
