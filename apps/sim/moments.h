/** apps/sim/moments.h - how far a run's tape had come when its nodes were asked for more.
 *
 * A moment is the first operation of a node after a draw of its workload, or its boot. What
 * lies between two moments is a slice of the run: what was drawn there, on each stream, and
 * how many operations were done. A shrinker takes slices out.
 */
#ifndef TEMPEST_APPS_SIM_MOMENTS_H
#define TEMPEST_APPS_SIM_MOMENTS_H

#include "apps/sim/sim.h"

enum { TP_MOMENTS_MAX = 1024 }; /* of a run: later ones are not noted */

/** Of each moment there are as many numbers as the tape has streams. */
struct tp_moments {
    struct tp_sim_watch watch; /* to be given to a run */
    uint32_t streams, count;
    uint64_t *asked; /* draws that a stream had given */
    uint64_t *begun; /* operations that its node had begun; of node 0: of all nodes */
};

/** Memory for all of them. */
size_t tp_moments_size_bytes(uint32_t streams);

/** In memory of that size, aligned to 8 bytes, for a tape of so many streams. */
void tp_moments_init(struct tp_moments *moments, void *memory, uint32_t streams);

/** What a stream had given at a moment, and what its node had begun. */
uint64_t tp_moments_asked(const struct tp_moments *moments, uint32_t at, uint32_t stream);
uint64_t tp_moments_begun(const struct tp_moments *moments, uint32_t at, uint32_t stream);

#endif
