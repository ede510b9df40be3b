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
